// Every instruction set that this machine has, against the scalar reference.
#include "kernels/encoder_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/testing/each_isa.h"

namespace tandem {
namespace {

class EncoderKernelsTest : public EachIsa {
 protected:
  const EncoderKernels& fast() const { return encoder_kernels_for(GetParam()); }
  const EncoderKernels& reference() const { return encoder_kernels_for(Isa::kScalar); }
};

INSTANTIATE_TEST_SUITE_P(Isas, EncoderKernelsTest, each_isa(), isa_of);

struct Shape {
  std::size_t m, k, n;
};
constexpr Shape kShapes[] = {{1, 1, 1},     {2, 3, 5},     {6, 32, 64},   {7, 26, 26},    {13, 64, 80},
                             {5, 100, 17},  {64, 96, 130}, {9, 384, 1},   {31, 312, 312}, {12, 128, 384},
                             {3, 1536, 48}, {47, 64, 100}, {33, 128, 16}, {16, 192, 33}};

TEST_P(EncoderKernelsTest, F32ProductsMatchTheReference) {
  for (const Shape shape : kShapes) {
    const auto a = randoms(shape.m * shape.k);
    const auto weights = randoms(shape.n * shape.k);
    const auto bias = randoms(shape.n);
    const auto product = [&](const EncoderKernels& kernels, Pointwise pointwise) {
      std::vector<float> panels(kernels.packed_bytes(GemmType::kF32, shape.k, shape.n) / sizeof(float));
      kernels.pack_f32(weights.data(), shape.k, shape.n, panels.data());
      std::vector<float> out(shape.m * shape.n, NAN);
      kernels.gemm_f32({.a = a.data(),
                        .a_stride = shape.k,
                        .m = shape.m,
                        .weights = {panels.data(), shape.k, shape.n, nullptr, nullptr},
                        .bias = bias.data(),
                        .rows = nullptr,
                        .pointwise = pointwise,
                        .out = out.data(),
                        .out_bf16 = nullptr,
                        .out_stride = shape.n});
      return out;
    };
    // A chain of k rounded additions errs by at most k · ε · Σ|aᵢ wᵢ|; the expected size is √k of it.
    const float tolerance = 4 * kEpsilon * static_cast<float>(shape.k) + 2e-6F;
    for (const Pointwise pointwise : {Pointwise::kNone, Pointwise::kGelu, Pointwise::kGeluTanh, Pointwise::kRelu,
                                      Pointwise::kTanh, Pointwise::kSigmoid, Pointwise::kSilu}) {
      const auto expected = product(reference(), pointwise);
      const auto got = product(fast(), pointwise);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(got[i], expected[i], tolerance * std::max(1.0F, std::abs(expected[i])))
            << shape.m << "x" << shape.k << "x" << shape.n << " at " << i << " function "
            << static_cast<int>(pointwise);
      }
    }
  }
}

TEST_P(EncoderKernelsTest, ARowOfAProductHasTheSameBitsAmongAnyNumberOfRows) {
  const std::size_t k = 100;
  const std::size_t n = 150;
  const std::size_t rows = 300;
  const auto a = randoms(rows * k);
  const auto weights = randoms(n * k);
  std::vector<float> panels(fast().packed_bytes(GemmType::kF32, k, n) / sizeof(float));
  fast().pack_f32(weights.data(), k, n, panels.data());
  const auto product = [&](std::size_t first, std::size_t count) {
    std::vector<float> out(count * n);
    fast().gemm_f32({.a = a.data() + first * k,
                     .a_stride = k,
                     .m = count,
                     .weights = {panels.data(), k, n, nullptr, nullptr},
                     .bias = nullptr,
                     .rows = nullptr,
                     .pointwise = Pointwise::kGelu,
                     .out = out.data(),
                     .out_bf16 = nullptr,
                     .out_stride = n});
    return out;
  };
  const auto whole = product(0, rows);
  for (std::size_t count = 1; count <= rows; count += count < 20 ? 1 : 17) {
    const auto part = product(rows - count, count);
    ASSERT_TRUE(std::equal(part.begin(), part.end(), whole.end() - static_cast<std::ptrdiff_t>(part.size()))) << count;
  }
}

TEST_P(EncoderKernelsTest, Int8ProductsAreExactBeforeTheyAreScaled) {
  for (const Shape shape : kShapes) {
    std::vector<std::int8_t> weights(shape.n * shape.k);
    std::vector<std::int32_t> sums(shape.n);
    std::uniform_int_distribution<int> byte(-127, 127);
    for (std::size_t j = 0; j < shape.n; ++j) {
      for (std::size_t i = 0; i < shape.k; ++i) {
        // Every third column is at the limit, where 16-bit intermediates would saturate.
        weights[j * shape.k + i] = static_cast<std::int8_t>(j % 3 == 0 ? 127 : byte(random_));
        sums[j] += weights[j * shape.k + i];
      }
    }
    auto a = randoms(shape.m * shape.k);
    std::fill(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(shape.k), 3.0F);
    const auto multiplier = randoms(shape.k, 0.5F);
    const auto bias = randoms(shape.n);
    const auto scales = std::vector<float>(shape.n, 0.01F);
    const auto product = [&](const EncoderKernels& kernels, bool accumulate) {
      std::vector<std::int8_t> panels(kernels.packed_bytes(GemmType::kInt8, shape.k, shape.n));
      kernels.pack_int8(weights.data(), shape.k, shape.n, panels.data());
      const std::size_t stride = (shape.k + 63) / 64 * 64;
      std::vector<std::uint8_t> quantized(shape.m * stride * kernels.int8_activation_bytes);
      std::vector<RowQuantization> rows(shape.m);
      for (std::size_t row = 0; row < shape.m; ++row) {
        rows[row] = kernels.quantize_row(a.data() + row * shape.k, row % 2 == 0 ? nullptr : multiplier.data(), shape.k,
                                         quantized.data() + row * stride * kernels.int8_activation_bytes);
      }
      std::vector<float> out(shape.m * shape.n, accumulate ? 0.5F : NAN);
      kernels.gemm_int8({.a = quantized.data(),
                         .a_stride = stride,
                         .m = shape.m,
                         .weights = {panels.data(), shape.k, shape.n, scales.data(), sums.data()},
                         .bias = bias.data(),
                         .rows = rows.data(),
                         .pointwise = Pointwise::kNone,
                         .out = out.data(),
                         .out_bf16 = nullptr,
                         .out_stride = shape.n,
                         .accumulate = accumulate});
      return out;
    };
    for (const bool accumulate : {false, true}) {
      const auto expected = product(reference(), accumulate);
      const auto got = product(fast(), accumulate);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(got[i], expected[i], 6 * kEpsilon * std::max(1.0F, std::abs(expected[i])))
            << shape.m << "x" << shape.k << "x" << shape.n << " at " << i;
      }
    }
  }
}

