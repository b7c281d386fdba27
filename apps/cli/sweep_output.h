// How the settings of a sweep are shown, in tables and as JSON: what tandem eval --pipelines and tandem advise share.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "tandem/sweep.h"
#include "text_table.h"

namespace tandem::cli {

std::vector<std::string> metric_names(const SweepResult& result);

/// What the best order of each first stage's candidates would have, below a row of titles.
TableRows ceiling_rows(const SweepResult& result);

/// "120 texts encoded and 900 pairs scored, none twice; 10 texts and 0 pairs were there already".
std::string describe(const CacheCounts& counts);

/// How many texts were truncated, as far as it is known: of what a cache has, it is not.
std::string describe_truncation(const SweepResult& result);

/// The members of a setting's object: name, mode, what the mode needs, metrics with intervals, times per stage, and how
/// many answers were found and lost.
void write_setting_members(JsonWriter& json, const SweepResult& result, const SettingResult& setting);
/// [{"first_stage", "depth", "metrics": {name: mean}, "recall"}]
void write_ceilings(JsonWriter& json, const SweepResult& result);
JsonWriter& write_json(JsonWriter& json, const CacheCounts& counts);

}  // namespace tandem::cli
