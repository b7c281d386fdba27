// The time that a sweep may take, and how far it comes in it.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace tandem {

using SweepClock = std::chrono::steady_clock;

/// A budget does not end before so many queries are answered: fewer compare nothing.
inline constexpr std::size_t kSweepQueriesMin = 5;

/// Pairs that are to be scored, by what others cost.
struct PairsToScore {
  std::size_t pairs = 0;
  double pair_ms = 0;
  bool estimated = false;  ///< Whether the number is taken from a part of them.

  std::chrono::duration<double> duration() const;
  /// Why there is no time for them, as a part of a sentence.
  std::string description() const;
};

class SweepBudget {
 public:
  /// Begins now. None: as long as it takes.
  explicit SweepBudget(std::optional<double> seconds) : seconds_(seconds) {}

  /// When a share of it is used up; none without a budget.
  std::optional<SweepClock::time_point> deadline(double share = 1) const;
  bool has_time() const;
  bool has_time_for(const PairsToScore& work) const;

 private:
  std::optional<double> seconds_;
  SweepClock::time_point begin_ = SweepClock::now();
};

/// How many of `all` will be done when `deadline` comes, should the others take as long as the `done` since `begin`; at
/// least `needed` are, whatever it takes. All of them where there is no deadline.
std::size_t expected_until(std::optional<SweepClock::time_point> deadline, SweepClock::time_point begin,
                           std::size_t done, std::size_t needed, std::size_t all);

}  // namespace tandem