TEST_P(EncoderKernelsTest, Bf16ProductsErrByTheRoundingOfTheirFactorsOnly) {
  if (!fast().native_bf16) GTEST_SKIP() << "no bf16 products on " << isa_name(GetParam());
  const auto rounded = [](float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, 4);
    bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000;
    std::memcpy(&value, &bits, 4);
    return value;
  };
  for (const Shape shape : kShapes) {
    if (shape.k % 2 != 0) continue;  // The row after the last would be read: rows of activations are spaced evenly.
    auto a = randoms(shape.m * shape.k);
    auto weights = randoms(shape.n * shape.k);
    std::vector<Bf16> narrow(a.size());
    fast().to_bf16(a.data(), a.size(), narrow.data());
    std::vector<Bf16> panels(fast().packed_bytes(GemmType::kBf16, shape.k, shape.n) / sizeof(Bf16));
    fast().pack_bf16(weights.data(), shape.k, shape.n, panels.data());
    std::vector<float> got(shape.m * shape.n, NAN);
    fast().gemm_bf16({.a = narrow.data(),
                      .a_stride = shape.k,
                      .m = shape.m,
                      .weights = {panels.data(), shape.k, shape.n, nullptr, nullptr},
                      .bias = nullptr,
                      .rows = nullptr,
                      .pointwise = Pointwise::kNone,
                      .out = got.data(),
                      .out_bf16 = nullptr,
                      .out_stride = shape.n});
    std::transform(a.begin(), a.end(), a.begin(), rounded);
    std::transform(weights.begin(), weights.end(), weights.begin(), rounded);
    std::vector<float> expected(got.size());
    reference().gemm_f32({.a = a.data(),
                          .a_stride = shape.k,
                          .m = shape.m,
                          .weights = {weights.data(), shape.k, shape.n, nullptr, nullptr},
                          .bias = nullptr,
                          .rows = nullptr,
                          .pointwise = Pointwise::kNone,
                          .out = expected.data(),
                          .out_bf16 = nullptr,
                          .out_stride = shape.n});
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(got[i], expected[i], 4 * kEpsilon * static_cast<float>(shape.k) + 1e-6F);
    }
  }
}

