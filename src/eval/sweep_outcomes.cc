#include "eval/sweep_outcomes.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/call.h"
#include "base/error.h"
#include "base/quantile.h"
#include "eval/sweep_preparation.h"
#include "index/top_k.h"
#include "pipeline/reranker.h"

namespace tandem {
namespace {

Latency latency_of(const std::vector<StageTimes>& times, double StageTimes::*stage) {
  std::vector<double> values;
  for (const StageTimes& each : times) values.push_back(each.*stage);
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return {.mean = sum / static_cast<double>(values.size()),
          .p50 = quantile(values, 0.5),
          .p95 = quantile(values, 0.95),
          .p99 = quantile(values, 0.99)};
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

StageTimes times_of(const Candidates& candidates) {
  return {.encode_ms = candidates.encode_ms, .retrieve_ms = candidates.retrieve_ms};
}

}  // namespace

SweepOutcomes::SweepOutcomes(const SweepInput& input, const SweepOptions& options, const SweepDocuments& documents)
    : input_(input), options_(options), documents_(documents) {
  const std::vector<float> alphas = without_repetitions(options.alphas);
  for (const SweepStage& stage : input.first_stages) {
    settings_.emplace_back().setting = {.mode = SearchMode::kBi, .first_stage = stage.name};
    for (const std::size_t depth : without_repetitions(options.depths)) {
      pools_.push_back({.first_stage = stage.name, .depth = depth});
      if (input.cross_encoder == nullptr) continue;
      for (const float alpha : alphas) {
        settings_.emplace_back().setting = {
            .mode = SearchMode::kHybrid, .first_stage = stage.name, .candidates = depth, .alpha = alpha};
      }
    }
  }
}

void SweepOutcomes::leave_out_from(std::size_t depth) {
  std::erase_if(settings_, [depth](const Setting& each) {
    return each.setting.mode == SearchMode::kHybrid && each.setting.candidates >= depth;
  });
}

// ------------------------------------------------------------------------------------------------------------ answers

Status SweepOutcomes::begin_query(const SweepQuery& query) {
  query_ids_.push_back(query.id);
  bool has_relevant = false;
  for (const Judgement& judgement : input_.qrels->judgements_of(query.id)) {
    RETURN_IF_ERROR(answered_.add(query.id, judgement.document_id, judgement.relevance));
    has_relevant |= judgement.relevance >= options_.relevance_level;
  }
  has_relevant_.push_back(has_relevant);
  return {};
}

Status SweepOutcomes::add_candidates(std::string_view first_stage, const SweepQuery& query,
                                     const Candidates& candidates) {
  const Relevance relevance = relevance_of(query);
  for (Pool& pool : pools_) {
    if (pool.first_stage != first_stage) continue;
    for (std::size_t i = 0; i < std::min(pool.depth, candidates.hits.size()); ++i) {
      const std::string_view id = documents_.id(candidates.hits[i].row.row);
      const auto judged = relevance.find(id);
      RETURN_IF_ERROR(pool.run.add(query.id, id, judged == relevance.end() ? 0 : std::max(judged->second, 0)));
    }
  }
  for (Setting& each : settings_) {
    if (each.setting.mode != SearchMode::kBi || each.setting.first_stage != first_stage) continue;
    for (const VectorHit& hit : candidates.hits) {
      RETURN_IF_ERROR(each.run.add(query.id, documents_.id(hit.row.row), hit.score));
    }
    add_outcome(times_of(candidates), candidates.hits, relevance, each);
  }
  return {};
}

Status SweepOutcomes::add_reranked(std::string_view first_stage, const SweepQuery& query, const Candidates& candidates,
                                   const QueryPairs& pairs) {
  const Relevance relevance = relevance_of(query);
  for (Setting& each : settings_) {
    if (each.setting.mode != SearchMode::kHybrid || each.setting.first_stage != first_stage) continue;
    const Reranker reranker{.depth = each.setting.candidates, .alpha = each.setting.alpha};
    const std::span<const VectorHit> pool = reranker.pool(candidates.hits);
    StageTimes times = times_of(candidates);
    std::vector<float> scores;
    std::vector<bool> blank;
    for (const VectorHit& hit : pool) {
      scores.push_back(pairs.score_of(hit.row.row));
      blank.push_back(pairs.is_blank(hit.row.row));
      times.rerank_ms += pairs.cost_ms_of(hit.row.row);
    }
    for (const RankedCandidate& ranked : reranker.rank(pool, scores, blank, pool.size())) {
      RETURN_IF_ERROR(each.run.add(query.id, documents_.id(pool[ranked.position].row.row), ranked.final_score));
    }
    add_outcome(times, pool, relevance, each);
  }
  return {};
}

Status SweepOutcomes::add_cross(const SweepQuery& query, const QueryPairs& pairs) {
  if (settings_.back().setting.mode != SearchMode::kCross) {
    settings_.emplace_back().setting.mode = SearchMode::kCross;
  }
  Setting& cross = settings_.back();
  std::vector<std::uint32_t> places = documents_.kept();
  if (options_.drop_self) {
    if (const std::optional<std::uint32_t> own = documents_.find(query.id)) std::erase(places, *own);
  }
  std::vector<float> scores;
  std::vector<bool> blank;
  for (const std::uint32_t place : places) {
    scores.push_back(pairs.score_of(place));
    blank.push_back(pairs.is_blank(place));
  }
  rank_blank_last(scores, blank);
  std::vector<VectorHit> hits;
  TopK best(std::min(sweep_depth(options_), places.size()));
  for (std::size_t i = 0; i < places.size(); ++i) {
    hits.push_back({.row = SweepDocuments::row_of(places[i]), .score = scores[i]});
    best.add(hits.back());
  }
  add_outcome({.rerank_ms = pairs.cost_ms()}, hits, relevance_of(query), cross);
  for (const VectorHit& hit : best.take()) {
    RETURN_IF_ERROR(cross.run.add(query.id, documents_.id(hit.row.row), hit.score));
  }
  return {};
}

/// The query's judgements. Views, as long as the qrels live.
SweepOutcomes::Relevance SweepOutcomes::relevance_of(const SweepQuery& query) const {
  Relevance relevance;
  for (const Judgement& judgement : input_.qrels->judgements_of(query.id)) {
    relevance.emplace(judgement.document_id, judgement.relevance);
  }
  return relevance;
}

void SweepOutcomes::add_outcome(const StageTimes& times, std::span<const VectorHit> candidates,
                                const Relevance& relevance, Setting& setting) const {
  setting.times.push_back(times);
  setting.times.back().total_ms = times.encode_ms + times.retrieve_ms + times.rerank_ms;
  setting.relevant_found.push_back(std::ranges::any_of(candidates, [&](const VectorHit& hit) {
    const auto judged = relevance.find(documents_.id(hit.row.row));
    return judged != relevance.end() && judged->second >= options_.relevance_level;
  }));
}

// --------------------------------------------------------------------------------------------------------- their worth

std::size_t SweepOutcomes::queries_without_relevant() const {
  return static_cast<std::size_t>(std::ranges::count(has_relevant_, false));
}

Result<std::vector<SettingResult>> SweepOutcomes::settings(const CallOptions& call) const {
  std::vector<SettingResult> results;
  for (const Setting& each : settings_) {
    ASSIGN_OR_RETURN(SettingResult result, summarize(each, call));
    results.push_back(std::move(result));
  }
  return results;
}

Result<std::vector<PoolCeiling>> SweepOutcomes::ceilings(const CallOptions& call) const {
  std::vector<PoolCeiling> ceilings;
  for (const Pool& pool : pools_) {
    RETURN_IF_ERROR(check_call(call));
    ASSIGN_OR_RETURN(const Evaluation evaluation, evaluate_with(pool.run, {RankingMeasure::kRecall, 0}));
    ceilings.push_back({.first_stage = pool.first_stage,
                        .depth = pool.depth,
                        .means = {evaluation.means.begin(), evaluation.means.end() - 1},
                        .recall = evaluation.means.back()});
  }
  return ceilings;
}

/// The metrics that were asked for, and one more.
Result<Evaluation> SweepOutcomes::evaluate_with(const Run& run, const RankingMetric& last) const {
  std::vector<RankingMetric> metrics = options_.metrics;
  metrics.push_back(last);
  return evaluate(run, answered_, metrics, {.relevance_level = options_.relevance_level});
}

Result<SettingResult> SweepOutcomes::summarize(const Setting& setting, const CallOptions& call) const {
  ASSIGN_OR_RETURN(Evaluation evaluation, evaluate_with(setting.run, {RankingMeasure::kSuccess, options_.results}));
  SettingResult result;
  const std::vector<double> success = std::move(evaluation.values.back());
  evaluation.values.pop_back();
  evaluation.means.pop_back();
  for (std::size_t query = 0; query < success.size(); ++query) {
    if (!has_relevant_[query]) continue;
    if (success[query] > 0) {
      ++result.answers.found;
    } else if (setting.relevant_found[query]) {
      ++result.answers.in_ranking;
    } else {
      ++result.answers.in_retrieval;
    }
  }
  for (const std::vector<double>& values : evaluation.values) {
    RETURN_IF_ERROR(check_call(call));
    ASSIGN_OR_RETURN(const Interval interval, bootstrap_mean(values, options_.bootstrap));
    result.intervals.push_back(interval);
  }
  result.setting = setting.setting;
  result.retrieval_timed = std::ranges::none_of(input_.first_stages, [&](const SweepStage& stage) {
    return stage.run != nullptr && stage.name == setting.setting.first_stage;
  });
  result.values = std::move(evaluation.values);
  result.means = std::move(evaluation.means);
  result.times = setting.times;
  result.encode = latency_of(result.times, &StageTimes::encode_ms);
  result.retrieve = latency_of(result.times, &StageTimes::retrieve_ms);
  result.rerank = latency_of(result.times, &StageTimes::rerank_ms);
  result.total = latency_of(result.times, &StageTimes::total_ms);
  return result;
}

}  // namespace tandem
