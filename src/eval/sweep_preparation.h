// What a sweep measures with: the queries that it answers and the documents that it searches.
#pragma once

#include <string>
#include <vector>

#include "eval/sweep_budget.h"
#include "eval/sweep_documents.h"
#include "tandem/call.h"
#include "tandem/encoder_cache.h"
#include "tandem/sweep.h"

namespace tandem {

struct PreparedSweep {
  SweepDocuments documents;
  std::vector<const SweepQuery*> queries;  ///< Of the input, in the order in which they are answered.
  std::vector<std::string> remarks;        ///< See SweepResult.
};

/// Reads and checks everything, chooses the queries and encodes the documents: all of them, or as many as half of the
/// budget has room for, and then only the queries whose judged documents are among these are left. Errors: those of
/// sweep().
Result<PreparedSweep> prepare_sweep(const SweepInput& input, const SweepOptions& options, const SweepBudget& budget,
                                    EncoderCache& cache, const CallOptions& call);

/// How many candidates are looked for.
std::size_t sweep_depth(const SweepOptions& options);

}  // namespace tandem
