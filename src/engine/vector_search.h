// Exact search over vectors in memory, with as many threads as the work is worth.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "base/thread_pool.h"
#include "index/flat_index.h"
#include "tandem/matrix.h"
#include "tandem/result.h"
#include "tandem/vector_hit.h"

namespace tandem {

/// Borrows the vectors. Thread-safe.
class VectorSearch {
 public:
  /// `vectors`: [n, dimensions], n < 2^32. Errors: those of choosing an instruction set.
  static Result<VectorSearch> over(MatrixView vectors, Metric metric);

  /// As FlatIndex::search(). `queries` has the columns of the vectors. `threads` 0: every processor. Errors:
  /// kInvalidArgument for a query that is not finite; kCorruptData for a result whose score is not.
  Result<std::vector<std::vector<VectorHit>>> search(MatrixView queries, std::size_t top_k, std::size_t threads) const;

 private:
  struct Pool {
    std::mutex mutex;
    std::shared_ptr<ThreadPool> last;
  };

  VectorSearch(FlatIndex index, MatrixView vectors) : index_(index), vectors_(vectors) {}
  std::shared_ptr<ThreadPool> pool(std::size_t threads) const;

  FlatIndex index_;
  MatrixView vectors_;
  std::unique_ptr<Pool> pool_ = std::make_unique<Pool>();
};

}  // namespace tandem
