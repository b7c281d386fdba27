// The estimates beside what happens to random vectors.
#include "model/activation_moments.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tandem {
namespace {

constexpr std::size_t kWidth = 24;
constexpr std::size_t kExpanded = 40;
constexpr std::size_t kRows = 20000;

class ActivationMomentsTest : public testing::Test {
 protected:
  std::mt19937 random_{3};
  std::normal_distribution<float> normal_;

  DenseWeights dense(std::size_t outputs, std::size_t inputs) {
    DenseWeights result;
    for (std::size_t i = 0; i < outputs * inputs; ++i) result.weights.push_back(0.2F * normal_(random_));
    for (std::size_t i = 0; i < outputs; ++i) result.bias.push_back(0.3F * normal_(random_));
    return result;
  }
  NormWeights norm() {
    NormWeights result;
    for (std::size_t i = 0; i < kWidth; ++i) {
      result.gamma.push_back(1 + 0.3F * normal_(random_));
      result.beta.push_back(0.5F * normal_(random_));
    }
    return result;
  }
  /// Rows whose components differ in mean and spread.
  std::vector<float> rows() {
    std::vector<float> result(kRows * kWidth);
    for (std::size_t i = 0; i < result.size(); ++i) {
      const auto component = static_cast<float>(i % kWidth);
      result[i] = 0.1F * component - 1 + (0.3F + 0.05F * component) * normal_(random_);
    }
    return result;
  }

  static std::vector<float> through(const DenseWeights& dense, const float* x) {
    std::vector<float> y = dense.bias;
    for (std::size_t row = 0; row < y.size(); ++row) {
      for (std::size_t i = 0; i < dense.inputs(); ++i) y[row] += dense.weights[row * dense.inputs() + i] * x[i];
    }
    return y;
  }
  static void normalize(float* x, const NormWeights& norm) {
    float mean = 0;
    for (std::size_t i = 0; i < kWidth; ++i) mean += x[i] / kWidth;
    float variance = 0;
    for (std::size_t i = 0; i < kWidth; ++i) variance += (x[i] - mean) * (x[i] - mean) / kWidth;
    for (std::size_t i = 0; i < kWidth; ++i) x[i] = (x[i] - mean) / std::sqrt(variance) * norm.gamma[i] + norm.beta[i];
  }
  static std::vector<float> root_mean_squares(const std::vector<float>& rows) {
    std::vector<float> result(kWidth);
    for (std::size_t i = 0; i < rows.size(); ++i) result[i % kWidth] += rows[i] * rows[i] / kRows;
    for (float& value : result) value = std::sqrt(value);
    return result;
  }
};

TEST_F(ActivationMomentsTest, OfASampleAreItsOwn) {
  const auto sample = rows();
  const auto expected = root_mean_squares(sample);
  const auto got = ActivationMoments(sample, kWidth).magnitudes();
  for (std::size_t i = 0; i < kWidth; ++i) EXPECT_NEAR(got[i], expected[i], 0.01F * expected[i]);
}

TEST_F(ActivationMomentsTest, FollowAFeedForwardBlock) {
  auto sample = rows();
  const DenseWeights up = dense(kExpanded, kWidth);
  const DenseWeights down = dense(kWidth, kExpanded);
  const NormWeights output = norm();
  ActivationMoments moments(sample, kWidth);
  moments.pass_feed_forward(up, down, output, Pointwise::kGelu);
  for (std::size_t row = 0; row < kRows; ++row) {
    float* x = sample.data() + row * kWidth;
    std::vector<float> expanded = through(up, x);
    for (float& value : expanded) value *= 0.5F * std::erfc(-value / std::sqrt(2.0F));
    const std::vector<float> update = through(down, expanded.data());
    for (std::size_t i = 0; i < kWidth; ++i) x[i] += update[i];
    normalize(x, output);
  }
  // Components are not independent, which is all that the estimate leaves out.
  const auto expected = root_mean_squares(sample);
  const auto got = moments.magnitudes();
  for (std::size_t i = 0; i < kWidth; ++i) EXPECT_NEAR(got[i], expected[i], 0.2F * expected[i]) << i;
}

}  // namespace
}  // namespace tandem
