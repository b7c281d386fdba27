#include "eval/sweep_preparation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/string_map.h"
#include "base/strip.h"
#include "eval/shuffle.h"
#include "eval/wording.h"

namespace tandem {
namespace {

// Thirty years, which the clock's nanoseconds can count.
constexpr double kBudgetSecondsMax = 1e9;

Status check_first_stages(std::span<const SweepStage> first_stages) {
  if (first_stages.empty()) return fail(ErrorCode::kInvalidArgument, "there is no first stage to measure");
  StringSet names;
  for (const SweepStage& stage : first_stages) {
    if (stage.name.empty() || !names.insert(stage.name).second) {
      return fail(ErrorCode::kInvalidArgument, "a first stage is called '{}': want names that differ", stage.name);
    }
    if ((stage.bi_encoder == nullptr) == (stage.run == nullptr)) {
      return fail(ErrorCode::kInvalidArgument, "{}: the first stage has {}, want one of the two", stage.name,
                  stage.run == nullptr ? "neither a bi-encoder nor a run" : "both a bi-encoder and a run");
    }
  }
  return {};
}

Status check_options(const SweepOptions& options, const CrossEncoder* cross_encoder) {
  const auto refuse = [](const std::string& message) { return fail(ErrorCode::kInvalidArgument, "{}", message); };
  if (options.depths.empty()) return refuse("there is no depth: how many candidates are to be looked at?");
  if (std::ranges::find(options.depths, std::size_t{0}) != options.depths.end()) {
    return refuse("a depth is 0, want at least 1");
  }
  for (const float alpha : options.alphas) {
    if (!(alpha >= 0.0F && alpha <= 1.0F)) return refuse(fmt::format("alpha is {}, want 0 to 1", alpha));
  }
  if (cross_encoder != nullptr && options.alphas.empty()) return refuse("there is no alpha to rerank with");
  if (cross_encoder != nullptr && cross_encoder->labels().size() != 1) {
    return refuse(fmt::format("{}: ranking needs a model with one label, this one has {}", cross_encoder->model(),
                              cross_encoder->labels().size()));
  }
  if (options.results == 0) return refuse("results is 0, want at least 1");
  if (options.budget_s && !(*options.budget_s > 0 && *options.budget_s <= kBudgetSecondsMax)) {
    return refuse(
        fmt::format("the budget is {} s, want more than 0 and at most {:g}", *options.budget_s, kBudgetSecondsMax));
  }
  return {};
}

/// One call of prepare_sweep().
class Preparation {
 public:
  Preparation(const SweepInput& input, const SweepOptions& options, const SweepBudget& budget)
      : input_(input), options_(options), budget_(budget) {}

  Result<PreparedSweep> run(EncoderCache& cache, const CallOptions& call) {
    RETURN_IF_ERROR(check_first_stages(input_.first_stages));
    RETURN_IF_ERROR(check_options(options_, input_.cross_encoder));
    if (input_.qrels == nullptr) return fail(ErrorCode::kInvalidArgument, "there are no judgements to measure with");
    RETURN_IF_ERROR(check_metrics());
    ASSIGN_OR_RETURN(documents_, SweepDocuments::read(input_));
    RETURN_IF_ERROR(choose_queries());
    RETURN_IF_ERROR(check_runs());
    RETURN_IF_ERROR(encode_documents(cache, call));
    remark_on_missing_answers();
    return PreparedSweep{
        .documents = std::move(documents_), .queries = std::move(queries_), .remarks = std::move(remarks_)};
  }

 private:
  void remark(std::string sentence) { remarks_.push_back(std::move(sentence)); }

  /// What would fail at the end fails now.
  Status check_metrics() {
    RETURN_IF_ERROR(evaluate(Run(), *input_.qrels, options_.metrics, {.relevance_level = options_.relevance_level}));
    RETURN_IF_ERROR(bootstrap_mean(std::vector<double>{0}, options_.bootstrap));
    const std::size_t depth = sweep_depth(options_);
    for (const RankingMetric& metric : options_.metrics) {
      if (metric.cutoff <= depth) continue;
      remark(fmt::format("{} looks at more than the {} results that there are.", ranking_metric_name(metric), depth));
    }
    return {};
  }

  /// The judged queries, in a random order where they may not all be answered.
  Status choose_queries() {
    const std::vector<std::string_view> ids = input_.qrels->query_ids();
    const StringSet judged(ids.begin(), ids.end());
    StringSet seen;
    for (const SweepQuery& query : input_.queries) {
      if (!seen.insert(query.id).second) return fail(ErrorCode::kConflict, "two queries have the id '{}'", query.id);
      if (!judged.contains(query.id)) continue;
      if (strip(query.text).empty()) return fail(ErrorCode::kInvalidArgument, "query '{}' is empty", query.id);
      queries_.push_back(&query);
    }
    if (queries_.empty()) {
      return fail(ErrorCode::kConflict, "none of the {} queries is among the {} that are judged", input_.queries.size(),
                  judged.size());
    }
    if (const std::size_t left_out = input_.queries.size() - queries_.size(); left_out > 0) {
      remark(fmt::format("{} no judgement: left out.", count_of(left_out, "query has", "queries have")));
    }
    if (const auto without_text = static_cast<std::size_t>(
            std::ranges::count_if(ids, [&seen](std::string_view id) { return !seen.contains(id); }));
        without_text > 0) {
      remark(fmt::format("{} among the queries: left out.",
                         count_of(without_text, "judged query is not", "judged queries are not")));
    }
    const std::size_t all = queries_.size();
    const bool draws = options_.queries_max > 0 && options_.queries_max < all;
    if (draws || options_.budget_s) shuffle(queries_, options_.seed);
    if (draws) {
      queries_.resize(options_.queries_max);
      remark(fmt::format("{} of {} judged queries were drawn with seed {}.", queries_.size(), all, options_.seed));
    }
    return {};
  }

