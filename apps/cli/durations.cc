#include "durations.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/quantile.h"

namespace tandem::cli {

double Durations::percentile(double share) const {
  std::vector<double> seconds = seconds_;
  return quantile(seconds, share);
}

JsonWriter& Durations::write_json(JsonWriter& json) const {
  json.begin_object().key("runs").value(seconds_.size());
  json.key("min_ms").value(std::ranges::min(seconds_) * 1e3).key("p50_ms").value(median() * 1e3);
  json.key("p95_ms").value(percentile(0.95) * 1e3).key("p99_ms").value(percentile(0.99) * 1e3);
  return json.key("max_ms").value(std::ranges::max(seconds_) * 1e3).end_object();
}

std::string Durations::describe() const {
  return fmt::format("median {:.2f} ms, 95 % within {:.2f} ms ({} runs)", median() * 1e3, percentile(0.95) * 1e3,
                     seconds_.size());
}

}  // namespace tandem::cli
