// Durations of the same work, done again and again.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "tandem/result.h"
#include "terminal.h"

namespace tandem::cli {

class Sample {
 public:
  /// Runs `work` once without counting, then `repeat` times.
  template <class Work>
  static Result<Sample> measure(std::size_t repeat, const Work& work) {
    Sample sample;
    RETURN_IF_ERROR(work());
    for (std::size_t i = 0; i < repeat; ++i) {
      const Stopwatch stopwatch;
      RETURN_IF_ERROR(work());
      sample.add(stopwatch.seconds());
    }
    return sample;
  }

  void add(double seconds) { seconds_.push_back(seconds); }

  bool empty() const { return seconds_.empty(); }

  // Of a sample that is not empty:

  /// The duration that this share of them does not exceed, see quantile().
  double percentile(double share) const;
  double median() const { return percentile(0.5); }
  double mean() const;

  /// {"runs": 5, "min_ms": …, "p50_ms": …, "p95_ms": …, "p99_ms": …, "max_ms": …}
  JsonWriter& write_json(JsonWriter& json) const;
  /// "median 3.10 ms, 95 % within 4.20 ms (5 runs)".
  std::string describe() const;

 private:
  std::vector<double> seconds_;
};

}  // namespace tandem::cli
