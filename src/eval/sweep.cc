#include "tandem/sweep.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <numeric>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/quantile.h"
#include "base/string_map.h"
#include "base/strip.h"
#include "eval/run_stage.h"
#include "eval/shuffle.h"
#include "eval/sweep_clock.h"
#include "eval/sweep_documents.h"
#include "eval/wording.h"
#include "index/top_k.h"
#include "pipeline/first_stage.h"
#include "pipeline/reranker.h"
#include "pipeline/timed.h"

namespace tandem {
namespace {

// Fewer queries than these compare nothing, so a budget does not end before.
constexpr std::size_t kQueriesMin = 5;
// With fewer, the bootstrap's interval is too narrow.
constexpr std::size_t kIntervalQueriesMin = 20;
// Pairs that are looked up in the cache at once, and those that are whatever the budget says: a quarter of a second, so
// that what the cache has fits into any budget unless there is very much of it.
constexpr std::size_t kPairsLookedUpAtOnce = 1024;
constexpr std::size_t kPairsLookedUpMin = 65'536;
// Thirty years, which the clock's nanoseconds can count.
constexpr double kBudgetSecondsMax = 1e9;

Latency latency_of(const std::vector<StageTimes>& times, double StageTimes::*stage) {
  std::vector<double> values;
  for (const StageTimes& each : times) values.push_back(each.*stage);
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return {.mean = sum / static_cast<double>(values.size()),
          .p50 = quantile(values, 0.5),
          .p95 = quantile(values, 0.95),
          .p99 = quantile(values, 0.99)};
}

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

/// In their order, each once.
template <class Value>
std::vector<Value> without_repetitions(const std::vector<Value>& values) {
  std::vector<Value> result;
  for (const Value& value : values) {
    if (std::ranges::find(result, value) == result.end()) result.push_back(value);
  }
  return result;
}

/// A setting, and what it answered.
struct MeasuredSetting {
  PipelineSetting setting;
  Run run = {};
  std::vector<StageTimes> times = {};     // [queries]
  std::vector<bool> relevant_found = {};  // [queries] Whether there is a relevant document among the candidates.
};

/// The candidates of a first stage, put into the best order.
struct MeasuredPool {
  std::string first_stage;
  std::size_t depth = 0;
  Run run = {};
};

/// The pairs of one query with documents, each scored when it is first asked for.
class QueryPairs {
 public:
  QueryPairs(const SweepQuery& query, const SweepDocuments& documents, const CrossEncoder& encoder, EncoderCache& cache)
      : query_(query), documents_(documents), encoder_(encoder), cache_(cache), score_(score_with(encoder, cache)) {}

  /// Scores those of the documents that have no score yet, in one call.
  Status score(std::span<const std::uint32_t> places, const CallOptions& call) {
    std::vector<std::uint32_t> missing;
    std::vector<TextPair> pairs;
    for (const std::uint32_t place : places) {
      if (scores_.contains(place)) continue;
      missing.push_back(place);
      pairs.push_back({.query = query_.text, .document = documents_.text(place)});
    }
    if (missing.empty()) return {};
    ASSIGN_OR_RETURN(const CachedScores scored, score_(pairs, call));
    for (std::size_t i = 0; i < missing.size(); ++i) {
      scores_.emplace(missing[i], Pair{.score = scored.scores[i], .cost_ms = scored.cost_ms[i]});
      cost_ms_ += scored.cost_ms[i];
    }
    truncation_ += scored.truncation;
    return {};
  }

  /// How many of the documents have neither been scored here nor are in the cache.
  Result<std::size_t> count_missing(std::span<const std::uint32_t> places) const {
    std::vector<TextPair> pairs;
    for (const std::uint32_t place : places) {
      if (!scores_.contains(place)) pairs.push_back({.query = query_.text, .document = documents_.text(place)});
    }
    return cache_.count_missing(encoder_, pairs);
  }

  float score_of(std::uint32_t place) const { return scores_.at(place).score; }
  double cost_ms_of(std::uint32_t place) const { return scores_.at(place).cost_ms; }
  std::size_t count() const { return scores_.size(); }
  double cost_ms() const { return cost_ms_; }  ///< Of all of them.
  const Truncation& truncation() const { return truncation_; }

