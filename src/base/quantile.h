// Quantiles of measured values.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace tandem {

/// The value below which a share of `values` lies, between two of them linearly: what numpy.percentile() does. At least
/// one value; their order changes.
inline double quantile(std::vector<double>& values, double share) {
  const double position = share * static_cast<double>(values.size() - 1);
  const auto below = values.begin() + static_cast<std::ptrdiff_t>(position);
  std::ranges::nth_element(values, below);
  const double low = *below;
  if (below + 1 == values.end()) return low;
  return low + (position - std::floor(position)) * (*std::min_element(below + 1, values.end()) - low);
}

}  // namespace tandem
