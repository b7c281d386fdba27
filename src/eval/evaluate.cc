#include <algorithm>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "eval/lists.h"
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

/// Evaluates query by query. Documents of the run and the qrels are numbered apart; one table leads from the first to
/// the second, so that no id is compared twice.
class Evaluator {
 public:
  Evaluator(const Run& run, const Qrels& qrels, std::span<const RankingMetric> metrics,
            const EvaluationOptions& options)
      : run_(*run.impl_), qrels_(*qrels.impl_), metrics_(metrics), options_(options) {}

  Result<Evaluation> evaluate() {
    RETURN_IF_ERROR(check(metrics_, options_, relevance_max()));
    RETURN_IF_ERROR(match_queries());
    match_documents();
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
      for (const auto& judged : list) largest = std::max(largest, judged.value);
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

  void match_documents() {
    // Looking up the ids of the smaller side in the other takes fewest look-ups.
    const IdTable& run = run_.documents();
    const IdTable& qrels = qrels_.documents();
    judged_number_.resize(run.size(), kUnjudged);
    if (run.size() <= qrels.size()) {
      for (std::uint32_t document = 0; document < run.size(); ++document) {
        judged_number_[document] = qrels.find(run[document]).value_or(kUnjudged);
      }
    } else {
      for (std::uint32_t document = 0; document < qrels.size(); ++document) {
        if (const std::optional<std::uint32_t> found = run.find(qrels[document])) judged_number_[*found] = document;
      }
    }
    relevance_.resize(qrels_.documents().size());
    judged_by_.resize(qrels_.documents().size(), kUnjudged);
  }

  void add_query(std::uint32_t query) {
    const auto* results = run_.list_of(qrels_.queries()[query]);
    EvaluationCounts& counts = evaluation_.counts;
    if (results == nullptr) {
      ++counts.queries_missing;
      if (options_.answered_only) return;
    }
    judged_.clear();
    for (const auto& [document, relevance] : qrels_.lists()[query]) {
      relevance_[document] = relevance;
      judged_by_[document] = query;
      judged_.push_back(relevance);
    }
    ranked_.clear();
    if (results != nullptr) {
      for (const std::uint32_t place : ranker_.rank(*results, run_.documents())) {
        const std::uint32_t document = judged_number_[(*results)[place].document];
        const bool judged = document != kUnjudged && judged_by_[document] == query && relevance_[document] >= 0;
        ranked_.push_back(judged ? relevance_[document] : 0);
        if (!judged) ++counts.results_unjudged;
      }
      counts.results += results->size();
    }
    order_ideally(judged_, ideal_);
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

  static constexpr std::uint32_t kUnjudged = std::numeric_limits<std::uint32_t>::max();

  const QueryLists<float>& run_;
  const QueryLists<std::int32_t>& qrels_;
  const std::span<const RankingMetric> metrics_;
  const EvaluationOptions options_;

  std::vector<std::uint32_t> judged_number_;  // [documents of the run]
  // [documents of the qrels] Their relevance for the query that wrote it last, which is that of judged_by_.
  std::vector<std::int32_t> relevance_;
  std::vector<std::uint32_t> judged_by_;
  Ranker ranker_;
  std::vector<std::int32_t> judged_;  // The current query's judgements, results, and best possible results.
  std::vector<std::int32_t> ranked_;
  std::vector<std::int32_t> ideal_;
  Evaluation evaluation_;
};

Result<Evaluation> evaluate(const Run& run, const Qrels& qrels, std::span<const RankingMetric> metrics,
                            const EvaluationOptions& options) {
  return Evaluator(run, qrels, metrics, options).evaluate();
}

}  // namespace tandem
