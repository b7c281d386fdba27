// What a sweep over the settings of the pipeline measured, as JSON.
#pragma once

#include "base/json.h"
#include "tandem/encoder_cache.h"
#include "tandem/sweep.h"

namespace tandem {

/// The members of a setting's object that is begun: "name", "mode" and what the mode needs, "metrics" ({name: {"mean",
/// "interval": [low, high]}}), "times" ({stage: {"mean_ms", "p50_ms", "p95_ms", "p99_ms"}}), "retrieval_timed", and how
/// many answers were "found", "lost_in_retrieval" and "lost_in_ranking".
JsonWriter& write_members(JsonWriter& json, const SweepResult& result, const SettingResult& setting);

/// {query's id: {metric's name: value, …, "times": {…}}}
JsonWriter& write_per_query(JsonWriter& json, const SweepResult& result, const SettingResult& setting);

/// [{"first_stage", "depth", "metrics": {name: mean}, "recall"}]
JsonWriter& write_ceilings(JsonWriter& json, const SweepResult& result);

/// {"texts_computed", "texts_reused", "pairs_computed", "pairs_reused"}
JsonWriter& write_json(JsonWriter& json, const CacheCounts& counts);

}  // namespace tandem
