#include "tandem/sweep.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include "base/call.h"
#include "base/error.h"
#include "eval/query_pairs.h"
#include "eval/run_stage.h"
#include "eval/sweep_budget.h"
#include "eval/sweep_outcomes.h"
#include "eval/sweep_preparation.h"
#include "eval/wording.h"
#include "pipeline/first_stage.h"

namespace tandem {
namespace {

// With fewer, the bootstrap's interval is too narrow.
constexpr std::size_t kIntervalQueriesMin = 20;
// Pairs that are looked up in the cache at once, and those that are whatever the budget says: a quarter of a second, so
// that what the cache has fits into any budget unless there is very much of it.
constexpr std::size_t kPairsLookedUpAtOnce = 1024;
constexpr std::size_t kPairsLookedUpMin = 65'536;

/// What pairs of the cross-encoder cost.
struct PairCosts {
  std::size_t pairs = 0;
  double cost_ms = 0;

  double mean_ms() const { return pairs == 0 ? 0 : cost_ms / static_cast<double>(pairs); }
};

/// One call of sweep(), after everything that it measures with is there.
class Sweep {
 public:
  Sweep(const SweepInput& input, const SweepOptions& options, const SweepBudget& budget, PreparedSweep prepared,
        EncoderCache& cache, const CacheCounts& counts_before, const CallOptions& call)
      : input_(input),
        options_(options),
        budget_(budget),
        cache_(cache),
        counts_before_(counts_before),
        call_(call),
        quiet_call_(without_progress(call)),
        documents_(std::move(prepared.documents)),
        queries_(std::move(prepared.queries)),
        outcomes_(input, options, documents_),
        reranked_depths_(options.depths.begin(), options.depths.end()) {
    result_.remarks = std::move(prepared.remarks);
    result_.truncation = documents_.truncation();
  }

  Result<SweepResult> run() {
    add_stages();
    RETURN_IF_ERROR(answer_queries());
    RETURN_IF_ERROR(score_everything());
    return finish();
  }

 private:
  void remark(std::string sentence) { result_.remarks.push_back(std::move(sentence)); }

  void add_stages() {
    for (std::size_t number = 0; number < input_.first_stages.size(); ++number) {
      const SweepStage& stage = input_.first_stages[number];
      if (stage.run != nullptr) {
        const auto find = [this](std::string_view id) -> std::optional<RowId> {
          const std::optional<RowId> row = documents_.row_of_id(id);
          return row && documents_.is_kept(row->row) ? row : std::nullopt;
        };
        stages_.push_back(std::make_unique<RunStage>(*stage.run, find));
        continue;
      }
      const auto search = [this, number](MatrixView queries, std::size_t top_k,
                                         const CallOptions& call) -> Result<std::vector<std::vector<VectorHit>>> {
        auto hits = documents_.search(number, queries, top_k, call);
        if (!hits) return fail_in(input_.first_stages[number].name, hits.error());
        return hits;
      };
      stages_.push_back(
          std::make_unique<DenseStage>(encode_with(*stage.bi_encoder, cache_), stage.bi_encoder->dimensions(), search));
    }
  }

  // ------------------------------------------------------------------------------------------------- query by query

  Status answer_queries() {
    const auto begin = SweepClock::now();
    for (const SweepQuery* query : queries_) {
      const std::size_t done = outcomes_.query_ids().size();
      if (done >= kSweepQueriesMin && !budget_.has_time()) {
        remark(
            fmt::format("The budget of {:g} s ended after {} of {} queries: every setting is compared on those, "
                        "drawn with seed {}.",
                        *options_.budget_s, done, queries_.size(), options_.seed));
        queries_.resize(done);
        break;
      }
      RETURN_IF_ERROR(answer(*query));
      if (call_.progress) {
        const std::size_t total =
            expected_until(budget_.deadline(), begin, done + 1, kSweepQueriesMin, queries_.size());
        call_.progress({.what = "answering", .unit = "queries", .done = done + 1, .total = total});
      }
    }
    return {};
  }

  Status answer(const SweepQuery& query) {
    RETURN_IF_ERROR(outcomes_.begin_query(query));
    std::optional<QueryPairs> pairs;
    if (input_.cross_encoder != nullptr) pairs.emplace(query, documents_, *input_.cross_encoder, cache_);
    for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
      const std::string& name = input_.first_stages[stage].name;
      ASSIGN_OR_RETURN(const Candidates candidates, retrieve(*stages_[stage], query));
      RETURN_IF_ERROR(outcomes_.add_candidates(name, query, candidates));
      if (!pairs) continue;
      RETURN_IF_ERROR(score_candidates(candidates, *pairs));
      RETURN_IF_ERROR(outcomes_.add_reranked(name, query, candidates, *pairs));
    }
    if (pairs) add_costs(*pairs);
    return {};
  }