TEST_P(EncoderKernelsTest, FastGeluIsWithinItsBound) {
  std::vector<float> x(3200);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = -8.0F + 16.0F * static_cast<float>(i) / static_cast<float>(x.size());
  const float one = 1.0F;
  const auto apply = [&](const EncoderKernels& kernels, Pointwise pointwise) {
    std::vector<float> panels(kernels.packed_bytes(GemmType::kF32, 1, 1) / sizeof(float));
    kernels.pack_f32(&one, 1, 1, panels.data());
    std::vector<float> out(x.size());
    kernels.gemm_f32({.a = x.data(),
                      .a_stride = 1,
                      .m = x.size(),
                      .weights = {panels.data(), 1, 1, nullptr, nullptr},
                      .bias = nullptr,
                      .rows = nullptr,
                      .pointwise = pointwise,
                      .out = out.data(),
                      .out_bf16 = nullptr,
                      .out_stride = 1});
    return out;
  };
  const auto exact = apply(reference(), Pointwise::kGelu);
  const auto fine = apply(fast(), Pointwise::kGelu);
  const auto coarse = apply(fast(), Pointwise::kGeluFast);
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_NEAR(fine[i], exact[i], 1.1e-6F + 2 * kEpsilon * std::abs(x[i])) << x[i];
    ASSERT_NEAR(coarse[i], exact[i], 2e-4F) << x[i];
  }
}

TEST_P(EncoderKernelsTest, AttentionMatchesTheReferenceAndItsRowsDoNotDependOnHowManyAsk) {
  struct Case {
    std::size_t tokens, heads, head_size;
  };
  for (const Case c : {Case{1, 1, 8}, Case{5, 12, 32}, Case{17, 2, 64}, Case{82, 3, 26}, Case{200, 2, 32}}) {
    const std::size_t width = c.heads * c.head_size;
    const auto qkv = randoms(c.tokens * 3 * width + 64);
    const std::size_t distances = 2 * c.tokens - 1;
    const auto biases = randoms(c.heads * distances, 10.0F);
    for (const bool biased : {false, true}) {
      const auto attend = [&](const EncoderKernels& kernels, std::size_t rows, bool bf16) {
        std::vector<Bf16> narrow(qkv.size());
        if (bf16) kernels.to_bf16(qkv.data(), qkv.size(), narrow.data());
        const std::size_t bytes = kernels.attention_workspace_bytes(c.tokens, c.head_size);
        void* workspace = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
        std::vector<float> out(rows * width, NAN);
        kernels.attention({.qkv = qkv.data(),
                           .qkv_bf16 = bf16 ? narrow.data() : nullptr,
                           .qkv_stride = 3 * width,
                           .tokens = c.tokens,
                           .query_rows = rows,
                           .heads = c.heads,
                           .head_size = c.head_size,
                           .scale = 1.0F / std::sqrt(static_cast<float>(c.head_size)),
                           .position_bias = biased ? biases.data() + c.tokens - 1 : nullptr,
                           .position_bias_stride = distances,
                           .out = out.data(),
                           .out_stride = width,
                           .workspace = workspace});
        std::free(workspace);
        return out;
      };
      const auto expected = attend(reference(), c.tokens, false);
      const auto got = attend(fast(), c.tokens, false);
      for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(got[i], expected[i], 2e-5F) << c.tokens << " " << i;
      const auto first = attend(fast(), 1, false);
      ASSERT_TRUE(std::equal(first.begin(), first.end(), got.begin()));
      if (fast().native_bf16) {
        const auto coarse = attend(fast(), c.tokens, true);
        // Each factor errs by 2⁻⁹ of itself, scores by about 2⁻⁸ of their size, which is at most 4 here.
        for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(coarse[i], expected[i], 0.05F);
      }
    }
  }
}

TEST_P(EncoderKernelsTest, LayerNormMatchesTheReference) {
  for (const std::size_t width : {1, 7, 16, 26, 312, 384, 1000}) {
    const auto a = randoms(width);
    const auto b = randoms(width, 10.0F);
    const auto gamma = randoms(width);
    const auto beta = randoms(width);
    for (const float* addend : {static_cast<const float*>(nullptr), b.data()}) {
      std::vector<float> expected(width);
      std::vector<float> got(width);
      reference().add_layer_norm(a.data(), addend, gamma.data(), beta.data(), 1e-12F, width, expected.data());
      fast().add_layer_norm(a.data(), addend, gamma.data(), beta.data(), 1e-12F, width, got.data());
      for (std::size_t i = 0; i < width; ++i) ASSERT_NEAR(got[i], expected[i], 4e-6F * (1 + std::abs(expected[i])));
    }
  }
}

}  // namespace
}  // namespace tandem
