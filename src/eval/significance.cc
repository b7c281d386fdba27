#include "tandem/significance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "base/error.h"
#include "base/quantile.h"
#include "eval/student_t.h"

namespace tandem {
namespace {

constexpr std::size_t kRepetitionsMax = std::size_t{1} << 30;

Status check_repetitions(std::size_t count, const char* what) {
  if (count >= 1 && count <= kRepetitionsMax) return {};
  return fail(ErrorCode::kInvalidArgument, "the number of {} is {}, want 1 to {}", what, count, kRepetitionsMax);
}

Status check_values(std::span<const double> values) {
  if (values.empty()) return fail(ErrorCode::kInvalidArgument, "there are no values to compare");
  if (values.size() > std::numeric_limits<std::uint32_t>::max()) {
    return fail(ErrorCode::kInvalidArgument, "there are {} values, want fewer than 2^32", values.size());
  }
  const auto bad = std::ranges::find_if_not(values, [](double value) { return std::isfinite(value); });
  if (bad == values.end()) return {};
  return fail(ErrorCode::kInvalidArgument, "value {} is {}, want a finite number", bad - values.begin(), *bad);
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

void add_t_test(std::span<const double> differences, Comparison& comparison) {
  const auto n = static_cast<double>(differences.size());
  if (differences.size() < 2 || std::ranges::adjacent_find(differences, std::not_equal_to<>()) == differences.end()) {
    return;
  }
  double squares = 0;
  for (const double difference : differences) {
    squares += (difference - comparison.difference) * (difference - comparison.difference);
  }
  const double t = comparison.difference / std::sqrt(squares / (n - 1) / n);
  comparison.t = t;
  comparison.t_test_p = student_t_two_sided_p(t, n - 1);
}

// Both tails of the sums under patterns of signs. A sum within rounding of the observed one counts as equal to it.
class Tails {
 public:
  explicit Tails(std::span<const double> differences)
      : observed_(std::accumulate(differences.begin(), differences.end(), 0.0)) {
    double magnitudes = 0;
    for (const double difference : differences) magnitudes += std::abs(difference);
    // The error of two sums of n numbers, each at most (n − 1) · ε / 2 · Σ|d|: Higham, Accuracy and Stability, 4.2.
    tolerance_ = static_cast<double>(differences.size()) * std::numeric_limits<double>::epsilon() * magnitudes;
  }

  void count(double sum) {
    ++sums_;
    if (sum <= observed_ + tolerance_) ++below_;
    if (sum >= observed_ - tolerance_) ++above_;
  }

  /// Twice the smaller tail, with `added` to each tail and to the number of sums.
  double two_sided_p(double added) const {
    const auto tail = static_cast<double>(std::min(below_, above_));
    return std::min(1.0, 2 * (tail + added) / (static_cast<double>(sums_) + added));
  }

 private:
  double observed_;
  double tolerance_;
  std::size_t sums_ = 0;
  std::size_t below_ = 0;
  std::size_t above_ = 0;
};

// The sum of the differences, with a minus before those whose bit is set.
double signed_sum(std::span<const double> differences, std::uint64_t bits) {
  double sum = 0;
  for (const double difference : differences) {
    sum += (bits & 1) != 0 ? -difference : difference;
    bits >>= 1;
  }
  return sum;
}

void add_permutation_test(std::vector<double> differences, const ComparisonOptions& options, Comparison& comparison) {
  // The sign of a zero changes no sum.
  std::erase(differences, 0.0);
  Tails tails(differences);
  constexpr std::size_t kBits = 64;
  comparison.permutation_exhaustive =
      differences.size() < 32 && (std::size_t{1} << differences.size()) <= options.permutations;
  if (comparison.permutation_exhaustive) {
    const std::uint64_t patterns = std::uint64_t{1} << differences.size();
    for (std::uint64_t pattern = 0; pattern < patterns; ++pattern) tails.count(signed_sum(differences, pattern));
    comparison.permutation_p = tails.two_sided_p(0);
    return;
  }
  std::mt19937_64 random(options.seed);
  for (std::size_t permutation = 0; permutation < options.permutations; ++permutation) {
    double sum = 0;
    for (std::size_t begin = 0; begin < differences.size(); begin += kBits) {
      const std::size_t count = std::min(kBits, differences.size() - begin);
      sum += signed_sum(std::span(differences).subspan(begin, count), random());
    }
    tails.count(sum);
  }
  comparison.permutation_p = tails.two_sided_p(1);
}

}  // namespace

Result<Interval> bootstrap_mean(std::span<const double> values, const BootstrapOptions& options) {
  RETURN_IF_ERROR(check_values(values));
  RETURN_IF_ERROR(check_repetitions(options.resamples, "resamples"));
  if (!(options.confidence > 0 && options.confidence < 1)) {
    return fail(ErrorCode::kInvalidArgument, "the confidence is {}, want more than 0 and less than 1",
                options.confidence);
  }
  // The generator's numbers are the same everywhere; what the standard library makes of them is not, so they are
  // brought into range by hand (Lemire 2019, without its rejection: the bias is below n / 2^32).
  std::mt19937 random(options.seed);
  std::vector<double> means(options.resamples);
  for (double& resampled : means) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum += values[static_cast<std::size_t>((static_cast<std::uint64_t>(random()) * values.size()) >> 32)];
    }
    resampled = sum / static_cast<double>(values.size());
  }
  const double tail = (1 - options.confidence) / 2;
  const double low = quantile(means, tail);
  return Interval{.low = low, .high = quantile(means, 1 - tail)};
}

Result<Comparison> compare_paired(std::span<const double> baseline, std::span<const double> other,
                                  const ComparisonOptions& options) {
  if (baseline.size() != other.size()) {
    return fail(ErrorCode::kInvalidArgument, "a paired comparison needs the same queries: there are {} and {} values",
                baseline.size(), other.size());
  }
  RETURN_IF_ERROR(check_values(baseline));
  RETURN_IF_ERROR(check_values(other));
  RETURN_IF_ERROR(check_repetitions(options.permutations, "permutations"));
  std::vector<double> differences(baseline.size());
  std::ranges::transform(other, baseline, differences.begin(), std::minus<>());
  Comparison comparison;
  comparison.difference = mean(differences);
  ASSIGN_OR_RETURN(comparison.interval, bootstrap_mean(differences, options.bootstrap));
  comparison.wins = static_cast<std::size_t>(std::ranges::count_if(differences, [](double d) { return d > 0; }));
  comparison.losses = static_cast<std::size_t>(std::ranges::count_if(differences, [](double d) { return d < 0; }));
  comparison.ties = differences.size() - comparison.wins - comparison.losses;
  add_t_test(differences, comparison);
  add_permutation_test(std::move(differences), options, comparison);
  return comparison;
}

}  // namespace tandem
