#include "model/pooling.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace tandem {
namespace {

/// out ← Σ weight(row) · hidden[row] / divisor.
template <class Weight>
void weighted_sum(MatrixView hidden, std::size_t skipped, Weight weight, float divisor, std::span<float> out) {
  for (std::size_t row = skipped; row < hidden.rows; ++row) {
    const std::span<const float> values = hidden.row(row);
    const float factor = weight(row);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += factor * values[i];
  }
  for (float& value : out) value /= divisor;
}

}  // namespace

void pool(MatrixView hidden, std::size_t skipped, Pooling pooling, std::span<float> out) {
  CHECK(out.size() == hidden.columns);
  std::ranges::fill(out, 0.0F);
  if (skipped >= hidden.rows) return;
  const auto count = static_cast<float>(hidden.rows - skipped);
  const auto one = [](std::size_t) { return 1.0F; };
  switch (pooling) {
    case Pooling::kCls:
      std::ranges::copy(hidden.row(skipped), out.begin());
      return;
    case Pooling::kMean:
      return weighted_sum(hidden, skipped, one, count, out);
    case Pooling::kMeanSqrtLength:
      return weighted_sum(hidden, skipped, one, std::sqrt(count), out);
    case Pooling::kWeightedMean: {
      // A token's weight is its place in the whole text, counted from 1 (SGPT, arXiv 2202.08904).
      float total = 0;
      for (std::size_t row = skipped; row < hidden.rows; ++row) total += static_cast<float>(row + 1);
      return weighted_sum(
          hidden, skipped, [](std::size_t row) { return static_cast<float>(row + 1); }, total, out);
    }
    case Pooling::kMax:
      std::ranges::copy(hidden.row(skipped), out.begin());
      for (std::size_t row = skipped + 1; row < hidden.rows; ++row) {
        const std::span<const float> values = hidden.row(row);
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::max(out[i], values[i]);
      }
      return;
    case Pooling::kLastToken:
      std::ranges::copy(hidden.row(hidden.rows - 1), out.begin());
      return;
  }
}

void normalize(std::span<float> vector) {
  double squares = 0;
  for (const float value : vector) squares += static_cast<double>(value) * value;
  const float length = std::max(static_cast<float>(std::sqrt(squares)), 1e-12F);
  for (float& value : vector) value /= length;
}

}  // namespace tandem
