#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "eval/qrels_and_runs.h"
#include "eval/ranking_metrics.h"
#include "tandem/evaluation.h"

namespace tandem {
namespace {

// 2^512 is far from the largest double, and so is a sum of as many as fit into memory.
constexpr std::int32_t kExponentialRelevanceMax = 512;

Status check(std::span<const RankingMetric> metrics, const EvaluationOptions& options, std::int32_t relevance_max) {
  if (options.relevance_level < 1) {
    return fail(ErrorCode::kInvalidArgument, "the relevance level is {}, want at least 1", options.relevance_level);
  }
  const bool exponential =
      std::ranges::find(metrics, RankingMeasure::kNdcgExponential, &RankingMetric::measure) != metrics.end();
  if (exponential && relevance_max > kExponentialRelevanceMax) {
    return fail(ErrorCode::kInvalidArgument,
                "exponential gain of relevance {} is too large to be a number: want at most {}", relevance_max,
                kExponentialRelevanceMax);
  }
  return {};
}

}  // namespace

/// Evaluates query by query.
class Evaluator {
 public:
  Evaluator(const Run& run, const Qrels& qrels, std::span<const RankingMetric> metrics,
            const EvaluationOptions& options)
      : run_(*run.impl_), qrels_(*qrels.impl_), metrics_(metrics), options_(options), ranker_(run_.order) {}

  Result<Evaluation> evaluate() {
    RETURN_IF_ERROR(check(metrics_, options_, relevance_max()));
    RETURN_IF_ERROR(match_queries());
    evaluation_.values.resize(metrics_.size());
    for (std::uint32_t query = 0; query < qrels_.queries().size(); ++query) add_query(query);
    for (const std::vector<double>& values : evaluation_.values) {
      const double sum = std::accumulate(values.begin(), values.end(), 0.0);
      evaluation_.means.push_back(values.empty() ? 0 : sum / static_cast<double>(values.size()));
    }
    return std::move(evaluation_);
  }

 private:
  std::int32_t relevance_max() const {
    std::int32_t largest = 0;
    for (const auto& list : qrels_.lists()) {
      for (const std::int32_t relevance : list.values) largest = std::max(largest, relevance);
    }
    return largest;
  }

  Status match_queries() {
    for (const std::string_view query_id : run_.query_ids()) {
      if (!qrels_.queries().find(query_id)) ++evaluation_.counts.queries_unjudged;
    }
    const std::size_t queries = run_.queries().size();
    if (queries > 0 && evaluation_.counts.queries_unjudged == queries && qrels_.queries().size() > 0) {
      return fail(ErrorCode::kConflict,
                  "run and qrels have no query in common: the run begins with '{}', the qrels with '{}'",
                  run_.queries()[0], qrels_.queries()[0]);
    }
    return {};
  }

  void add_query(std::uint32_t query) {
    const QueryList<float>* results = run_.list_of(qrels_.queries()[query]);
    EvaluationCounts& counts = evaluation_.counts;
    if (results == nullptr) {
      ++counts.queries_missing;
      if (options_.answered_only) return;
    }
    const QueryList<std::int32_t>& judged = qrels_.lists()[query];
    ranked_.clear();
    if (results != nullptr) add_results(*results, judged);
    order_ideally(judged.values, ideal_);
    const auto relevant = static_cast<std::size_t>(std::ranges::count_if(
        ideal_, [this](std::int32_t relevance) { return relevance >= options_.relevance_level; }));
    if (relevant == 0) ++counts.queries_without_relevant;
    evaluation_.query_ids.emplace_back(qrels_.queries()[query]);
    for (std::size_t metric = 0; metric < metrics_.size(); ++metric) {
      evaluation_.values[metric].push_back(ranking_metric(
          metrics_[metric],
          {.ranked = ranked_, .ideal = ideal_, .relevant = relevant, .relevance_level = options_.relevance_level}));
    }
  }

  /// The relevance of each result, best first. What is negative is not judged.
  void add_results(const QueryList<float>& results, const QueryList<std::int32_t>& judged) {
    relevance_.assign(results.values.size(), 0);
    std::size_t results_judged = 0;
    for (std::uint32_t place = 0; place < judged.values.size(); ++place) {
      if (judged.values[place] < 0) continue;
      if (const std::optional<std::uint32_t> found = results.documents.find(judged.documents[place])) {
        relevance_[*found] = judged.values[place];
        ++results_judged;
      }
    }
    for (const std::uint32_t place : ranker_.rank(results)) ranked_.push_back(relevance_[place]);
    evaluation_.counts.results += results.values.size();
    evaluation_.counts.results_unjudged += results.values.size() - results_judged;
  }

  const Run::Impl& run_;
  const QueryLists<std::int32_t>& qrels_;
  const std::span<const RankingMetric> metrics_;
  const EvaluationOptions options_;

  Ranker ranker_;
  std::vector<std::int32_t> relevance_;  // Of the current query's results, in the order in which they came,
  std::vector<std::int32_t> ranked_;     // best first,
  std::vector<std::int32_t> ideal_;      // and of the best possible ones.
  Evaluation evaluation_;
};

Result<Evaluation> evaluate(const Run& run, const Qrels& qrels, std::span<const RankingMetric> metrics,
                            const EvaluationOptions& options) {
  return Evaluator(run, qrels, metrics, options).evaluate();
}

}  // namespace tandem
