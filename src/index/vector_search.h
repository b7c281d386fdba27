// Exact search over the segments of a collection, or over vectors in memory.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "index/flat_index.h"
#include "index/vector_rows.h"
#include "tandem/call.h"
#include "tandem/choices.h"
#include "tandem/executor.h"
#include "tandem/matrix.h"
#include "tandem/result.h"
#include "tandem/vector_hit.h"

namespace tandem {

/// Borrows the vectors. Thread-safe.
class VectorSearch {
 public:
  /// One index for each segment. Errors: those of FlatIndex::over().
  static Result<VectorSearch> over(std::span<const VectorRows> segments, Metric metric);
  static Result<VectorSearch> over(MatrixView vectors, Metric metric);

  /// The best min(top_k, n) vectors of each query among the n of all segments, best first, ties by lower row, vectors
  /// whose score is NaN last. `queries` has the columns of the vectors. Errors: kInvalidArgument for a query that is
  /// not finite, kCorruptData for a result whose score is not, and those of FlatIndex::search().
  Result<std::vector<std::vector<VectorHit>>> search(MatrixView queries, std::size_t top_k, const Executor& executor,
                                                     const CallOptions& call = {}) const;

 private:
  VectorSearch() = default;

  std::vector<FlatIndex> segments_;
  std::size_t count_ = 0;  // Of all segments.
};

}  // namespace tandem
