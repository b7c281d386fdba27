// Whether a difference between two systems is more than chance.
//
//   auto comparison = tandem::compare_paired(baseline.values[0], other.values[0]);
//   comparison->difference;       // mean of other − baseline, e.g. +0.021
//   comparison->interval;         // its 95 % confidence interval
//   comparison->permutation_p;    // how likely as large a difference is if the systems do not differ
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "tandem/export.h"
#include "tandem/result.h"

namespace tandem {

struct Interval {
  double low = 0;
  double high = 0;
};

struct BootstrapOptions {
  double confidence = 0.95;        ///< Inside (0, 1).
  std::size_t resamples = 10'000;  ///< At least 1.
  std::uint32_t seed = 0;          ///< The same seed gives the same interval on every machine.
};

/// The percentile bootstrap interval of the mean (Efron 1979), as scipy.stats.bootstrap computes it with
/// method="percentile". Errors: kInvalidArgument for no values, values that are not finite, or options out of range.
/// May be called from many threads at once, as the other function here.
TANDEM_EXPORT Result<Interval> bootstrap_mean(std::span<const double> values, const BootstrapOptions& options = {});

struct ComparisonOptions {
  BootstrapOptions bootstrap = {};
  /// Random sign patterns of the permutation test; where all there are number no more than this, each is tried once.
  std::size_t permutations = 10'000;
  std::uint32_t seed = 0;
};

/// Two systems on the same queries. P-values are two-sided, and know nothing of other comparisons made beside this.
struct Comparison {
  double difference = 0;           ///< Mean of other − baseline.
  Interval interval;               ///< Of the difference, by bootstrap over the queries.
  std::optional<double> t;         ///< Student's paired t, as scipy.stats.ttest_rel(other, baseline) has it. None
  std::optional<double> t_test_p;  ///< for fewer than two queries, or where every difference is the same.
  /// Paired randomisation test of the mean (Fisher 1935), as scipy.stats.permutation_test with
  /// permutation_type="samples": twice the smaller tail, each tail of random patterns counted with one added.
  double permutation_p = 1;
  bool permutation_exhaustive = false;  ///< Every sign pattern was tried: the p-value is exact.
  std::size_t wins = 0;                 ///< Queries on which `other` is better,
  std::size_t losses = 0;               ///< worse,
  std::size_t ties = 0;                 ///< or equal.
};

/// Compares the values of two systems, element by element those of one query. Errors: kInvalidArgument for none, a
/// different number, values that are not finite, or options out of range.
TANDEM_EXPORT Result<Comparison> compare_paired(std::span<const double> baseline, std::span<const double> other,
                                                const ComparisonOptions& options = {});

}  // namespace tandem
