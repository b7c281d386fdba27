#include "pipeline/reranker.h"

#include <algorithm>

#include "base/error.h"
#include "index/top_k.h"
#include "tandem/cross_encoder.h"

namespace tandem {

std::span<const VectorHit> Reranker::pool(std::span<const VectorHit> candidates) const {
  return candidates.first(std::min(depth.value_or(candidates.size()), candidates.size()));
}

std::vector<RankedCandidate> Reranker::rank(std::span<const VectorHit> pool, std::span<const float> scores,
                                            const std::vector<bool>& blank, std::size_t top_k) const {
  CHECK(pool.size() == scores.size());
  std::vector<float> initial;
  for (const VectorHit& candidate : pool) initial.push_back(candidate.score);
  std::vector<float> fused = fuse_scores(scores, initial, alpha);
  rank_blank_last(fused, blank);
  TopK best(std::min(top_k, pool.size()));
  for (std::size_t position = 0; position < fused.size(); ++position) {
    best.add({{.row = static_cast<std::uint32_t>(position)}, fused[position]});
  }
  std::vector<RankedCandidate> ranked;
  for (const VectorHit& winner : best.take()) {
    const std::size_t position = winner.row.row;
    ranked.push_back({.position = position, .score = scores[position], .final_score = fused[position]});
  }
  return ranked;
}

}  // namespace tandem
