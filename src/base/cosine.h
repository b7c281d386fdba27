// The cosine of two vectors, in double precision.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace tandem {

/// Both have as many components. 0 where a length is 0, or no number. Squares of f32 neither overflow nor vanish here.
inline double cosine_of(std::span<const float> left, std::span<const float> right) {
  double dot = 0;
  double left_squared = 0;
  double right_squared = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    dot += static_cast<double>(left[i]) * right[i];
    left_squared += static_cast<double>(left[i]) * left[i];
    right_squared += static_cast<double>(right[i]) * right[i];
  }
  const double lengths = std::sqrt(left_squared * right_squared);
  return lengths > 0 ? dot / lengths : 0;
}

}  // namespace tandem
