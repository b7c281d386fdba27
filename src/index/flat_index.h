// Exact search: every query is compared with every vector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "index/row_filter.h"
#include "index/top_k.h"
#include "index/vector_rows.h"
#include "kernels/scan_kernels.h"
#include "tandem/call.h"
#include "tandem/choices.h"
#include "tandem/executor.h"
#include "tandem/matrix.h"
#include "tandem/result.h"
#include "tandem/vector_hit.h"

namespace tandem {

/// The vectors of one segment. Borrows them; thread-safe.
class FlatIndex {
 public:
  /// Hits will name `segment`. Errors: kUnsupported for rows of another element type than f32, and those of choosing an
  /// instruction set.
  static Result<FlatIndex> over(VectorRows rows, Metric metric, std::uint32_t segment = 0);

  FlatIndex(const ScanKernels& kernels, VectorRows rows, Metric metric, std::uint32_t segment = 0)
      : kernels_(kernels), rows_(rows), metric_(metric), segment_(segment) {}

  /// Offers each query's collector, `best[query]`, every row that `filter` holds: those of several segments may go into
  /// one. `queries`: [m, dimensions]. What a collector has afterwards is the same for a query alone or among others, on
  /// any number of threads. Errors: those of reading rows and of `call`; collectors are worth nothing then.
  ///
  /// Inner products are those of ScanKernels::inner_products_f32. Distances are sums in double precision: the expansion
  /// ‖q‖² − 2⟨q, d⟩ + ‖d‖² only rules out vectors that cannot be among the best whatever its rounding error.
  Status search(MatrixView queries, const RowFilter& filter, std::span<TopK> best, const Executor& executor,
                const CallOptions& call = {}) const;

  const VectorRows& rows() const { return rows_; }

 private:
  const ScanKernels& kernels_;
  VectorRows rows_;
  Metric metric_;
  std::uint32_t segment_;
};

}  // namespace tandem
