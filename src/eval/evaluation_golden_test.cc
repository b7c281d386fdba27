// Against tests/goldens/evaluation.json, which other packages computed: tests/oracle/evaluation_goldens.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "tandem/evaluation.h"
#include "tandem/pair_metrics.h"
#include "tandem/significance.h"

namespace tandem {
namespace {

constexpr double kTolerance = 1e-9;

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message);
}

const JsonDocument& golden() {
  static const JsonDocument document =
      must(JsonDocument::read_file(std::filesystem::path(TANDEM_SOURCE_DIR) / "tests" / "goldens" / "evaluation.json"));
  return document;
}

std::vector<JsonValue> cases(std::string_view key) { return must(golden().root().get_array(key)); }

std::vector<double> numbers(JsonValue object, std::string_view key) {
  std::vector<double> result;
  for (const JsonValue& number : must(object.get_array(key))) result.push_back(must(number.as_double()));
  return result;
}

double number(JsonValue object, std::string_view key) { return must(object.get_double(key)); }

/// {"query": {"document": value}}
void for_each_listed(JsonValue queries,
                     const std::function<void(std::string_view, std::string_view, JsonValue)>& visit) {
  must(queries.for_each_member([&](std::string_view query, JsonValue documents) {
    return documents.for_each_member([&](std::string_view document, JsonValue value) -> Status {
      visit(query, document, value);
      return {};
    });
  }));
}

TEST(EvaluationGolden, MetricsAreThoseOfPytrecEval) {
  std::size_t values = 0;
  for (const JsonValue& ranking : cases("rankings")) {
    Qrels qrels;
    for_each_listed(must(ranking.get("qrels")), [&](auto query, auto document, JsonValue relevance) {
      must(qrels.add(query, document, static_cast<std::int32_t>(must(relevance.as_integer()))));
    });
    tandem::Run run;
    for_each_listed(must(ranking.get("run")), [&](auto query, auto document, JsonValue score) {
      must(run.add(query, document, must(score.as_double())));
    });
    const EvaluationOptions options{.relevance_level =
                                        static_cast<std::int32_t>(must(ranking.get_integer("relevance_level")))};
    for_each_listed(must(ranking.get("values")), [&](auto query, auto metric, JsonValue value) {
      const std::vector<RankingMetric> metrics{must(parse_ranking_metric(metric))};
      const Evaluation evaluation = must(evaluate(run, qrels, metrics, options));
      const auto place = std::ranges::find(evaluation.query_ids, query) - evaluation.query_ids.begin();
      EXPECT_NEAR(evaluation.values[0].at(static_cast<std::size_t>(place)), must(value.as_double()), kTolerance)
          << query << ' ' << metric;
      ++values;
    });
  }
  EXPECT_GT(values, 80U);
}

TEST(EvaluationGolden, PairedTestsAreThoseOfScipy) {
  for (const JsonValue& paired : cases("paired")) {
    const std::vector<double> baseline = numbers(paired, "baseline");
    const std::vector<double> other = numbers(paired, "other");
    const Comparison comparison = must(compare_paired(baseline, other));
    EXPECT_NEAR(comparison.t.value(), number(paired, "t"), kTolerance);
    EXPECT_NEAR(comparison.t_test_p.value(), number(paired, "t_test_p"), kTolerance);
    EXPECT_TRUE(comparison.permutation_exhaustive);
    EXPECT_NEAR(comparison.permutation_p, number(paired, "permutation_p"), kTolerance);
    // Both ends are quantiles of 10,000 means; with n values of spread s, their standard error is about 0.03 s / √n.
    const std::vector<double> interval = numbers(paired, "interval");
    const double spread = (interval[1] - interval[0]) / 4;
    EXPECT_NEAR(comparison.interval.low, interval[0], 4 * 0.03 * spread + kTolerance);
    EXPECT_NEAR(comparison.interval.high, interval[1], 4 * 0.03 * spread + kTolerance);
  }
}

TEST(EvaluationGolden, PairMetricsAreThoseOfScikitLearn) {
  for (const JsonValue& pairs : cases("pairs")) {
    const std::vector<double> scores = numbers(pairs, "scores");
    std::vector<LabelledScore> labelled;
    for (const JsonValue& label : must(pairs.get_array("labels"))) {
      labelled.push_back({scores[labelled.size()], must(label.as_bool())});
    }
    const BinaryPairMetrics metrics = must(binary_pair_metrics(labelled));
    EXPECT_NEAR(metrics.roc_auc, number(pairs, "roc_auc"), kTolerance);
    EXPECT_NEAR(metrics.average_precision, number(pairs, "average_precision"), kTolerance);
    EXPECT_NEAR(metrics.fixed.accuracy, number(pairs, "accuracy"), kTolerance);
    EXPECT_NEAR(metrics.fixed.precision, number(pairs, "precision"), kTolerance);
    EXPECT_NEAR(metrics.fixed.recall, number(pairs, "recall"), kTolerance);
    EXPECT_NEAR(metrics.fixed.f1, number(pairs, "f1"), kTolerance);
    EXPECT_NEAR(metrics.best.accuracy, number(pairs, "best_accuracy"), kTolerance);
  }
}

TEST(EvaluationGolden, CorrelationsAreThoseOfScipy) {
  for (const JsonValue& graded : cases("graded")) {
    const std::vector<double> scores = numbers(graded, "scores");
    const std::vector<double> grades = numbers(graded, "grades");
    std::vector<GradedScore> pairs;
    for (std::size_t i = 0; i < scores.size(); ++i) pairs.push_back({scores[i], grades[i]});
    const CorrelationMetrics metrics = must(correlation_metrics(pairs));
    EXPECT_NEAR(metrics.spearman, number(graded, "spearman"), kTolerance);
    EXPECT_NEAR(metrics.pearson, number(graded, "pearson"), kTolerance);
  }
}

// The qrels, run and averages that NIST ships with trec_eval: out.test holds "map all 0.1785" and so on.
TEST(EvaluationGolden, AveragesAreThoseThatTrecEvalShips) {
  const char* data = std::getenv("TANDEM_DATA");
  if (data == nullptr) GTEST_SKIP() << "TANDEM_DATA names no folder with trec_eval/qrels.test";
  const std::filesystem::path folder = std::filesystem::path(data) / "trec_eval";
  const std::vector<RankingMetric> metrics{
      {RankingMeasure::kMap}, {RankingMeasure::kRPrecision}, {RankingMeasure::kMrr}, {RankingMeasure::kPrecision, 5}};
  const Evaluation evaluation = must(
      evaluate(must(tandem::Run::read(folder / "results.test")), must(Qrels::read(folder / "qrels.test")), metrics));
  const std::vector<double> wanted{0.1785, 0.2174, 0.4064, 0.2667};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(evaluation.means[i], wanted[i], 0.00005) << ranking_metric_name(metrics[i]);
  }
}

}  // namespace
}  // namespace tandem
