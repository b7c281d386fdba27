// A linear layer, y = x · Wᵀ + b, with its weights packed for one precision and one instruction set.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/encoder_kernels.h"

namespace tandem {

/// Rows ready to be multiplied: f32 as they were, or converted to bf16 or int8. Borrows.
struct PreparedRows {
  const void* data = nullptr;
  std::size_t stride = 0;  ///< Elements.
  std::size_t rows = 0;
  const RowQuantization* quantization = nullptr;  ///< Of the first slice of inputs; int8 only.
  std::size_t quantization_stride = 0;            ///< From one slice's to the next one's.

  PreparedRows from(std::size_t first, std::size_t count, std::size_t element_bytes) const {
    return {static_cast<const char*>(data) + first * stride * element_bytes, stride, count,
            quantization == nullptr ? nullptr : quantization + first, quantization_stride};
  }
};

/// Memory for PreparedRows.
struct PreparedBuffer {
  AlignedBuffer<std::uint8_t> data;
  std::vector<RowQuantization> quantization;
};

struct LinearOutput {
  float* f32 = nullptr;
  Bf16* bf16 = nullptr;  ///< Instead of f32; only where products are bf16.
  std::size_t stride = 0;
};

/// How int8 keeps its accuracy.
struct QuantizationHints {
  std::span<const float> input_magnitudes = {};  ///< How large each input is, up to a common factor, [inputs]; empty:
                                                 ///< alike, so nothing is smoothed.
  /// Inputs are cut into slices of at most this many, a multiple of 64, and each slice of a row and of a weight has a
  /// scale of its own; 0: one slice. A sliced layer writes f32.
  std::size_t slice_inputs = 0;
};

/// Immutable and thread-safe.
class Linear {
 public:
  Linear() = default;

  /// `weights`: [outputs, inputs], row-major. `hints` are for int8 only.
  Linear(const EncoderKernels& kernels, GemmType type, std::span<const float> weights, std::span<const float> bias,
         const QuantizationHints& hints = {});

  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return outputs_; }
  GemmType type() const { return type_; }
  std::size_t element_bytes() const;

  /// Converts rows of f32 to what apply() multiplies. The result borrows from `buffer`, or from `in` in f32.
  PreparedRows prepare(const float* in, std::size_t stride, std::size_t rows, PreparedBuffer& buffer) const;

  /// out[rows, outputs] = pointwise(in · Wᵀ + b).
  void apply(const PreparedRows& in, const LinearOutput& out, Pointwise pointwise = Pointwise::kNone) const {
    apply_columns(in, 0, outputs_, out, pointwise);
  }

  /// The same for outputs [first, first + count) only; `out` has room for `count`. `first` is a multiple of
  /// split_granularity().
  void apply_columns(const PreparedRows& in, std::size_t first, std::size_t count, const LinearOutput& out,
                     Pointwise pointwise = Pointwise::kNone) const;
  std::size_t split_granularity() const { return kernels_->panel_columns; }

 private:
  void quantize(std::span<const float> weights, std::size_t slice, std::span<const float> factors);
  std::size_t first_input(std::size_t slice) const { return slice * slice_inputs_; }
  std::size_t inputs_of(std::size_t slice) const { return std::min(slice_inputs_, inputs_ - first_input(slice)); }

  const EncoderKernels* kernels_ = nullptr;
  GemmType type_ = GemmType::kF32;
  std::size_t inputs_ = 0;
  std::size_t outputs_ = 0;
  std::size_t slice_inputs_ = 0;  // Of each slice but the last, which has the rest.
  std::size_t slices_ = 1;
  AlignedBuffer<std::uint8_t> panels_;  // Of one slice after the other.
  std::vector<float> bias_;
  std::vector<float> column_scales_;  // [slices, outputs]
  std::vector<std::int32_t> column_sums_;
  std::vector<float> input_multipliers_;  // 1 / smoothing factor; empty: none.
};

}  // namespace tandem