  Result<Candidates> retrieve(const FirstStage& stage, const SweepQuery& query) {
    const StageQuery asked{.id = query.id, .text = query.text};
    const std::size_t depth = sweep_depth(options_);
    ASSIGN_OR_RETURN(std::vector<Candidates> candidates,
                     stage.retrieve({&asked, 1}, depth + (options_.drop_self ? 1 : 0), quiet_call_));
    if (options_.drop_self) leave_out(documents_.row_of_id(query.id), depth, candidates.front().hits);
    result_.truncation += candidates.front().truncation;
    return std::move(candidates.front());
  }

  /// The best candidates first, then those up to the next depth, so that the shallow depths know what they cost. With
  /// the first query, depths but the smallest are left out where the budget has no room for them.
  Status score_candidates(const Candidates& candidates, QueryPairs& pairs) {
    const bool is_first_query = outcomes_.query_ids().size() == 1;
    std::vector<std::uint32_t> places;
    for (const VectorHit& hit : candidates.hits) places.push_back(hit.row.row);
    for (const std::size_t depth : reranked_depths_) {
      const std::span<const std::uint32_t> pool = std::span(places).first(std::min(depth, places.size()));
      if (is_first_query && depth != *reranked_depths_.begin()) {
        ASSIGN_OR_RETURN(const std::size_t missing, pairs.count_missing(pool));
        const std::size_t queries = std::min(kSweepQueriesMin, queries_.size());
        const std::size_t computed = cache_.counts().pairs_computed - counts_before_.pairs_computed;
        const PairsToScore work{.pairs = queries * (computed + missing) - computed,
                                .pair_ms = pairs.cost_ms() / static_cast<double>(pairs.count())};
        if (missing > 0 && !budget_.has_time_for(work)) {
          leave_out_from(depth, queries, work);
          break;
        }
      }
      RETURN_IF_ERROR(pairs.score(pool, quiet_call_));
    }
    return {};
  }

  /// Measures no reranking of `depth` candidates or more, as the work for so many queries is too much.
  void leave_out_from(std::size_t depth, std::size_t queries, const PairsToScore& work) {
    const auto first = reranked_depths_.find(depth);
    remark(fmt::format("Reranking the top {} was left out: for {}, {}.", fmt::join(first, reranked_depths_.end(), ", "),
                       count_of(queries, "query", "queries"), work.description()));
    reranked_depths_.erase(first, reranked_depths_.end());
    outcomes_.leave_out_from(depth);
  }

  void add_costs(const QueryPairs& pairs) {
    costs_.pairs += pairs.count();
    costs_.cost_ms += pairs.cost_ms();
    result_.truncation += pairs.truncation();
  }

  // ----------------------------------------------------------------------------------------------- everything scored

  Status score_everything() {
    if (input_.cross_encoder == nullptr || !options_.cross_only) return {};
    const std::size_t all = queries_.size() * documents_.kept().size();
    ASSIGN_OR_RETURN(const std::optional<std::string> reason, why_no_time_for_everything(all));
    if (reason) {
      remark(
          fmt::format("The cross-encoder over all {} documents was left out: {}.", documents_.kept().size(), *reason));
      return {};
    }
    costs_ = {};  // Counted again, with those that are in the cache already.
    for (std::size_t query = 0; query < queries_.size(); ++query) {
      const std::size_t done = query * documents_.kept().size();
      CallOptions call = quiet_call_;
      if (call_.progress) {
        call.progress = [&](const Progress& progress) {
          call_.progress({.what = "scoring everything", .unit = "pairs", .done = done + progress.done, .total = all});
        };
      }
      QueryPairs pairs(*queries_[query], documents_, *input_.cross_encoder, cache_);
      RETURN_IF_ERROR(pairs.score(documents_.kept(), call));
      RETURN_IF_ERROR(outcomes_.add_cross(*queries_[query], pairs));
      add_costs(pairs);
    }
    return {};
  }

