#include "eval/run_stage.h"

#include <utility>

namespace tandem {

RunStage::RunStage(const Run& run, std::function<std::optional<RowId>(std::string_view document_id)> find)
    : run_(run), find_(std::move(find)) {}

Result<std::vector<Candidates>> RunStage::retrieve(std::span<const StageQuery> queries, std::size_t top_k,
                                                   const CallOptions& /*call*/) const {
  std::vector<Candidates> candidates(queries.size());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    for (const RunResult& found : run_.ranking_of(queries[i].id)) {
      const std::optional<RowId> row = find_(found.document_id);
      if (!row) continue;
      candidates[i].hits.push_back({.row = *row, .score = found.score});
      if (candidates[i].hits.size() == top_k) break;
    }
  }
  return candidates;
}

}  // namespace tandem
