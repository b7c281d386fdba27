// What the settings of a sweep answered, query by query, and what that is worth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_map.h"
#include "eval/query_pairs.h"
#include "eval/sweep_documents.h"
#include "pipeline/first_stage.h"
#include "tandem/call.h"
#include "tandem/evaluation.h"
#include "tandem/sweep.h"
#include "tandem/vector_hit.h"

namespace tandem {

/// The candidates of a first stage are its own answer, a pool whose best order is the ceiling of what a reranking makes
/// of it, and what every setting with a reranker ranks. What it is made of must outlive it.
class SweepOutcomes {
 public:
  /// With a setting for each first stage, and where there is a cross-encoder for each of its depths and alphas.
  SweepOutcomes(const SweepInput& input, const SweepOptions& options, const SweepDocuments& documents);

  /// Forgets the settings that rerank so many candidates or more.
  void leave_out_from(std::size_t depth);

  /// The queries are answered in one order by every first stage. Errors of all of these: none where ids are unique.
  Status begin_query(const SweepQuery& query);
  Status add_candidates(std::string_view first_stage, const SweepQuery& query, const Candidates& candidates);
  Status add_reranked(std::string_view first_stage, const SweepQuery& query, const Candidates& candidates,
                      const QueryPairs& pairs);
  /// Of the cross-encoder over everything, which is a setting as soon as it has an answer.
  Status add_cross(const SweepQuery& query, const QueryPairs& pairs);

  const std::vector<std::string>& query_ids() const { return query_ids_; }
  std::size_t queries_without_relevant() const;
  /// Errors of both: those of evaluate(), bootstrap_mean() and `call`.
  Result<std::vector<SettingResult>> settings(const CallOptions& call) const;
  Result<std::vector<PoolCeiling>> ceilings(const CallOptions& call) const;

 private:
  struct Setting {
    PipelineSetting setting;
    Run run = Run(RunOrder::kAsAdded);
    std::vector<StageTimes> times = {};     // [queries]
    std::vector<bool> relevant_found = {};  // [queries] Whether there is a relevant document among the candidates.
  };
  struct Pool {
    std::string first_stage;
    std::size_t depth = 0;
    Run run = {};  // The candidates in the best order.
  };
  using Relevance = StringMap<std::int32_t>;  // By document id.

  Relevance relevance_of(const SweepQuery& query) const;
  void add_outcome(const StageTimes& times, std::span<const VectorHit> candidates, const Relevance& relevance,
                   Setting& setting) const;
  Result<Evaluation> evaluate_with(const Run& run, const RankingMetric& last) const;
  Result<SettingResult> summarize(const Setting& setting, const CallOptions& call) const;

  const SweepInput& input_;
  const SweepOptions& options_;
  const SweepDocuments& documents_;
  std::vector<Setting> settings_;  // By first stage: alone, then by depth and alpha. Then the cross-encoder.
  std::vector<Pool> pools_;        // By first stage and depth.
  std::vector<std::string> query_ids_;
  Qrels answered_;                  // The judgements of these queries.
  std::vector<bool> has_relevant_;  // [queries]
};

}  // namespace tandem
