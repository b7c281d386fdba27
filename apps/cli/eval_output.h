// How measured runs are shown.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "tandem/evaluation.h"
#include "tandem/significance.h"

namespace tandem::cli {

/// A run, its metrics, and what it is against the first run.
struct MeasuredRun {
  std::string name;
  Evaluation evaluation;
  std::vector<Comparison> comparisons;  ///< [metrics]; empty for the first.
};

/// A row per run and a column per metric; below each run but the first its difference to that, the confidence interval,
/// p-values, and on how many queries it won, lost and tied.
std::string to_table(std::span<const RankingMetric> metrics, std::span<const MeasuredRun> runs, double confidence);

/// A line per run, query and metric: "run TAB query TAB metric TAB value".
std::string per_query_lines(std::span<const RankingMetric> metrics, const MeasuredRun& run);

/// What a reader of the metrics should know, a sentence each: queries and results that were missing or not judged.
std::vector<std::string> remarks_on(const MeasuredRun& run, bool answered_only);

/// An object; `per_query` adds every query's values.
JsonWriter& write_json(JsonWriter& json, std::span<const RankingMetric> metrics, const MeasuredRun& run,
                       bool per_query);

}  // namespace tandem::cli
