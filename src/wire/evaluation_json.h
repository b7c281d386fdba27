// What measuring a run or an encoder's scores of pairs gave, and how two runs compare, as JSON. Values of runs stand
// under the names of their metrics.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "tandem/evaluation.h"
#include "tandem/pair_evaluation.h"
#include "tandem/significance.h"

namespace tandem {

/// The members "queries" (how many count), "metrics" ({name: mean}), "queries_missing", "queries_unjudged",
/// "queries_without_relevant", "results" and "results_unjudged" of an object that is begun. `metrics`: those measured.
JsonWriter& write_members(JsonWriter& json, std::span<const RankingMetric> metrics, const Evaluation& evaluation);

/// {"difference", "interval": [low, high], "t", "t_test_p", "permutation_p", "permutation_exhaustive", "wins",
/// "losses", "ties"}; null where there is no t-test.
JsonWriter& write_json(JsonWriter& json, const Comparison& comparison);

/// {metric's name: value}; `values`: [metrics].
JsonWriter& write_by_metric(JsonWriter& json, std::span<const RankingMetric> metrics, std::span<const double> values);

/// {query's id: {metric's name: value}}
JsonWriter& write_per_query(JsonWriter& json, std::span<const RankingMetric> metrics, const Evaluation& evaluation);

/// {"threshold", "accuracy", "precision", "recall", "f1"}
JsonWriter& write_json(JsonWriter& json, const ThresholdMetrics& metrics);

/// The members "pairs" (how many); for labels "positives", "roc_auc", "average_precision", "fixed_threshold" and
/// "best_threshold"; for grades "spearman" and "pearson"; and, `with_scores`, "scores", of an object that is begun.
JsonWriter& write_members(JsonWriter& json, const PairEvaluation& evaluation, bool with_scores);

}  // namespace tandem
