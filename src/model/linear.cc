#include "model/linear.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"

namespace tandem {
namespace {

std::size_t round_up(std::size_t value, std::size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

/// SmoothQuant (arXiv 2211.10438, equation 4, α = 1/2): input j is divided by sⱼ = √(|xⱼ| / max|wⱼ|) and its weights
/// are multiplied by it, which moves the difficulty of a few large inputs into the weights.
std::vector<float> smoothing_factors(std::span<const float> weights, std::size_t inputs, std::size_t outputs,
                                     std::span<const float> input_magnitudes) {
  std::vector<float> weight_peaks(inputs, 0.0F);
  for (std::size_t row = 0; row < outputs; ++row) {
    const float* values = weights.data() + row * inputs;
    for (std::size_t i = 0; i < inputs; ++i) weight_peaks[i] = std::max(weight_peaks[i], std::abs(values[i]));
  }
  // An input that is always 0, or a column of zeros, must not make a factor of 0 or infinity.
  constexpr float kFloor = 1e-4F;
  const float weight_floor = std::max(kFloor * std::ranges::max(weight_peaks), 1e-30F);
  const float input_floor = std::max(kFloor * std::ranges::max(input_magnitudes), 1e-30F);
  std::vector<float> factors(inputs);
  for (std::size_t i = 0; i < inputs; ++i) {
    factors[i] = std::sqrt(std::max(input_magnitudes[i], input_floor) / std::max(weight_peaks[i], weight_floor));
  }
  return factors;
}

}  // namespace

Linear::Linear(const Kernels& kernels, GemmType type, std::span<const float> weights, std::span<const float> bias,
               std::span<const float> input_magnitudes)
    : kernels_(&kernels),
      type_(type),
      inputs_(weights.size() / bias.size()),
      outputs_(bias.size()),
      panels_(kernels.packed_bytes(type, inputs_, outputs_)),
      bias_(bias.begin(), bias.end()) {
  switch (type) {
    case GemmType::kF32:
      kernels.pack_f32(weights.data(), inputs_, outputs_, reinterpret_cast<float*>(panels_.data()));
      return;
    case GemmType::kBf16:
      kernels.pack_bf16(weights.data(), inputs_, outputs_, reinterpret_cast<Bf16*>(panels_.data()));
      return;
    case GemmType::kInt8:
      break;
  }
  std::vector<float> factors(inputs_, 1.0F);
  if (!input_magnitudes.empty()) {
    factors = smoothing_factors(weights, inputs_, outputs_, input_magnitudes);
    input_multipliers_.resize(inputs_);
    for (std::size_t i = 0; i < inputs_; ++i) input_multipliers_[i] = 1.0F / factors[i];
  }
  // Symmetric, one scale per output: w ≈ scale · q, q in [-127, 127].
  std::vector<std::int8_t> quantized(weights.size());
  column_scales_.resize(outputs_);
  column_sums_.resize(outputs_);
  std::vector<float> smoothed(inputs_);
  for (std::size_t row = 0; row < outputs_; ++row) {
    float peak = 0;
    for (std::size_t i = 0; i < inputs_; ++i) {
      smoothed[i] = weights[row * inputs_ + i] * factors[i];
      peak = std::max(peak, std::abs(smoothed[i]));
    }
    const float scale = peak > 0 ? peak / 127.0F : 1.0F;
    const float inverse = 1.0F / scale;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < inputs_; ++i) {
      const auto q = static_cast<std::int32_t>(std::lrintf(std::clamp(smoothed[i] * inverse, -127.0F, 127.0F)));
      quantized[row * inputs_ + i] = static_cast<std::int8_t>(q);
      sum += q;
    }
    column_scales_[row] = scale;
    column_sums_[row] = sum;
  }
  kernels.pack_int8(quantized.data(), inputs_, outputs_, reinterpret_cast<std::int8_t*>(panels_.data()));
}

std::size_t Linear::element_bytes() const {
  switch (type_) {
    case GemmType::kF32:
      return sizeof(float);
    case GemmType::kBf16:
      return sizeof(Bf16);
    case GemmType::kInt8:
      break;
  }
  return kernels_->int8_activation_bytes;
}

PreparedRows Linear::prepare(const float* in, std::size_t stride, std::size_t rows, PreparedBuffer& buffer) const {
  if (type_ == GemmType::kF32) return {in, stride, rows, nullptr};
  const std::size_t prepared_stride = round_up(inputs_, 64);
  buffer.data.reserve(rows * prepared_stride * element_bytes());
  std::uint8_t* out = buffer.data.data();
  if (type_ == GemmType::kBf16) {
    for (std::size_t row = 0; row < rows; ++row) {
      kernels_->to_bf16(in + row * stride, inputs_, reinterpret_cast<Bf16*>(out) + row * prepared_stride);
    }
    return {out, prepared_stride, rows, nullptr};
  }
  if (buffer.quantization.size() < rows) buffer.quantization.resize(rows);
  const float* multipliers = input_multipliers_.empty() ? nullptr : input_multipliers_.data();
  for (std::size_t row = 0; row < rows; ++row) {
    buffer.quantization[row] =
        kernels_->quantize_row(in + row * stride, multipliers, inputs_, out + row * prepared_stride * element_bytes());
  }
  return {out, prepared_stride, rows, buffer.quantization.data()};
}

void Linear::apply_columns(const PreparedRows& in, std::size_t first, std::size_t count, const LinearOutput& out,
                           Pointwise pointwise) const {
  CHECK(first % kernels_->panel_columns == 0 || first == 0);
  const std::size_t offset_bytes = first == 0 ? 0 : kernels_->packed_bytes(type_, inputs_, first);
  const GemmArguments arguments{
      .a = in.data,
      .a_stride = in.stride,
      .m = in.rows,
      .weights = {panels_.data() + offset_bytes, inputs_, count,
                  column_scales_.data() + (column_scales_.empty() ? 0 : first),
                  column_sums_.data() + (column_sums_.empty() ? 0 : first)},
      .bias = bias_.data() + first,
      .rows = in.quantization,
      .pointwise = pointwise,
      .out = out.f32,
      .out_bf16 = out.bf16,
      .out_stride = out.stride,
  };
  switch (type_) {
    case GemmType::kF32:
      return kernels_->gemm_f32(arguments);
    case GemmType::kBf16:
      return kernels_->gemm_bf16(arguments);
    case GemmType::kInt8:
      return kernels_->gemm_int8(arguments);
  }
}

}  // namespace tandem