 private:
  struct Pair {
    float score = 0;
    double cost_ms = 0;
  };
  const SweepQuery& query_;
  const SweepDocuments& documents_;
  const CrossEncoder& encoder_;
  EncoderCache& cache_;
  ScorePairs score_;
  std::unordered_map<std::uint32_t, Pair> scores_;
  double cost_ms_ = 0;
  Truncation truncation_;
};

/// Pairs that are to be scored, by what others cost.
struct PairsToScore {
  std::size_t pairs = 0;
  double pair_ms = 0;
  bool estimated = false;  ///< Whether the number is taken from a part of them.

  std::chrono::duration<double> duration() const {
    return std::chrono::duration<double, std::milli>(static_cast<double>(pairs) * pair_ms);
  }
};

std::string describe(const PairsToScore& work) {
  const double seconds = work.duration().count();
  return fmt::format("{}{} more pairs at {:.2f} ms each take about {:.{}f} s, which the budget has no room for",
                     work.estimated ? "about " : "", work.pairs, work.pair_ms, seconds, seconds < 10 ? 1 : 0);
}

/// One call of sweep().
class Sweep {
 public:
  Sweep(const SweepInput& input, const SweepOptions& options, EncoderCache& cache, const CallOptions& call)
      : input_(input),
        options_(options),
        cache_(cache),
        call_(call),
        depths_(without_repetitions(options.depths)),
        alphas_(without_repetitions(options.alphas)),
        depth_max_(options.depths.empty() ? 0 : std::max(options.results, std::ranges::max(options.depths))),
        reranked_depths_(options.depths.begin(), options.depths.end()) {}

  Result<SweepResult> run() {
    RETURN_IF_ERROR(check_first_stages(input_.first_stages));
    RETURN_IF_ERROR(check_options(options_, input_.cross_encoder));
    if (input_.qrels == nullptr) return fail(ErrorCode::kInvalidArgument, "there are no judgements to measure with");
    RETURN_IF_ERROR(check_metrics());
    ASSIGN_OR_RETURN(documents_, SweepDocuments::read(input_));
    RETURN_IF_ERROR(choose_queries());
    RETURN_IF_ERROR(check_runs());
    RETURN_IF_ERROR(encode_documents());
    add_stages();
    add_settings();
    RETURN_IF_ERROR(answer_queries());
    RETURN_IF_ERROR(score_everything());
    return finish();
  }

 private:
  /// The call, for steps whose progress nobody follows.
  CallOptions quiet_call() const { return {.stop = call_.stop, .deadline = call_.deadline}; }

  void remark(std::string sentence) { result_.remarks.push_back(std::move(sentence)); }

  std::optional<SweepClock::time_point> deadline(double share = 1) const {
    if (!options_.budget_s) return std::nullopt;
    return start_ +
           std::chrono::duration_cast<SweepClock::duration>(std::chrono::duration<double>(*options_.budget_s * share));
  }

  // ------------------------------------------------------------------------------------------------------ preparing

