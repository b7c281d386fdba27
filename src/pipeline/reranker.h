// The second stage: a cross-encoder's scores of the best candidates, fused with those of the first stage.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "tandem/vector_hit.h"

namespace tandem {

/// A candidate in its final place.
struct RankedCandidate {
  std::size_t position = 0;  ///< Among the candidates of the first stage, from 0.
  float score = 0;           ///< The cross-encoder's.
  float final_score = 0;
};

struct Reranker {
  std::optional<std::size_t> depth = {};  ///< Candidates that it reads, the others are dropped; none: all.
  float alpha = 1;                        ///< Weight of the cross-encoder, see fuse_scores().

  /// The candidates, best first, whose scores rank() needs.
  std::span<const VectorHit> pool(std::span<const VectorHit> candidates) const;

  /// The best `top_k` of a pool by their final scores, ties in the order of the first stage. In the order of the pool:
  /// the cross-encoder's `scores`, and which documents are `blank`, which come last: see rank_blank_last().
  std::vector<RankedCandidate> rank(std::span<const VectorHit> pool, std::span<const float> scores,
                                    const std::vector<bool>& blank, std::size_t top_k) const;
};

}  // namespace tandem
