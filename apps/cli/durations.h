// Durations of the same work, done again and again.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "tandem/result.h"
#include "terminal.h"

namespace tandem::cli {

class Durations {
 public:
  Durations() = default;
  explicit Durations(std::vector<double> seconds) : seconds_(std::move(seconds)) {}

  /// Runs `work` once without counting, then `repeat` times.
  template <class Work>
  static Result<Durations> measure(std::size_t repeat, const Work& work) {
    Durations durations;
    RETURN_IF_ERROR(work());
    for (std::size_t i = 0; i < repeat; ++i) {
      const Stopwatch stopwatch;
      RETURN_IF_ERROR(work());
      durations.add(stopwatch.seconds());
    }
    return durations;
  }

  void add(double seconds) { seconds_.push_back(seconds); }

  // Where there is one at least:

  /// The duration that this share of them does not exceed, see quantile().
  double percentile(double share) const;
  double median() const { return percentile(0.5); }

  /// {"runs": 5, "min_ms": …, "p50_ms": …, "p95_ms": …, "p99_ms": …, "max_ms": …}
  JsonWriter& write_json(JsonWriter& json) const;
  /// "median 3.10 ms, 95 % within 4.20 ms (5 runs)".
  std::string describe() const;

 private:
  std::vector<double> seconds_;
};

}  // namespace tandem::cli
