// How large each activation of an encoder gets, estimated from its weights alone.
//
// int8 needs to know which components of the hidden states are large, so that it can trade their size against that of
// their weights (see Linear). Instead of running calibration texts, the mean and the variance of each component are
// carried from layer to layer, as if components were independent. Measured on all-MiniLM-L6-v2, the result is as good
// as calibration on 64 passages; docs/decisions/int8.md has the figures and what was tried besides.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/encoder_kernels.h"
#include "model/weights.h"

namespace tandem {

/// y = W · x + b. `weights`: [outputs, inputs], row-major.
struct DenseWeights {
  std::vector<float> weights;
  std::vector<float> bias;
  std::size_t outputs() const { return bias.size(); }
  std::size_t inputs() const { return weights.size() / bias.size(); }
};

/// Mean and variance of each component of the hidden states, at one place in the encoder.
class ActivationMoments {
 public:
  /// From a sample of hidden states, [rows, width].
  ActivationMoments(std::span<const float> rows, std::size_t width);

  /// Past an attention block: hidden ← norm(hidden + output · mix(value · hidden)).
  void pass_attention(const DenseWeights& value, const DenseWeights& output, const NormWeights& norm);

  /// Past a feed-forward block: hidden ← norm(hidden + down · activation(up · hidden)).
  void pass_feed_forward(const DenseWeights& up, const DenseWeights& down, const NormWeights& norm,
                         Pointwise activation);

  /// Root mean square of each component: √(mean² + variance).
  std::vector<float> magnitudes() const;

 private:
  struct Moments {
    std::vector<float> mean;
    std::vector<float> variance;
  };
  static Moments through(const DenseWeights& dense, const Moments& input);
  void add_and_normalize(const Moments& update, const NormWeights& norm);

  Moments hidden_;
};

}  // namespace tandem
