// Exact search: every query is compared with every vector.
#pragma once

#include <cstddef>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "tandem/matrix.h"
#include "tandem/vector_hit.h"

namespace tandem {

/// Borrows the vectors and the kernels. Thread-safe.
class FlatIndex {
 public:
  /// `vectors`: [n, dimensions], n < 2^32.
  FlatIndex(const Kernels& kernels, MatrixView vectors, Metric metric);

  /// The best min(top_k, n) vectors of each query, best first, ties by lower ordinal, vectors whose score is NaN last.
  /// `queries`: [m, dimensions]. A query's result is the same alone or among others, on any number of threads.
  ///
  /// Inner products are those of Kernels::inner_products. Distances are sums in double precision: the expansion
  /// ‖q‖² − 2⟨q, d⟩ + ‖d‖² only rules out vectors that cannot be among the best whatever its rounding error.
  std::vector<std::vector<VectorHit>> search(MatrixView queries, std::size_t top_k, ThreadPool& threads) const;

 private:
  const Kernels& kernels_;
  MatrixView vectors_;
  Metric metric_;
};

}  // namespace tandem
