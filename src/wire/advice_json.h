// A goal, and what was advised for it, as JSON.
#pragma once

#include "base/json.h"
#include "tandem/advisor.h"
#include "tandem/sweep.h"

namespace tandem {

/// {"metric", "p95_ms_max", "cost_per_1000_max", "recall_min", "recall", "price_per_hour"}: null for what is no part of
/// the goal. `has_price`: otherwise the price is null, and costs are hours of the machine.
JsonWriter& write_json(JsonWriter& json, const Goal& goal, bool has_price);

/// [settings]: the members of each, see sweep_json.h, then "cost_per_1000", "on_frontier", "dominated_by" (a name, or
/// null), "lacks" and, for all but the best, "difference" to that.
JsonWriter& write_advised_settings(JsonWriter& json, const SweepResult& sweep, const Advice& advice);

/// The members "setting", "meets_goal", "best", "difference" (only where the setting is not the best), "caveat" (only
/// where there is one), "reasons" and "losses" of an object that is begun. "setting" and "best" are null where nothing
/// is recommended.
JsonWriter& write_members(JsonWriter& json, const SweepResult& sweep, const Advice& advice);

}  // namespace tandem