  /// What does not fit into the budget of scoring `all` pairs; nothing if all of it does.
  Result<std::optional<std::string>> why_no_time_for_everything(std::size_t all) const {
    PairsToScore work{.pairs = all - costs_.pairs, .pair_ms = costs_.mean_ms()};
    if (budget_.has_time_for(work)) return std::nullopt;
    ASSIGN_OR_RETURN(const LookedUp known, look_up_pairs(work.pair_ms));
    work.pairs = known.missing;
    if (known.pairs < all) {
      if (known.missing == 0) {
        return fmt::format("looking up which of its {} pairs are known takes longer than the budget has room for", all);
      }
      // Those that were not looked up are taken to be missing as often.
      const double share = static_cast<double>(known.missing) / static_cast<double>(known.pairs);
      work.pairs = static_cast<std::size_t>(std::round(share * static_cast<double>(all)));
      work.estimated = true;
    } else if (budget_.has_time_for(work)) {
      return std::nullopt;
    }
    return work.description();
  }

  struct LookedUp {
    std::size_t pairs = 0;
    std::size_t missing = 0;
  };

  /// Which pairs of every query with every document the cache does not have. Ends as soon as the budget has no room for
  /// those that were found missing, or for looking.
  Result<LookedUp> look_up_pairs(double pair_ms) const {
    LookedUp result;
    for (const SweepQuery* query : queries_) {
      const QueryPairs pairs(*query, documents_, *input_.cross_encoder, cache_);
      for (std::span<const std::uint32_t> left = documents_.kept(); !left.empty();) {
        const bool goes_on = result.missing > 0 ? budget_.has_time_for({.pairs = result.missing, .pair_ms = pair_ms})
                                                : budget_.has_time() || result.pairs < kPairsLookedUpMin;
        if (!goes_on) return result;
        RETURN_IF_ERROR(check_call(call_));
        const std::span<const std::uint32_t> places = left.first(std::min(kPairsLookedUpAtOnce, left.size()));
        ASSIGN_OR_RETURN(const std::size_t missing, pairs.count_missing(places));
        result.missing += missing;
        result.pairs += places.size();
        left = left.subspan(places.size());
      }
    }
    return result;
  }

  // ------------------------------------------------------------------------------------------------------ summing up

  Result<SweepResult> finish() {
    result_.metrics = options_.metrics;
    result_.query_ids = outcomes_.query_ids();
    ASSIGN_OR_RETURN(result_.settings, outcomes_.settings(call_));
    ASSIGN_OR_RETURN(result_.ceilings, outcomes_.ceilings(call_));
    if (const std::size_t without_relevant = outcomes_.queries_without_relevant(); without_relevant > 0) {
      remark(fmt::format("{} no relevant document and counts as 0 everywhere.",
                         count_of(without_relevant, "query has", "queries have")));
    }
    if (queries_.size() < kIntervalQueriesMin) {
      remark(fmt::format("The intervals are too narrow: they come from {}.",
                         count_of(queries_.size(), "query", "queries")));
    }
    result_.documents = documents_.kept().size();
    result_.documents_encode_ms = documents_.encode_ms();
    result_.pair_ms = costs_.mean_ms();
    const CacheCounts counts = cache_.counts();
    result_.counts = {.texts_computed = counts.texts_computed - counts_before_.texts_computed,
                      .texts_reused = counts.texts_reused - counts_before_.texts_reused,
                      .pairs_computed = counts.pairs_computed - counts_before_.pairs_computed,
                      .pairs_reused = counts.pairs_reused - counts_before_.pairs_reused};
    return std::move(result_);
  }

  const SweepInput& input_;
  const SweepOptions& options_;
  const SweepBudget& budget_;
  EncoderCache& cache_;
  const CacheCounts& counts_before_;
  const CallOptions& call_;
  const CallOptions quiet_call_;  // For steps whose progress nobody follows.

  const SweepDocuments documents_;
  std::vector<const SweepQuery*> queries_;
  std::vector<std::unique_ptr<FirstStage>> stages_;  // [input_.first_stages]
  SweepOutcomes outcomes_;
  std::set<std::size_t> reranked_depths_;  // Those that the budget has room for.
  PairCosts costs_;
  SweepResult result_;
};

}  // namespace

std::string PipelineSetting::name() const {
  switch (mode) {
    case SearchMode::kBi:
      return first_stage;
    case SearchMode::kCross:
      return "cross over all";
    case SearchMode::kHybrid:
      break;
  }
  return fmt::format("{} + cross, top {}, alpha {:g}", first_stage, candidates, alpha);
}

Result<SweepResult> sweep(const SweepInput& input, const SweepOptions& options, EncoderCache& cache,
                          const CallOptions& call) {
  const SweepBudget budget(options.budget_s);
  const CacheCounts counts_before = cache.counts();
  ASSIGN_OR_RETURN(PreparedSweep prepared, prepare_sweep(input, options, budget, cache, call));
  return Sweep(input, options, budget, std::move(prepared), cache, counts_before, call).run();
}

}  // namespace tandem
