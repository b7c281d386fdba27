// The reference: what each kernel means, in the plainest form, with sums in double. Slow on purpose. Every faster
// version is tested against it, and a processor without AVX2 runs it.
#include <cmath>
#include <cstring>

#include "kernels/encoder_kernels.h"
#include "kernels/scalar_kernels.h"

namespace tandem {
namespace {

constexpr std::size_t kPanelColumns = 16;

std::size_t packed_bytes(GemmType type, std::size_t k, std::size_t n) {
  return k * n * (type == GemmType::kInt8 ? 1 : type == GemmType::kBf16 ? 2 : 4);
}

// Panels of the reference are the matrix itself, [n, k].
void pack_f32(const float* weights, std::size_t k, std::size_t n, float* panels) {
  std::memcpy(panels, weights, k * n * sizeof(float));
}

void pack_int8(const std::int8_t* weights, std::size_t k, std::size_t n, std::int8_t* panels) {
  std::memcpy(panels, weights, k * n);
}

double pointwise(Pointwise function, double x) {
  switch (function) {
    case Pointwise::kNone:
      return x;
    case Pointwise::kGelu:
    case Pointwise::kGeluFast:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Pointwise::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Pointwise::kRelu:
      return x > 0 ? x : 0;
    case Pointwise::kTanh:
      return std::tanh(x);
    case Pointwise::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case Pointwise::kSilu:
      return x / (1 + std::exp(-x));
  }
  return x;
}

void gemm_f32(const GemmArguments& g) {
  const auto* a = static_cast<const float*>(g.a);
  const auto* weights = static_cast<const float*>(g.weights.panels);
  for (std::size_t row = 0; row < g.m; ++row) {
    for (std::size_t column = 0; column < g.weights.n; ++column) {
      float& out = g.out[row * g.out_stride + column];
      double sum = g.bias == nullptr ? 0 : g.bias[column];
      if (g.accumulate) sum += out;
      for (std::size_t i = 0; i < g.weights.k; ++i) {
        sum += static_cast<double>(a[row * g.a_stride + i]) * weights[column * g.weights.k + i];
      }
      out = static_cast<float>(pointwise(g.pointwise, sum));
    }
  }
}

void gemm_int8(const GemmArguments& g) {
  const auto* a = static_cast<const std::int16_t*>(g.a);
  const auto* weights = static_cast<const std::int8_t*>(g.weights.panels);
  for (std::size_t row = 0; row < g.m; ++row) {
    for (std::size_t column = 0; column < g.weights.n; ++column) {
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < g.weights.k; ++i) {
        sum += (a[row * g.a_stride + i] - g.rows[row].zero_point) * weights[column * g.weights.k + i];
      }
      float& out = g.out[row * g.out_stride + column];
      const double value = static_cast<double>(sum) * g.rows[row].scale * g.weights.column_scales[column] +
                           (g.bias == nullptr ? 0 : g.bias[column]) + (g.accumulate ? out : 0);
      out = static_cast<float>(pointwise(g.pointwise, value));
    }
  }
}

std::size_t attention_workspace_bytes(std::size_t tokens, std::size_t) { return tokens * sizeof(double); }

void attention(const AttentionArguments& a) {
  const std::size_t width = a.heads * a.head_size;
  auto* probabilities = static_cast<double*>(a.workspace);
  for (std::size_t head = 0; head < a.heads; ++head) {
    for (std::size_t row = 0; row < a.query_rows; ++row) {
      const float* query = a.qkv + row * a.qkv_stride + head * a.head_size;
      const float* bias = a.position_bias == nullptr ? nullptr : a.position_bias + head * a.position_bias_stride - row;
      double largest = -1e300;
      for (std::size_t token = 0; token < a.tokens; ++token) {
        const float* key = a.qkv + token * a.qkv_stride + width + head * a.head_size;
        double score = 0;
        for (std::size_t i = 0; i < a.head_size; ++i) score += static_cast<double>(query[i]) * key[i];
        if (bias != nullptr) score += bias[token];
        probabilities[token] = score * a.scale;
        largest = std::fmax(largest, probabilities[token]);
      }
      double sum = 0;
      for (std::size_t token = 0; token < a.tokens; ++token) {
        probabilities[token] = std::exp(probabilities[token] - largest);
        sum += probabilities[token];
      }
      for (std::size_t i = 0; i < a.head_size; ++i) {
        double mix = 0;
        for (std::size_t token = 0; token < a.tokens; ++token) {
          mix += probabilities[token] * a.qkv[token * a.qkv_stride + 2 * width + head * a.head_size + i];
        }
        a.out[row * a.out_stride + head * a.head_size + i] = static_cast<float>(mix / sum);
      }
    }
  }
}

void add_layer_norm(const float* a, const float* b, const float* gamma, const float* beta, float epsilon,
                    std::size_t width, float* out) {
  double sum = 0;
  for (std::size_t i = 0; i < width; ++i) {
    out[i] = b == nullptr ? a[i] : a[i] + b[i];
    sum += out[i];
  }
  const double mean = sum / static_cast<double>(width);
  double squares = 0;
  for (std::size_t i = 0; i < width; ++i) squares += (out[i] - mean) * (out[i] - mean);
  const double inverse = 1 / std::sqrt(squares / static_cast<double>(width) + epsilon);
  for (std::size_t i = 0; i < width; ++i) out[i] = static_cast<float>((out[i] - mean) * inverse * gamma[i] + beta[i]);
}

RowQuantization quantize_row(const float* in, const float* multiplier, std::size_t width, void* out) {
  const auto value = [&](std::size_t i) { return multiplier == nullptr ? in[i] : in[i] * multiplier[i]; };
  float low = 0;
  float high = 0;
  for (std::size_t i = 0; i < width; ++i) {
    low = std::fmin(low, value(i));
    high = std::fmax(high, value(i));
  }
  const float scale = high > low ? (high - low) / 255.0F : 1.0F;
  const float inverse = 1.0F / scale;
  const float zero_point = std::rint(-low * inverse);
  for (std::size_t i = 0; i < width; ++i) {
    const float q = std::rint(std::fma(value(i), inverse, zero_point));
    static_cast<std::int16_t*>(out)[i] = static_cast<std::int16_t>(std::fmin(std::fmax(q, 0.0F), 255.0F));
  }
  return {scale, static_cast<std::int32_t>(zero_point)};
}

}  // namespace

constinit const EncoderKernels kEncoderKernelsScalar = {
    .panel_columns = kPanelColumns,
    .int8_activation_bytes = sizeof(std::int16_t),
    .native_bf16 = false,
    .packed_bytes = packed_bytes,
    .pack_f32 = pack_f32,
    .pack_bf16 = nullptr,
    .pack_int8 = pack_int8,
    .gemm_f32 = gemm_f32,
    .gemm_bf16 = nullptr,
    .gemm_int8 = gemm_int8,
    .attention_workspace_bytes = attention_workspace_bytes,
    .attention = attention,
    .add_layer_norm = add_layer_norm,
    .to_bf16 = nullptr,
    .quantize_row = quantize_row,
};

}  // namespace tandem