  /// What the runs hold, before any time is spent.
  Status check_runs() {
    for (const SweepStage& stage : input_.first_stages) {
      if (stage.run == nullptr) continue;
      std::size_t results = 0;
      std::size_t unknown = 0;
      std::size_t unanswered = 0;
      for (const SweepQuery* query : queries_) {
        const std::vector<RunResult> ranking = stage.run->ranking_of(query->id);
        if (ranking.empty()) ++unanswered;
        results += ranking.size();
        for (const RunResult& found : ranking) {
          if (!documents_.find(found.document_id)) ++unknown;
          if (input_.cross_encoder != nullptr && !std::isfinite(found.score)) {
            return fail(ErrorCode::kInvalidArgument,
                        "{}: document '{}' has the score {} for query '{}', want a finite one", stage.name,
                        found.document_id, found.score, query->id);
          }
        }
      }
      if (unknown == results) {
        return fail(ErrorCode::kConflict, "{}: none of its {} for these queries is among the documents", stage.name,
                    count_of(results, "result", "results"));
      }
      if (unknown > 0) {
        remark(fmt::format("{}: {} of {} results are not among the documents and were left out.", stage.name, unknown,
                           results));
      }
      if (unanswered > 0) {
        remark(fmt::format("{}: the run has no result for {}, which counts as 0.", stage.name,
                           count_of(unanswered, "query", "queries")));
      }
      remark(fmt::format("{}: its results come from a run, so the time of finding them is not known and counts as 0.",
                         stage.name));
    }
    return {};
  }

  Status encode_documents(EncoderCache& cache, const CallOptions& call) {
    // First those that are judged, query by query: where time is short, some queries have all of theirs.
    std::vector<std::uint32_t> order;
    std::vector<bool> is_judged(documents_.size());
    std::size_t needed = 1;
    for (std::size_t query = 0; query < queries_.size(); ++query) {
      for (const std::uint32_t place : judged_places(*queries_[query])) {
        if (!is_judged[place]) order.push_back(place);
        is_judged[place] = true;
      }
      if (query < kSweepQueriesMin) needed = std::max(needed, order.size());
    }
    std::vector<std::uint32_t> others;
    for (std::uint32_t place = 0; place < documents_.size(); ++place) {
      if (!is_judged[place]) others.push_back(place);
    }
    if (options_.budget_s) shuffle(others, options_.seed);  // Else all are reached, whatever the order.
    order.insert(order.end(), others.begin(), others.end());
    RETURN_IF_ERROR(documents_.encode(input_.first_stages, order, needed, budget_.deadline(0.5), cache, call));
    if (documents_.kept().size() < documents_.size()) leave_out_queries();
    return {};
  }

  /// Where a query's judged documents lie, as far as they are among the documents.
  std::vector<std::uint32_t> judged_places(const SweepQuery& query) const {
    std::vector<std::uint32_t> places;
    for (const Judgement& judgement : input_.qrels->judgements_of(query.id)) {
      if (const std::optional<std::uint32_t> place = documents_.find(judgement.document_id)) places.push_back(*place);
    }
    return places;
  }

  /// Queries with a judged document that was not reached would be measured without it.
  void leave_out_queries() {
    std::unordered_set<std::uint32_t> judged;
    std::size_t complete = 0;
    for (; complete < queries_.size(); ++complete) {
      const std::vector<std::uint32_t> places = judged_places(*queries_[complete]);
      if (!std::ranges::all_of(places, [this](std::uint32_t place) { return documents_.is_kept(place); })) break;
      judged.insert(places.begin(), places.end());
    }
    const std::size_t kept = documents_.kept().size();
    remark(
        fmt::format("Encoding all {} documents takes more than half of the budget of {:g} s: the {} judged for {} "
                    "and {} others, drawn with seed {}, were searched. Among fewer documents every setting looks "
                    "better than it is.",
                    documents_.size(), *options_.budget_s, judged.size(), count_of(complete, "query", "queries"),
                    kept - judged.size(), options_.seed));
    const std::size_t left_out = queries_.size() - complete;
    if (left_out == 0) return;
    remark(fmt::format("{} left out: documents judged for {} were not reached.",
                       count_of(left_out, "query was", "queries were"), left_out == 1 ? "it" : "them"));
    queries_.resize(complete);
  }

  void remark_on_missing_answers() {
    std::size_t missing = 0;
    for (const SweepQuery* query : queries_) {
      for (const Judgement& judgement : input_.qrels->judgements_of(query->id)) {
        if (judgement.relevance >= options_.relevance_level && !documents_.find(judgement.document_id)) ++missing;
      }
    }
    if (missing > 0) {
      remark(fmt::format("{} not among the documents: no setting can find them.",
                         count_of(missing, "relevant answer is", "relevant answers are")));
    }
  }

  const SweepInput& input_;
  const SweepOptions& options_;
  const SweepBudget& budget_;
  SweepDocuments documents_;
  std::vector<const SweepQuery*> queries_;
  std::vector<std::string> remarks_;
};

}  // namespace

Result<PreparedSweep> prepare_sweep(const SweepInput& input, const SweepOptions& options, const SweepBudget& budget,
                                    EncoderCache& cache, const CallOptions& call) {
  return Preparation(input, options, budget).run(cache, call);
}

std::size_t sweep_depth(const SweepOptions& options) {
  return std::max(options.results, std::ranges::max(options.depths));
}

}  // namespace tandem
