// Axes: which part of the numbers they show, and where their marks stand.
#pragma once

#include <string>
#include <vector>

namespace tandem::report {

/// A mark on an axis.
struct Tick {
  double value = 0;
  std::string label;
};

/// One axis. Ticks lie inside [low, high], ascending.
struct Scale {
  double low = 0;
  double high = 1;
  bool logarithmic = false;
  std::vector<Tick> ticks = {};

  /// Where a value lies: 0 at `low`, 1 at `high`.
  double position(double value) const;
};

/// Whether a number can be shown: finite, not so large that a difference of two overflows, and on a logarithmic axis
/// positive.
bool is_drawable(double value, bool logarithmic);

/// A scale that holds `values`, all drawable, with some room around them, from one round number to another. On a
/// logarithmic one the ticks are powers of ten, or 1, 2 and 5 times these where few powers are in sight. Without values
/// it goes from 0 to 1, or from 1 to 10.
Scale make_scale(const std::vector<double>& values, bool logarithmic);

/// From 0 to 1, for shares.
Scale make_share_scale();

/// The same from 0 on, for bars. `high` is drawable and not negative.
Scale make_bar_scale(double high);

/// "12,500", "0.25", "3.2e-7": so many digits at most, but none less before the point.
std::string format_number(double value, int digits = 6);

}  // namespace tandem::report
