// The time of a sweep, and how far it will come in it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>

namespace tandem {

using SweepClock = std::chrono::steady_clock;

/// How many of `all` will be done when `deadline` comes, should the others take as long as the `done` since `begin`; at
/// least `needed` are, whatever it takes. All of them where there is no deadline.
inline std::size_t expected_until(std::optional<SweepClock::time_point> deadline, SweepClock::time_point begin,
                                  std::size_t done, std::size_t needed, std::size_t all) {
  if (!deadline) return all;
  using Seconds = std::chrono::duration<double>;
  const double share = Seconds(*deadline - begin) / Seconds(SweepClock::now() - begin);
  const auto least = static_cast<double>(std::max(done, needed));
  // In this order: where no time has passed, the share is no number, and the least is what is known.
  const double expected = std::max(least, std::ceil(static_cast<double>(done) * share));
  return static_cast<std::size_t>(std::min(expected, static_cast<double>(all)));
}

}  // namespace tandem
