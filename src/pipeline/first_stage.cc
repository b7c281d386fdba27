#include "pipeline/first_stage.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/stopwatch.h"

namespace tandem {

void leave_out(std::optional<RowId> row, std::size_t top_k, std::vector<VectorHit>& hits) {
  std::erase_if(hits, [row](const VectorHit& hit) { return hit.row == row; });
  hits.resize(std::min(hits.size(), top_k));
}

DenseStage::DenseStage(EncodeQueries encode, std::size_t dimensions, Search search)
    : encode_(std::move(encode)), dimensions_(dimensions), search_(std::move(search)) {}

Result<std::vector<Candidates>> DenseStage::retrieve(std::span<const StageQuery> queries, std::size_t top_k,
                                                     const CallOptions& call) const {
  std::vector<Candidates> candidates;
  const std::size_t batch_size = batch_rows(dimensions_, queries.size());
  while (candidates.size() < queries.size()) {
    const std::size_t first = candidates.size();
    std::vector<std::string_view> texts;
    for (const StageQuery& query : queries.subspan(first, std::min(batch_size, queries.size() - first))) {
      texts.push_back(query.text);
    }
    CallOptions batch_call = call;
    if (call.progress) {
      batch_call.progress = [&](const Progress& batch) {
        call.progress({.what = batch.what, .unit = batch.unit, .done = first + batch.done, .total = queries.size()});
      };
    }
    ASSIGN_OR_RETURN(const CachedEmbeddings embeddings, encode_(texts, batch_call));
    const Stopwatch stopwatch;
    ASSIGN_OR_RETURN(auto hits, search_(embeddings.vectors, top_k, call));
    const double retrieve_ms = stopwatch.milliseconds() / static_cast<double>(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      candidates.push_back({.hits = std::move(hits[i]),
                            .encode_ms = embeddings.cost_ms[i],
                            .retrieve_ms = retrieve_ms,
                            .truncation = i == 0 ? embeddings.truncation : Truncation{}});
    }
  }
  return candidates;
}

}  // namespace tandem
