#include "eval/sweep_budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tandem {

std::chrono::duration<double> PairsToScore::duration() const {
  return std::chrono::duration<double, std::milli>(static_cast<double>(pairs) * pair_ms);
}

std::string PairsToScore::description() const {
  const double seconds = duration().count();
  return fmt::format("{}{} more pairs at {:.2f} ms each take about {:.{}f} s, which the budget has no room for",
                     estimated ? "about " : "", pairs, pair_ms, seconds, seconds < 10 ? 1 : 0);
}

std::optional<SweepClock::time_point> SweepBudget::deadline(double share) const {
  if (!seconds_) return std::nullopt;
  return begin_ + std::chrono::duration_cast<SweepClock::duration>(std::chrono::duration<double>(*seconds_ * share));
}

bool SweepBudget::has_time() const { return !seconds_ || SweepClock::now() < *deadline(); }

bool SweepBudget::has_time_for(const PairsToScore& work) const {
  return work.pairs == 0 || !seconds_ || SweepClock::now() + work.duration() <= *deadline();
}

std::size_t expected_until(std::optional<SweepClock::time_point> deadline, SweepClock::time_point begin,
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
