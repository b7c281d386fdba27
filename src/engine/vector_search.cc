#include "engine/vector_search.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/finite.h"
#include "kernels/isa.h"

namespace tandem {
namespace {

// What makes it worth waking another thread: half a million multiply-adds, about 30 µs.
constexpr std::size_t kProductsPerThread = std::size_t{512} << 10;

}  // namespace

Result<VectorSearch> VectorSearch::over(MatrixView vectors, Metric metric) {
  ASSIGN_OR_RETURN(const Isa isa, choose_isa());
  return VectorSearch(FlatIndex(kernels_for(isa), vectors, metric), vectors);
}

Result<std::vector<std::vector<VectorHit>>> VectorSearch::search(MatrixView queries, std::size_t top_k,
                                                                 std::size_t threads) const {
  const std::size_t useful = 1 + vectors_.rows * vectors_.columns / kProductsPerThread * queries.rows;
  const std::size_t processors = available_processors();
  threads = std::min({threads == 0 ? processors : threads, processors, useful});
  std::vector<std::vector<VectorHit>> results = index_.search(queries, top_k, *pool(threads));
  for (std::size_t query = 0; query < results.size(); ++query) {
    const auto is_wrong = [](const VectorHit& hit) { return !std::isfinite(hit.score); };
    const auto wrong = std::ranges::find_if(results[query], is_wrong);
    if (wrong == results[query].end()) continue;
    if (!is_finite(queries.row(query))) {
      return fail(ErrorCode::kInvalidArgument, "the vector of query {} is not finite", query);
    }
    return fail(ErrorCode::kCorruptData, "the vector of document {} is not finite, or too large: its score is {}",
                wrong->ordinal, wrong->score);
  }
  return results;
}

// Searches mostly ask for the same number of threads, so the last pool is kept.
std::shared_ptr<ThreadPool> VectorSearch::pool(std::size_t threads) const {
  const std::lock_guard lock(pool_->mutex);
  if (!pool_->last || pool_->last->threads() != threads) pool_->last = std::make_shared<ThreadPool>(threads);
  return pool_->last;
}

}  // namespace tandem
