// What the two encoders cost at growing sizes, as JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/json.h"
#include "tandem/encoder_costs.h"

namespace tandem {

/// What is known of the machine that the costs are from.
struct CostsMachine {
  std::size_t bi_threads = 1;
  std::size_t cross_threads = 1;
  std::optional<double> price_per_hour = {};  ///< In any currency; without it no member says what anything costs.
};

/// The members of an object that is begun: "documents", "queries", "sizes" (each with what encoding, writing and a
/// query in each of the three ways took) and "extrapolated".
JsonWriter& write_members(JsonWriter& json, const EncoderCosts& costs, const CostsMachine& machine);

/// Durations of the same work, one at least: {"runs": 5, "min_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"}
JsonWriter& write_durations(JsonWriter& json, std::span<const double> seconds);

}  // namespace tandem
