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

Linear::Linear(const EncoderKernels& kernels, GemmType type, std::span<const float> weights,
               std::span<const float> bias, const QuantizationHints& hints)
    : kernels_(&kernels),
      type_(type),
      inputs_(weights.size() / bias.size()),
      outputs_(bias.size()),
      slice_inputs_(inputs_),
      bias_(bias.begin(), bias.end()) {
  if (type == GemmType::kInt8 && hints.slice_inputs > 0 && hints.slice_inputs < inputs_) {
    CHECK(hints.slice_inputs % 64 == 0);
    slices_ = (inputs_ + hints.slice_inputs - 1) / hints.slice_inputs;
    slice_inputs_ = round_up((inputs_ + slices_ - 1) / slices_, 64);
    slices_ = (inputs_ + slice_inputs_ - 1) / slice_inputs_;
  }
  panels_.reserve((slices_ - 1) * kernels.packed_bytes(type, slice_inputs_, outputs_) +
                  kernels.packed_bytes(type, inputs_of(slices_ - 1), outputs_));
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
  if (!hints.input_magnitudes.empty()) {
    factors = smoothing_factors(weights, inputs_, outputs_, hints.input_magnitudes);
    input_multipliers_.resize(inputs_);
    for (std::size_t i = 0; i < inputs_; ++i) input_multipliers_[i] = 1.0F / factors[i];
  }
  column_scales_.resize(slices_ * outputs_);
  column_sums_.resize(slices_ * outputs_);
  for (std::size_t slice = 0; slice < slices_; ++slice) quantize(weights, slice, factors);
}

// Symmetric, one scale per output of a slice: w ≈ scale · q, q in [-127, 127].
void Linear::quantize(std::span<const float> weights, std::size_t slice, std::span<const float> factors) {
  const std::size_t first = first_input(slice);
  const std::size_t inputs = inputs_of(slice);
  std::vector<std::int8_t> quantized(outputs_ * inputs);
  std::vector<float> smoothed(inputs);
  for (std::size_t row = 0; row < outputs_; ++row) {
    float peak = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
      smoothed[i] = weights[row * inputs_ + first + i] * factors[first + i];
      peak = std::max(peak, std::abs(smoothed[i]));
    }
    const float scale = peak > 0 ? peak / 127.0F : 1.0F;
    const float inverse = 1.0F / scale;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
      const auto q = static_cast<std::int32_t>(std::lrintf(std::clamp(smoothed[i] * inverse, -127.0F, 127.0F)));
      quantized[row * inputs + i] = static_cast<std::int8_t>(q);
      sum += q;
    }
    column_scales_[slice * outputs_ + row] = scale;
    column_sums_[slice * outputs_ + row] = sum;
  }
  std::uint8_t* panels = panels_.data() + slice * kernels_->packed_bytes(type_, slice_inputs_, outputs_);
  kernels_->pack_int8(quantized.data(), inputs, outputs_, reinterpret_cast<std::int8_t*>(panels));
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
  if (type_ == GemmType::kF32) return {in, stride, rows, nullptr, 0};
  const std::size_t prepared_stride = round_up(inputs_, 64);
  buffer.data.reserve(rows * prepared_stride * element_bytes());
  std::uint8_t* out = buffer.data.data();
  if (type_ == GemmType::kBf16) {
    for (std::size_t row = 0; row < rows; ++row) {
      kernels_->to_bf16(in + row * stride, inputs_, reinterpret_cast<Bf16*>(out) + row * prepared_stride);
    }
    return {out, prepared_stride, rows, nullptr, 0};
  }
  if (buffer.quantization.size() < slices_ * rows) buffer.quantization.resize(slices_ * rows);
  for (std::size_t slice = 0; slice < slices_; ++slice) {
    const std::size_t first = first_input(slice);
    const float* multipliers = input_multipliers_.empty() ? nullptr : input_multipliers_.data() + first;
    for (std::size_t row = 0; row < rows; ++row) {
      buffer.quantization[slice * rows + row] =
          kernels_->quantize_row(in + row * stride + first, multipliers, inputs_of(slice),
                                 out + (row * prepared_stride + first) * element_bytes());
    }
  }
  return {out, prepared_stride, rows, buffer.quantization.data(), rows};
}

void Linear::apply_columns(const PreparedRows& in, std::size_t first, std::size_t count, const LinearOutput& out,
                           Pointwise pointwise) const {
  CHECK(first % kernels_->panel_columns == 0 || first == 0);
  CHECK(slices_ == 1 || out.bf16 == nullptr);
  for (std::size_t slice = 0; slice < slices_; ++slice) {
    const std::size_t inputs = inputs_of(slice);
    const std::uint8_t* panels = panels_.data() + slice * kernels_->packed_bytes(type_, slice_inputs_, outputs_);
    if (first > 0) panels += kernels_->packed_bytes(type_, inputs, first);
    const bool is_int8 = type_ == GemmType::kInt8;
    const GemmArguments arguments{
        .a = static_cast<const std::uint8_t*>(in.data) + first_input(slice) * element_bytes(),
        .a_stride = in.stride,
        .m = in.rows,
        .weights = {panels, inputs, count, is_int8 ? &column_scales_[slice * outputs_ + first] : nullptr,
                    is_int8 ? &column_sums_[slice * outputs_ + first] : nullptr},
        .bias = slice == 0 ? bias_.data() + first : nullptr,
        .rows = is_int8 ? in.quantization + slice * in.quantization_stride : nullptr,
        .pointwise = slice + 1 == slices_ ? pointwise : Pointwise::kNone,
        .out = out.f32,
        .out_bf16 = out.bf16,
        .out_stride = out.stride,
        .accumulate = slice > 0,
    };
    switch (type_) {
      case GemmType::kF32:
        kernels_->gemm_f32(arguments);
        break;
      case GemmType::kBf16:
        kernels_->gemm_bf16(arguments);
        break;
      case GemmType::kInt8:
        kernels_->gemm_int8(arguments);
    }
  }
}

}  // namespace tandem
