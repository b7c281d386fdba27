// A first stage that another system has run.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "pipeline/first_stage.h"
#include "tandem/evaluation.h"

namespace tandem {

/// What another system found. Nothing is known of its time.
class RunStage : public FirstStage {
 public:
  /// `find`: where the document with an id lies; what has no place is left out. `run` must outlive the stage.
  RunStage(const Run& run, std::function<std::optional<RowId>(std::string_view document_id)> find);

  Result<std::vector<Candidates>> retrieve(std::span<const StageQuery> queries, std::size_t top_k,
                                           const CallOptions& call) const override;

 private:
  const Run& run_;
  std::function<std::optional<RowId>(std::string_view document_id)> find_;
};

}  // namespace tandem
