// What comes after the sums of a matrix product: scales, bias, pointwise function, conversion.
#pragma once

#include <cstddef>

#include "kernels/encoder_kernels.h"
#include "kernels/panels_impl.h"
#include "kernels/simd.h"
#include "kernels/simd_math.h"

namespace tandem {
namespace {

template <Pointwise kPointwise>
inline Vf apply(Vf x) {
  if constexpr (kPointwise == Pointwise::kGelu) return gelu(x);
  if constexpr (kPointwise == Pointwise::kGeluFast) return gelu_fast(x);
  if constexpr (kPointwise == Pointwise::kGeluTanh) return gelu_tanh(x);
  if constexpr (kPointwise == Pointwise::kRelu) return max(x, zero_f());
  if constexpr (kPointwise == Pointwise::kTanh) return tanh(x);
  if constexpr (kPointwise == Pointwise::kSigmoid) return sigmoid(x);
  if constexpr (kPointwise == Pointwise::kSilu) return mul(x, sigmoid(x));
  return x;
}

/// Finishes rows of a panel whose sums, f32 or (int8) s32, lie in `sums`, [rows, kPanelColumns]: scales, adds the bias,
/// applies the pointwise function and stores.
template <class Dot, Pointwise kPointwise>
void finish_rows(const GemmArguments& g, const float* sums, std::size_t first_row, std::size_t rows,
                 std::size_t first_column, std::size_t width) {
  for (std::size_t i = 0; i < width; i += kLanes) {
    const std::size_t column = first_column + i;
    const std::size_t count = width - i < kLanes ? width - i : kLanes;
    const Vf bias = g.bias == nullptr ? zero_f() : load_first(g.bias + column, count);
    [[maybe_unused]] Vf column_scale = zero_f();
    [[maybe_unused]] Vi column_sum = zero_i();
    if constexpr (sizeof(typename Dot::B) == 1) {
      column_scale = load_first(g.weights.column_scales + column, count);
      column_sum = load_first_i(g.weights.column_sums + column, count);
    }
    for (std::size_t row = 0; row < rows; ++row) {
      const float* source = sums + row * kPanelColumns + i;
      Vf value;
      if constexpr (sizeof(typename Dot::B) == 1) {
        const RowQuantization quantization = g.rows[first_row + row];
        const Vi exact = sub(load_i(source), mul(set_i(quantization.zero_point), column_sum));
        value = fma(to_float(exact), mul(set_f(quantization.scale), column_scale), bias);
      } else {
        value = add(load(source), bias);
      }
      const std::size_t place = (first_row + row) * g.out_stride + column;
      if (g.accumulate) value = add(value, load_first(g.out + place, count));
      value = apply<kPointwise>(value);
      if (g.out_bf16 != nullptr) {
        store_bf16(g.out_bf16 + place, value, count);
      } else {
        store_first(g.out + place, value, count);
      }
    }
  }
}

template <class Dot>
[[gnu::noinline]] void finish(const GemmArguments& g, const float* sums, std::size_t first_row, std::size_t rows,
                              std::size_t first_column, std::size_t columns) {
  const std::size_t left = g.weights.n - first_column;
  const std::size_t width = left < columns ? left : columns;
  switch (g.pointwise) {
    case Pointwise::kNone:
      return finish_rows<Dot, Pointwise::kNone>(g, sums, first_row, rows, first_column, width);
    case Pointwise::kGelu:
      return finish_rows<Dot, Pointwise::kGelu>(g, sums, first_row, rows, first_column, width);
    case Pointwise::kGeluFast:
      return finish_rows<Dot, Pointwise::kGeluFast>(g, sums, first_row, rows, first_column, width);
    case Pointwise::kGeluTanh:
      return finish_rows<Dot, Pointwise::kGeluTanh>(g, sums, first_row, rows, first_column, width);
    case Pointwise::kRelu:
      return finish_rows<Dot, Pointwise::kRelu>(g, sums, first_row, rows, first_column, width);
    case Pointwise::kTanh:
      return finish_rows<Dot, Pointwise::kTanh>(g, sums, first_row, rows, first_column, width);
    case Pointwise::kSigmoid:
      return finish_rows<Dot, Pointwise::kSigmoid>(g, sums, first_row, rows, first_column, width);
    case Pointwise::kSilu:
      return finish_rows<Dot, Pointwise::kSilu>(g, sums, first_row, rows, first_column, width);
  }
}

}  // namespace
}  // namespace tandem
