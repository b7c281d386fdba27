#include "model/linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace tandem {
namespace {

struct Problem {
  std::size_t rows = 5;
  std::size_t inputs = 96;
  std::size_t outputs = 130;
  std::vector<float> x, weights, bias, exact;

  explicit Problem(float outlier = 1.0F) {
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    x.resize(rows * inputs);
    weights.resize(outputs * inputs);
    bias.resize(outputs);
    for (auto* values : {&x, &weights, &bias}) {
      for (float& value : *values) value = normal(random);
    }
    for (std::size_t row = 0; row < rows; ++row) x[row * inputs + 3] *= outlier;
    exact.resize(rows * outputs);
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t j = 0; j < outputs; ++j) {
        double sum = bias[j];
        for (std::size_t i = 0; i < inputs; ++i) {
          sum += static_cast<double>(x[row * inputs + i]) * weights[j * inputs + i];
        }
        exact[row * outputs + j] = static_cast<float>(sum);
      }
    }
  }

  std::vector<float> apply(const Linear& linear) const {
    PreparedBuffer buffer;
    std::vector<float> out(rows * outputs, NAN);
    linear.apply(linear.prepare(x.data(), inputs, rows, buffer), {.f32 = out.data(), .stride = outputs});
    return out;
  }

  /// Root mean square error relative to the root mean square of the result.
  double error(const std::vector<float>& got) const {
    double errors = 0;
    double squares = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      errors += std::pow(static_cast<double>(got[i]) - exact[i], 2);
      squares += std::pow(static_cast<double>(exact[i]), 2);
    }
    return std::sqrt(errors / squares);
  }
};

TEST(Linear, LosesWhatItsPrecisionLosesAndNoMore) {
  const Problem problem;
  const EncoderKernels& kernels = encoder_kernels_for(detect_isa());
  EXPECT_LT(problem.error(problem.apply(Linear(kernels, GemmType::kF32, problem.weights, problem.bias))), 1e-6);
  // A code is a 255th of a range of about 5 deviations: an error of 5 / 255 / √12 in the rows, and half that in
  // weights.
  EXPECT_LT(problem.error(problem.apply(Linear(kernels, GemmType::kInt8, problem.weights, problem.bias))), 0.009);
  if (!kernels.native_bf16) GTEST_SKIP() << "no bf16 products on this processor";
  EXPECT_LT(problem.error(problem.apply(Linear(kernels, GemmType::kBf16, problem.weights, problem.bias))), 0.003);
}

TEST(Linear, SmoothingSavesTheOtherInputsFromALargeOne) {
  const Problem problem(50.0F);
  const EncoderKernels& kernels = encoder_kernels_for(detect_isa());
  std::vector<float> magnitudes(problem.inputs, 1.0F);
  magnitudes[3] = 50.0F;
  const double plain = problem.error(problem.apply(Linear(kernels, GemmType::kInt8, problem.weights, problem.bias)));
  const double smoothed =
      problem.error(problem.apply(Linear(kernels, GemmType::kInt8, problem.weights, problem.bias, {magnitudes})));
  EXPECT_LT(smoothed, 0.7 * plain);
}

TEST(Linear, SlicesSaveTheOtherSlicesFromALargeInput) {
  Problem problem(50.0F);
  const EncoderKernels& kernels = encoder_kernels_for(detect_isa());
  const double plain = problem.error(problem.apply(Linear(kernels, GemmType::kInt8, problem.weights, problem.bias)));
  const Linear sliced(kernels, GemmType::kInt8, problem.weights, problem.bias, {.slice_inputs = 64});
  // Inputs 64 to 95 are in a slice without the large one: their third of the error is gone.
  EXPECT_LT(problem.error(problem.apply(sliced)), 0.9 * plain);
}

TEST(Linear, SmoothingSurvivesInputsAndWeightsOfZero) {
  Problem problem;
  for (std::size_t j = 0; j < problem.outputs; ++j) problem.weights[j * problem.inputs + 5] = 0;
  std::vector<float> magnitudes(problem.inputs, 0.0F);
  magnitudes[1] = 1.0F;
  const Linear linear(encoder_kernels_for(detect_isa()), GemmType::kInt8, problem.weights, problem.bias, {magnitudes});
  for (const float value : problem.apply(linear)) EXPECT_TRUE(std::isfinite(value));
}

TEST(Linear, SomeOfTheColumnsAreTheSameAsAmongAll) {
  const Problem problem;
  for (const auto& [type, slice_inputs] :
       {std::pair(GemmType::kF32, 0UL), std::pair(GemmType::kInt8, 0UL), std::pair(GemmType::kInt8, 64UL)}) {
    const Linear linear(encoder_kernels_for(detect_isa()), type, problem.weights, problem.bias,
                        {.slice_inputs = slice_inputs});
    const std::vector<float> whole = problem.apply(linear);
    const std::size_t first = linear.split_granularity();
    const std::size_t count = problem.outputs - first;
    PreparedBuffer buffer;
    std::vector<float> part(problem.rows * count);
    linear.apply_columns(linear.prepare(problem.x.data(), problem.inputs, problem.rows, buffer), first, count,
                         {.f32 = part.data(), .stride = count});
    for (std::size_t row = 0; row < problem.rows; ++row) {
      for (std::size_t j = 0; j < count; ++j) {
        ASSERT_EQ(part[row * count + j], whole[row * problem.outputs + first + j]);
      }
    }
  }
}

}  // namespace
}  // namespace tandem
