#include "index/vector_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/finite.h"

namespace tandem {

Result<VectorSearch> VectorSearch::over(std::span<const VectorRows> segments, Metric metric) {
  VectorSearch search;
  for (const VectorRows& rows : segments) {
    const auto number = static_cast<std::uint32_t>(search.segments_.size());
    ASSIGN_OR_RETURN(FlatIndex index, FlatIndex::over(rows, metric, number));
    search.segments_.push_back(std::move(index));
    search.count_ += rows.count();
  }
  return search;
}

Result<VectorSearch> VectorSearch::over(MatrixView vectors, Metric metric) {
  const VectorRows rows(vectors);
  return over({&rows, 1}, metric);
}

Result<std::vector<std::vector<VectorHit>>> VectorSearch::search(MatrixView queries, std::size_t top_k,
                                                                 const Executor& executor,
                                                                 const CallOptions& call) const {
  std::vector<TopK> best(queries.rows, TopK(std::min(top_k, count_)));
  for (const FlatIndex& segment : segments_) RETURN_IF_ERROR(segment.search(queries, {}, best, executor, call));
  std::vector<std::vector<VectorHit>> results;
  for (TopK& each : best) results.push_back(each.take());
  for (std::size_t query = 0; query < results.size(); ++query) {
    const auto is_wrong = [](const VectorHit& hit) { return !std::isfinite(hit.score); };
    const auto wrong = std::ranges::find_if(results[query], is_wrong);
    if (wrong == results[query].end()) continue;
    if (!is_finite(queries.row(query))) {
      return fail(ErrorCode::kInvalidArgument, "the vector of query {} is not finite", query);
    }
    return fail(ErrorCode::kCorruptData,
                "the vector of row {} of segment {} is not finite, or too large: its score is {}", wrong->row.row,
                wrong->row.segment, wrong->score);
  }
  return results;
}

}  // namespace tandem