  /// What would fail at the end fails now.
  Status check_metrics() {
    RETURN_IF_ERROR(evaluate(Run(), *input_.qrels, options_.metrics, {.relevance_level = options_.relevance_level}));
    RETURN_IF_ERROR(bootstrap_mean(std::vector<double>{0}, options_.bootstrap));
    for (const RankingMetric& metric : options_.metrics) {
      if (metric.cutoff <= depth_max_) continue;
      remark(
          fmt::format("{} looks at more than the {} results that there are.", ranking_metric_name(metric), depth_max_));
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

  Status encode_documents() {
    // First those that are judged, query by query: where time is short, some queries have all of theirs.
    std::vector<std::uint32_t> order;
    std::vector<bool> is_judged(documents_.size());
    std::size_t needed = 1;
    for (std::size_t query = 0; query < queries_.size(); ++query) {
      for (const std::uint32_t place : judged_places(*queries_[query])) {
        if (!is_judged[place]) order.push_back(place);
        is_judged[place] = true;
      }
      if (query < kQueriesMin) needed = std::max(needed, order.size());
    }
    std::vector<std::uint32_t> others;
    for (std::uint32_t place = 0; place < documents_.size(); ++place) {
      if (!is_judged[place]) others.push_back(place);
    }
    if (options_.budget_s) shuffle(others, options_.seed);  // Else all are reached, whatever the order.
    order.insert(order.end(), others.begin(), others.end());
    RETURN_IF_ERROR(documents_.encode(input_.first_stages, order, needed, deadline(0.5), cache_, call_));
    result_.truncation += documents_.truncation();
    if (documents_.kept().size() < documents_.size()) leave_out_queries();
    remark_on_missing_answers();
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

  void add_stages() {
    for (std::size_t number = 0; number < input_.first_stages.size(); ++number) {
      const SweepStage& stage = input_.first_stages[number];
      if (stage.run != nullptr) {
        const auto find = [this](std::string_view id) -> std::optional<RowId> {
          const std::optional<std::uint32_t> place = documents_.find(id);
          if (!place || !documents_.is_kept(*place)) return std::nullopt;
          return SweepDocuments::row_of(*place);
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

  void add_settings() {
    for (const SweepStage& stage : input_.first_stages) {
      add_setting({.mode = SearchMode::kBi, .first_stage = stage.name});
      for (const std::size_t depth : depths_) {
        pools_.push_back({.first_stage = stage.name, .depth = depth});
        for (const float alpha : alphas_) {
          if (input_.cross_encoder == nullptr) continue;
          add_setting({.mode = SearchMode::kHybrid, .first_stage = stage.name, .candidates = depth, .alpha = alpha});
        }
      }
    }
  }

  void add_setting(PipelineSetting setting) { settings_.emplace_back().setting = std::move(setting); }

  // ------------------------------------------------------------------------------------------------------ answering

  Status answer_queries() {
    const auto begin = SweepClock::now();
    for (const SweepQuery* query : queries_) {
      const std::size_t done = result_.query_ids.size();
      if (deadline() && done >= kQueriesMin && SweepClock::now() >= *deadline()) {
        remark(
            fmt::format("The budget of {:g} s ended after {} of {} queries: every setting is compared on those, "
                        "drawn with seed {}.",
                        *options_.budget_s, done, queries_.size(), options_.seed));
        queries_.resize(done);
        break;
      }
      RETURN_IF_ERROR(answer(*query));
      if (call_.progress) {
        const std::size_t total = expected_until(deadline(), begin, done + 1, kQueriesMin, queries_.size());
        call_.progress({.what = "answering", .unit = "queries", .done = done + 1, .total = total});
      }
    }
    return {};
  }

  Status answer(const SweepQuery& query) {
    const StringMap<std::int32_t> relevance = relevance_of(query);
    for (const auto& [document_id, value] : relevance) RETURN_IF_ERROR(answered_.add(query.id, document_id, value));
    has_relevant_.push_back(std::ranges::any_of(
        relevance, [this](const auto& judged) { return judged.second >= options_.relevance_level; }));
    std::optional<QueryPairs> pairs;
    if (input_.cross_encoder != nullptr) pairs.emplace(query, documents_, *input_.cross_encoder, cache_);
    for (std::size_t stage = 0; stage < input_.first_stages.size(); ++stage) {
      const std::string& name = input_.first_stages[stage].name;
      ASSIGN_OR_RETURN(const Candidates candidates, retrieve(stage, query));
      for (MeasuredPool& pool : pools_) {
        if (pool.first_stage == name) RETURN_IF_ERROR(add_pool(query, candidates, relevance, pool));
      }
      if (pairs) RETURN_IF_ERROR(score_candidates(candidates, *pairs));
      for (MeasuredSetting& measured : settings_) {
        if (measured.setting.first_stage != name) continue;
        RETURN_IF_ERROR(measured.setting.mode == SearchMode::kBi
                            ? add_first_stage(query, candidates, relevance, measured)
                            : add_hybrid(query, candidates, *pairs, relevance, measured));
      }
    }
    if (pairs) add_costs(pairs->count(), pairs->cost_ms(), pairs->truncation());
    result_.query_ids.push_back(query.id);
    return {};
  }

  /// The query's judgements. Views, as long as the qrels live.
  StringMap<std::int32_t> relevance_of(const SweepQuery& query) const {
    StringMap<std::int32_t> relevance;
    for (const Judgement& judgement : input_.qrels->judgements_of(query.id)) {
      relevance.emplace(judgement.document_id, judgement.relevance);
    }
    return relevance;
  }

  Result<Candidates> retrieve(std::size_t stage, const SweepQuery& query) {
    const StageQuery asked{.id = query.id, .text = query.text};
    ASSIGN_OR_RETURN(std::vector<Candidates> candidates,
                     stages_[stage]->retrieve({&asked, 1}, depth_max_, quiet_call()));
    result_.truncation += candidates.front().truncation;
    return std::move(candidates.front());
  }

  /// The best candidates first, then those up to the next depth, so that the shallow depths know what they cost. With
  /// the first query, depths but the smallest are left out where the budget has no room for them.
  Status score_candidates(const Candidates& candidates, QueryPairs& pairs) {
    std::vector<std::uint32_t> places;
    for (const VectorHit& hit : candidates.hits) places.push_back(hit.row.row);
    for (const std::size_t depth : reranked_depths_) {
      const std::span<const std::uint32_t> pool = std::span(places).first(std::min(depth, places.size()));
      if (result_.query_ids.empty() && depth != *reranked_depths_.begin()) {
        ASSIGN_OR_RETURN(const std::size_t missing, pairs.count_missing(pool));
        const std::size_t queries = std::min(kQueriesMin, queries_.size());
        const std::size_t computed = cache_.counts().pairs_computed - counts_before_.pairs_computed;
        const PairsToScore work{.pairs = queries * (computed + missing) - computed,
                                .pair_ms = pairs.cost_ms() / static_cast<double>(pairs.count())};
        if (missing > 0 && !has_time_for(work)) {
          leave_out_from(depth, queries, work);
          break;
        }
      }
      RETURN_IF_ERROR(pairs.score(pool, quiet_call()));
    }
    return {};
  }

  /// Measures no reranking of `depth` candidates or more, as the work for so many queries is too much.
  void leave_out_from(std::size_t depth, std::size_t queries, const PairsToScore& work) {
    const auto first = reranked_depths_.find(depth);
    remark(fmt::format("Reranking the top {} was left out: for {}, {}.", fmt::join(first, reranked_depths_.end(), ", "),
                       count_of(queries, "query", "queries"), describe(work)));
    reranked_depths_.erase(first, reranked_depths_.end());
    std::erase_if(settings_, [depth](const MeasuredSetting& measured) {
      return measured.setting.mode == SearchMode::kHybrid && measured.setting.candidates >= depth;
    });
  }

  bool has_time_for(const PairsToScore& work) const {
    return work.pairs == 0 || !deadline() || SweepClock::now() + work.duration() <= *deadline();
  }

  bool has_time() const { return !deadline() || SweepClock::now() < *deadline(); }

  // ------------------------------------------------------------------------------------------------------ measuring

  Status add_first_stage(const SweepQuery& query, const Candidates& candidates,
                         const StringMap<std::int32_t>& relevance, MeasuredSetting& measured) {
    for (const VectorHit& hit : candidates.hits) {
      RETURN_IF_ERROR(measured.run.add(query.id, documents_.id(hit.row.row), hit.score));
    }
    add_outcome(times_of(candidates), candidates.hits, relevance, measured);
    return {};
  }

  static StageTimes times_of(const Candidates& candidates) {
    return {.encode_ms = candidates.encode_ms, .retrieve_ms = candidates.retrieve_ms};
  }

  Status add_pool(const SweepQuery& query, const Candidates& candidates, const StringMap<std::int32_t>& relevance,
                  MeasuredPool& pool) {
    for (std::size_t i = 0; i < std::min(pool.depth, candidates.hits.size()); ++i) {
      const std::string_view id = documents_.id(candidates.hits[i].row.row);
      const auto judged = relevance.find(id);
      RETURN_IF_ERROR(pool.run.add(query.id, id, judged == relevance.end() ? 0 : std::max(judged->second, 0)));
    }
    return {};
  }

  Status add_hybrid(const SweepQuery& query, const Candidates& candidates, const QueryPairs& pairs,
                    const StringMap<std::int32_t>& relevance, MeasuredSetting& measured) {
    const Reranker reranker{.depth = measured.setting.candidates, .alpha = measured.setting.alpha};
    const std::span<const VectorHit> pool = reranker.pool(candidates.hits);
    StageTimes times = times_of(candidates);
    std::vector<float> scores;
    for (const VectorHit& hit : pool) {
      scores.push_back(pairs.score_of(hit.row.row));
      times.rerank_ms += pairs.cost_ms_of(hit.row.row);
    }
    for (const RankedCandidate& ranked : reranker.rank(pool, scores, pool.size())) {
      RETURN_IF_ERROR(measured.run.add(query.id, documents_.id(pool[ranked.position].row.row), ranked.final_score));
    }
    add_outcome(times, pool, relevance, measured);
    return {};
  }

  void add_outcome(StageTimes times, std::span<const VectorHit> candidates, const StringMap<std::int32_t>& relevance,
                   MeasuredSetting& measured) {
    times.total_ms = times.encode_ms + times.retrieve_ms + times.rerank_ms;
    measured.times.push_back(times);
    measured.relevant_found.push_back(std::ranges::any_of(candidates, [&](const VectorHit& hit) {
      const auto judged = relevance.find(documents_.id(hit.row.row));
      return judged != relevance.end() && judged->second >= options_.relevance_level;
    }));
  }

  double mean_pair_ms() const { return pairs_ == 0 ? 0 : pairs_cost_ms_ / static_cast<double>(pairs_); }

  void add_costs(std::size_t pairs, double cost_ms, const Truncation& truncation) {
    pairs_ += pairs;
    pairs_cost_ms_ += cost_ms;
    result_.truncation += truncation;
  }

  // ------------------------------------------------------------------------------------------------ everything scored

  Status score_everything() {
    if (input_.cross_encoder == nullptr || !options_.cross_only) return {};
    const std::size_t all = queries_.size() * documents_.kept().size();
    PairsToScore work{.pairs = all - pairs_, .pair_ms = mean_pair_ms()};
    if (!has_time_for(work)) {
      ASSIGN_OR_RETURN(const LookedUp known, look_up_pairs(work.pair_ms));
      work.pairs = known.missing;
      if (known.pairs < all) {
        // Those that were not looked up are taken to be missing as often.
        const double share = static_cast<double>(known.missing) / static_cast<double>(known.pairs);
        work.pairs = static_cast<std::size_t>(std::round(share * static_cast<double>(all)));
        work.estimated = true;
        leave_out_cross(
            known.missing > 0
                ? describe(work)
                : fmt::format("looking up which of its {} pairs are known takes longer than the budget has room for",
                              all));
        return {};
      }
      if (!has_time_for(work)) {
        leave_out_cross(describe(work));
        return {};
      }
    }
    add_setting({.mode = SearchMode::kCross});
    pairs_ = 0;  // Counted again below, with those that are in the cache already.
    pairs_cost_ms_ = 0;
    for (std::size_t query = 0; query < queries_.size(); ++query) {
      const std::size_t done = query * documents_.kept().size();
      CallOptions call = quiet_call();
      if (call_.progress) {
        call.progress = [&](const Progress& progress) {
          call_.progress({.what = "scoring everything", .unit = "pairs", .done = done + progress.done, .total = all});
        };
      }
      RETURN_IF_ERROR(add_cross(*queries_[query], call));
    }
    return {};
  }

  void leave_out_cross(std::string_view reason) {
    remark(fmt::format("The cross-encoder over all {} documents was left out: {}.", documents_.kept().size(), reason));
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
        const bool goes_on = result.missing > 0 ? has_time_for({.pairs = result.missing, .pair_ms = pair_ms})
                                                : has_time() || result.pairs < kPairsLookedUpMin;
        if (!goes_on) return result;
        const std::span<const std::uint32_t> places = left.first(std::min(kPairsLookedUpAtOnce, left.size()));
        ASSIGN_OR_RETURN(const std::size_t missing, pairs.count_missing(places));
        result.missing += missing;
        result.pairs += places.size();
        left = left.subspan(places.size());
      }
    }
    return result;
  }

  Status add_cross(const SweepQuery& query, const CallOptions& call) {
    QueryPairs pairs(query, documents_, *input_.cross_encoder, cache_);
    RETURN_IF_ERROR(pairs.score(documents_.kept(), call));
    std::vector<VectorHit> hits;
    TopK best(std::min(depth_max_, documents_.kept().size()));
    for (const std::uint32_t place : documents_.kept()) {
      hits.push_back({.row = SweepDocuments::row_of(place), .score = pairs.score_of(place)});
      best.add(hits.back());
    }
    MeasuredSetting& measured = settings_.back();
    add_outcome({.rerank_ms = pairs.cost_ms()}, hits, relevance_of(query), measured);
    add_costs(pairs.count(), pairs.cost_ms(), pairs.truncation());
    for (const VectorHit& hit : best.take()) {
      RETURN_IF_ERROR(measured.run.add(query.id, documents_.id(hit.row.row), hit.score));
    }
    return {};
  }

  // ------------------------------------------------------------------------------------------------------ summing up

  Result<SweepResult> finish() {
    result_.metrics = options_.metrics;
    for (MeasuredSetting& measured : settings_) {
      ASSIGN_OR_RETURN(SettingResult setting, summarize(measured));
      result_.settings.push_back(std::move(setting));
    }
    for (const MeasuredPool& pool : pools_) {
      ASSIGN_OR_RETURN(const Evaluation evaluation, evaluate_with(pool.run, {RankingMeasure::kRecall, 0}));
      result_.ceilings.push_back({.first_stage = pool.first_stage,
                                  .depth = pool.depth,
                                  .means = {evaluation.means.begin(), evaluation.means.end() - 1},
                                  .recall = evaluation.means.back()});
    }
    const auto without_relevant = static_cast<std::size_t>(std::ranges::count(has_relevant_, false));
    if (without_relevant > 0) {
      remark(fmt::format("{} no relevant document and counts as 0 everywhere.",
                         count_of(without_relevant, "query has", "queries have")));
    }
    if (queries_.size() < kIntervalQueriesMin) {
      remark(fmt::format("The intervals are too narrow: they come from {}.",
                         count_of(queries_.size(), "query", "queries")));
    }
    result_.documents = documents_.kept().size();
    result_.documents_encode_ms = documents_.encode_ms();
    result_.pair_ms = mean_pair_ms();
    const CacheCounts counts = cache_.counts();
    result_.counts = {.texts_computed = counts.texts_computed - counts_before_.texts_computed,
                      .texts_reused = counts.texts_reused - counts_before_.texts_reused,
                      .pairs_computed = counts.pairs_computed - counts_before_.pairs_computed,
                      .pairs_reused = counts.pairs_reused - counts_before_.pairs_reused};
    return std::move(result_);
  }

  /// The metrics that were asked for, and one more.
  Result<Evaluation> evaluate_with(const Run& run, const RankingMetric& last) const {
    std::vector<RankingMetric> metrics = options_.metrics;
    metrics.push_back(last);
    return evaluate(run, answered_, metrics, {.relevance_level = options_.relevance_level});
  }

  Result<SettingResult> summarize(MeasuredSetting& measured) const {
    ASSIGN_OR_RETURN(Evaluation evaluation, evaluate_with(measured.run, {RankingMeasure::kSuccess, options_.results}));
    SettingResult result;
    const std::vector<double> success = std::move(evaluation.values.back());
    evaluation.values.pop_back();
    evaluation.means.pop_back();
    for (std::size_t query = 0; query < success.size(); ++query) {
      if (!has_relevant_[query]) continue;
      if (success[query] > 0) {
        ++result.answers.found;
      } else if (measured.relevant_found[query]) {
        ++result.answers.in_ranking;
      } else {
        ++result.answers.in_retrieval;
      }
    }
    for (const std::vector<double>& values : evaluation.values) {
      ASSIGN_OR_RETURN(const Interval interval, bootstrap_mean(values, options_.bootstrap));
      result.intervals.push_back(interval);
    }
    result.setting = measured.setting;
    result.retrieval_timed = std::ranges::none_of(input_.first_stages, [&](const SweepStage& stage) {
      return stage.run != nullptr && stage.name == measured.setting.first_stage;
    });
    result.values = std::move(evaluation.values);
    result.means = std::move(evaluation.means);
    result.times = std::move(measured.times);
    result.encode = latency_of(result.times, &StageTimes::encode_ms);
    result.retrieve = latency_of(result.times, &StageTimes::retrieve_ms);
    result.rerank = latency_of(result.times, &StageTimes::rerank_ms);
    result.total = latency_of(result.times, &StageTimes::total_ms);
    return result;
  }

  const SweepInput& input_;
  const SweepOptions& options_;
  EncoderCache& cache_;
  const CallOptions& call_;
  const std::vector<std::size_t> depths_;
  const std::vector<float> alphas_;
  const std::size_t depth_max_;            // How many candidates are looked for.
  std::set<std::size_t> reranked_depths_;  // Those that the budget has room for.
  const SweepClock::time_point start_ = SweepClock::now();
  const CacheCounts counts_before_ = cache_.counts();

  SweepDocuments documents_;
  std::vector<std::unique_ptr<FirstStage>> stages_;  // [input_.first_stages]
  std::vector<const SweepQuery*> queries_;
  // What was answered: the judgements of these queries, and whether they hold a relevant document.
  Qrels answered_;
  std::vector<bool> has_relevant_;
  std::vector<MeasuredSetting> settings_;  // By first stage: alone, then by depth and alpha. Then the cross-encoder.
  std::vector<MeasuredPool> pools_;        // By first stage and depth.
  std::size_t pairs_ = 0;
  double pairs_cost_ms_ = 0;
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
  return Sweep(input, options, cache, call).run();
}

}  // namespace tandem
