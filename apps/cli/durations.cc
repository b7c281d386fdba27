#include "durations.h"

#include <fmt/format.h>

#include "base/quantile.h"
#include "wire/encoder_costs_json.h"

namespace tandem::cli {

double Durations::percentile(double share) const {
  std::vector<double> seconds = seconds_;
  return quantile(seconds, share);
}

JsonWriter& Durations::write_json(JsonWriter& json) const { return write_durations(json, seconds_); }

std::string Durations::describe() const {
  return fmt::format("median {:.2f} ms, 95 % within {:.2f} ms ({} runs)", median() * 1e3, percentile(0.95) * 1e3,
                     seconds_.size());
}

}  // namespace tandem::cli
