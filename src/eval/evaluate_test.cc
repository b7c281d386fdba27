#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "base/error.h"
#include "tandem/evaluation.h"

namespace tandem {
namespace {

using Judged = std::vector<std::tuple<const char*, const char*, int>>;
using Found = std::vector<std::tuple<const char*, const char*, double>>;

Qrels qrels_of(const Judged& judged) {
  Qrels qrels;
  for (const auto& [query, document, relevance] : judged) EXPECT_TRUE(qrels.add(query, document, relevance));
  return qrels;
}

Run run_of(const Found& found) {
  tandem::Run run;
  for (const auto& [query, document, score] : found) EXPECT_TRUE(run.add(query, document, score));
  return run;
}

const std::vector<RankingMetric> kMrr{{RankingMeasure::kMrr}};

Evaluation evaluated(const Found& found, const Judged& judged, const EvaluationOptions& options = {}) {
  Result<Evaluation> evaluation = evaluate(run_of(found), qrels_of(judged), kMrr, options);
  EXPECT_TRUE(evaluation.has_value());
  return std::move(*evaluation);
}

TEST(Evaluate, QueriesKeepTheOrderOfTheQrels) {
  const Evaluation evaluation =
      evaluated({{"b", "x", 1}, {"a", "y", 2}, {"a", "x", 1}}, {{"a", "x", 1}, {"b", "x", 1}});
  EXPECT_EQ(evaluation.query_ids, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(evaluation.values, (std::vector<std::vector<double>>{{0.5, 1}}));
  EXPECT_DOUBLE_EQ(evaluation.means[0], 0.75);
}

TEST(Evaluate, AJudgementOfAnotherQueryIsNone) {
  const Evaluation evaluation =
      evaluated({{"a", "y", 2}, {"a", "x", 1}, {"b", "x", 2}, {"b", "y", 1}}, {{"a", "x", 1}, {"b", "y", 1}});
  EXPECT_EQ(evaluation.values[0], (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(evaluation.counts.results_unjudged, 2U);
}

TEST(Evaluate, TiesStandAsTheSearchThatGaveThemHasThem) {
  for (const auto& [order, value] : {std::pair{RunOrder::kAsAdded, 1.0}, std::pair{RunOrder::kByScore, 0.5}}) {
    tandem::Run run(order);
    ASSERT_TRUE(run.add("q", "a", 1));
    ASSERT_TRUE(run.add("q", "b", 1));
    const Result<Evaluation> evaluation = evaluate(run, qrels_of({{"q", "a", 1}}), kMrr);
    ASSERT_TRUE(evaluation.has_value());
    EXPECT_EQ(evaluation->means[0], value);
  }
}

TEST(Evaluate, OnlyTheQueriesThatWereAskedCountWhereTheQrelsAreTheirs) {
  const Qrels all = qrels_of({{"a", "x", 1}, {"b", "x", 1}, {"b", "y", 0}, {"c", "x", 1}});
  const std::vector<std::string_view> asked{"b", "d", "a"};
  const Result<Qrels> some = all.of_queries(asked);
  ASSERT_TRUE(some.has_value());
  EXPECT_EQ(some->query_ids(), (std::vector<std::string_view>{"b", "a"}));
  EXPECT_EQ(some->judgements(), 3U);
}

TEST(Evaluate, QueriesMissingFromTheRunCountAsZeroOrNotAtAll) {
  const Judged judged{{"a", "x", 1}, {"b", "x", 1}};
  const Evaluation all = evaluated({{"a", "x", 1}}, judged);
  EXPECT_DOUBLE_EQ(all.means[0], 0.5);
  EXPECT_EQ(all.counts.queries_missing, 1U);
  const Evaluation answered = evaluated({{"a", "x", 1}}, judged, {.answered_only = true});
  EXPECT_DOUBLE_EQ(answered.means[0], 1);
  EXPECT_EQ(answered.query_ids, std::vector<std::string>{"a"});
  EXPECT_EQ(answered.counts.queries_missing, 1U);
}

TEST(Evaluate, QueriesThatNobodyJudgedAreLeftOut) {
  const Evaluation evaluation = evaluated({{"a", "x", 1}, {"b", "x", 1}, {"c", "x", 1}}, {{"a", "x", 1}});
  EXPECT_DOUBLE_EQ(evaluation.means[0], 1);
  EXPECT_EQ(evaluation.counts.queries_unjudged, 2U);
  EXPECT_EQ(evaluation.counts.results, 1U);
}

TEST(Evaluate, QueriesWithoutRelevantDocumentsCountAsZero) {
  const Judged judged{{"a", "x", 1}, {"b", "x", 0}, {"b", "y", -1}};
  const Evaluation evaluation = evaluated({{"a", "x", 1}, {"b", "x", 1}, {"b", "y", 2}}, judged);
  EXPECT_DOUBLE_EQ(evaluation.means[0], 0.5);
  EXPECT_EQ(evaluation.counts.queries_without_relevant, 1U);
  EXPECT_EQ(evaluation.counts.results_unjudged, 1U);
}

TEST(Evaluate, ARunThatSharesNoQueryIsAConflict) {
  const Result<Evaluation> evaluation = evaluate(run_of({{"q1", "x", 1}}), qrels_of({{"1", "x", 1}}), kMrr);
  ASSERT_FALSE(evaluation);
  EXPECT_EQ(evaluation.error().code, ErrorCode::kConflict);
  EXPECT_NE(evaluation.error().message.find("'q1'"), std::string::npos);
}

TEST(Evaluate, AnEmptyRunIsZeroEverywhere) {
  const Evaluation evaluation = evaluated({}, {{"a", "x", 1}});
  EXPECT_EQ(evaluation.values, (std::vector<std::vector<double>>{{0}}));
  EXPECT_EQ(evaluated({}, {}).means[0], 0);
  EXPECT_EQ(evaluated({}, {{"a", "x", 1}}, {.answered_only = true}).means[0], 0);
}

TEST(Evaluate, LevelsAndGainsOutOfRangeAreRefused) {
  EXPECT_EQ(evaluate(tandem::Run(), Qrels(), kMrr, {.relevance_level = 0}).error().code, ErrorCode::kInvalidArgument);
  const std::vector<RankingMetric> exponential{{RankingMeasure::kNdcgExponential, 10}};
  EXPECT_EQ(evaluate(tandem::Run(), qrels_of({{"a", "x", 513}}), exponential).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_TRUE(evaluate(run_of({{"a", "x", 1}}), qrels_of({{"a", "x", 512}}), exponential).has_value());
}

/// A query's results and judgements as lines, in any order.
struct Line {
  std::string query;
  std::string document;
  double number = 0;
};

std::vector<Line> arbitrary_lines(int documents, int numbers) {
  std::vector<Line> lines;
  for (int query = 0; query < 4; ++query) {
    for (int document = 0; document < documents; ++document) {
      const int number = *rc::gen::inRange(-1, numbers);
      if (number >= 0) lines.push_back({fmt::format("q{}", query), fmt::format("d{}", document), number + 0.0});
    }
  }
  return lines;
}

std::map<std::string, std::vector<double>> values_of(const std::vector<Line>& found, const std::vector<Line>& judged) {
  tandem::Run run;
  Qrels qrels;
  for (const Line& line : found) RC_ASSERT(run.add(line.query, line.document, line.number).has_value());
  for (const Line& line : judged) {
    RC_ASSERT(qrels.add(line.query, line.document, static_cast<std::int32_t>(line.number)).has_value());
  }
  const std::vector<RankingMetric> metrics{
      {RankingMeasure::kNdcg, 5}, {RankingMeasure::kMap}, {RankingMeasure::kF1, 3}};
  const Result<Evaluation> evaluation = evaluate(run, qrels, metrics);
  std::map<std::string, std::vector<double>> values;
  if (!evaluation) return values;  // No query in common, whatever the order.
  for (std::size_t query = 0; query < evaluation->query_ids.size(); ++query) {
    for (const auto& of_metric : evaluation->values) values[evaluation->query_ids[query]].push_back(of_metric[query]);
  }
  return values;
}

RC_GTEST_PROP(EvaluateProperty, TheOrderOfLinesDoesNotMatter, (std::uint32_t seed)) {
  std::vector<Line> found = arbitrary_lines(30, 4);
  std::vector<Line> judged = arbitrary_lines(30, 3);
  const auto before = values_of(found, judged);
  std::mt19937 random(seed);
  std::ranges::shuffle(found, random);
  std::ranges::shuffle(judged, random);
  RC_ASSERT(values_of(found, judged) == before);
}

// The numbers of documents differ between run and qrels, whichever side has more.
RC_GTEST_PROP(EvaluateProperty, MetricsAreThoseOfTheRelevancesInOrder, ()) {
  const std::vector<Line> found = arbitrary_lines(*rc::gen::inRange(1, 40), 100);
  const std::vector<Line> judged = arbitrary_lines(*rc::gen::inRange(1, 40), 3);
  tandem::Run run;
  for (const Line& line : found) RC_ASSERT(run.add(line.query, line.document, line.number).has_value());
  for (const auto& [query, values] : values_of(found, judged)) {
    std::map<std::string, std::int32_t> relevance;
    std::vector<std::int32_t> all;
    for (const Line& line : judged) {
      if (line.query != query) continue;
      relevance[line.document] = static_cast<std::int32_t>(line.number);
      all.push_back(relevance[line.document]);
    }
    std::vector<std::int32_t> ranked;
    for (const RunResult& result : run.ranking_of(query)) ranked.push_back(relevance[std::string(result.document_id)]);
    RC_ASSERT(values[0] == ranking_metric({RankingMeasure::kNdcg, 5}, ranked, all));
    RC_ASSERT(values[1] == ranking_metric({RankingMeasure::kMap}, ranked, all));
  }
}

}  // namespace
}  // namespace tandem
