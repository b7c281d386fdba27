#include "model/activation_moments.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tandem {
namespace {

// Attention averages values over tokens that agree in part: what is left of their variance. Between 0.05 and 1 the
// result hardly changes.
constexpr float kMixedVariance = 0.3F;

struct MeanAndVariance {
  float mean;
  float variance;
};

float activate(Pointwise activation, float x) {
  switch (activation) {
    case Pointwise::kNone:
      return x;
    case Pointwise::kGelu:
    case Pointwise::kGeluFast:
    case Pointwise::kGeluTanh:
      return 0.5F * x * std::erfc(-x * 0.707106781F);
    case Pointwise::kRelu:
      return std::max(x, 0.0F);
    case Pointwise::kTanh:
      return std::tanh(x);
    case Pointwise::kSigmoid:
      return 1.0F / (1.0F + std::exp(-x));
    case Pointwise::kSilu:
      return x / (1.0F + std::exp(-x));
  }
  return x;
}

/// Mean and variance of activation(x) for x ~ N(mean, variance), by a sum over the normal density at points 0.25 apart.
MeanAndVariance activated_moments(Pointwise activation, float mean, float variance) {
  constexpr int kPoints = 33;
  struct Node {
    float z;
    float weight;
  };
  static const std::array<Node, kPoints> nodes = [] {
    std::array<Node, kPoints> result{};
    float total = 0;
    for (int i = 0; i < kPoints; ++i) {
      const float z = 0.25F * static_cast<float>(i - kPoints / 2);
      result[static_cast<std::size_t>(i)] = {z, std::exp(-0.5F * z * z)};
      total += result[static_cast<std::size_t>(i)].weight;
    }
    for (Node& node : result) node.weight /= total;
    return result;
  }();
  const float deviation = std::sqrt(variance);
  float first = 0;
  float second = 0;
  for (const Node& node : nodes) {
    const float x = mean + deviation * node.z;
    const float y = activate(activation, x);
    first += node.weight * y;
    second += node.weight * y * y;
  }
  return {first, std::max(second - first * first, 0.0F)};
}

}  // namespace

ActivationMoments::ActivationMoments(std::span<const float> rows, std::size_t width) {
  const std::size_t count = rows.size() / width;
  hidden_.mean.assign(width, 0.0F);
  hidden_.variance.assign(width, 0.0F);
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t i = 0; i < width; ++i) {
      const float x = rows[row * width + i];
      hidden_.mean[i] += x;
      hidden_.variance[i] += x * x;
    }
  }
  for (std::size_t i = 0; i < width; ++i) {
    hidden_.mean[i] /= static_cast<float>(count);
    const float square = hidden_.variance[i] / static_cast<float>(count);
    hidden_.variance[i] = std::max(square - hidden_.mean[i] * hidden_.mean[i], 0.0F);
  }
}

ActivationMoments::Moments ActivationMoments::through(const DenseWeights& dense, const Moments& input) {
  const std::size_t inputs = dense.inputs();
  Moments output{dense.bias, std::vector<float>(dense.outputs())};
  const float* mean = input.mean.data();
  const float* variance = input.variance.data();
  for (std::size_t row = 0; row < dense.outputs(); ++row) {
    const float* weights = dense.weights.data() + row * inputs;
    float mean_sum = 0;
    float variance_sum = 0;
#pragma omp simd reduction(+ : mean_sum, variance_sum)
    for (std::size_t i = 0; i < inputs; ++i) {
      mean_sum += weights[i] * mean[i];
      variance_sum += weights[i] * weights[i] * variance[i];
    }
    output.mean[row] += mean_sum;
    output.variance[row] = variance_sum;
  }
  return output;
}

void ActivationMoments::add_and_normalize(const Moments& update, const NormWeights& norm) {
  const std::size_t width = hidden_.mean.size();
  float average = 0;
  for (std::size_t i = 0; i < width; ++i) {
    hidden_.mean[i] += update.mean[i];
    hidden_.variance[i] += update.variance[i];
    average += hidden_.mean[i];
  }
  average /= static_cast<float>(width);
  float power = 0;
  for (std::size_t i = 0; i < width; ++i) {
    hidden_.mean[i] -= average;
    power += hidden_.mean[i] * hidden_.mean[i] + hidden_.variance[i];
  }
  const float inverse = 1.0F / std::sqrt(power / static_cast<float>(width) + 1e-12F);
  for (std::size_t i = 0; i < width; ++i) {
    const float scale = norm.gamma[i] * inverse;
    hidden_.mean[i] = hidden_.mean[i] * scale + norm.beta[i];
    hidden_.variance[i] *= scale * scale;
  }
}

void ActivationMoments::pass_attention(const DenseWeights& value, const DenseWeights& output, const NormWeights& norm) {
  Moments context = through(value, hidden_);
  for (float& variance : context.variance) variance *= kMixedVariance;
  add_and_normalize(through(output, context), norm);
}

void ActivationMoments::pass_feed_forward(const DenseWeights& up, const DenseWeights& down, const NormWeights& norm,
                                          Pointwise activation) {
  Moments expanded = through(up, hidden_);
  for (std::size_t i = 0; i < expanded.mean.size(); ++i) {
    const MeanAndVariance after = activated_moments(activation, expanded.mean[i], expanded.variance[i]);
    expanded.mean[i] = after.mean;
    expanded.variance[i] = after.variance;
  }
  add_and_normalize(through(down, expanded), norm);
}

std::vector<float> ActivationMoments::magnitudes() const {
  std::vector<float> result(hidden_.mean.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = std::sqrt(hidden_.mean[i] * hidden_.mean[i] + hidden_.variance[i]);
  }
  return result;
}

}  // namespace tandem
