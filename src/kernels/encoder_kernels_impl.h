// The encoder's table over the vocabulary of simd.h, from the parts that gemm_impl.h, attention_impl.h and rows_impl.h
// hold. Included by one translation unit per instruction set, e.g. x86/kernels_avx512.cc.
#pragma once

#include <type_traits>

#include "kernels/attention_impl.h"
#include "kernels/dot.h"
#include "kernels/encoder_kernels.h"
#include "kernels/gemm_impl.h"
#include "kernels/panels_impl.h"
#include "kernels/rows_impl.h"

namespace tandem {
namespace {

/// The table of an instruction set that multiplies int8 with `Int8Dot` and bf16 with `Bf16Dot`, void where it has no
/// such products.
template <class Int8Dot, class Bf16Dot = void>
constexpr EncoderKernels make_encoder_kernels() {
  EncoderKernels kernels{};
  kernels.panel_columns = kPanelColumns;
  kernels.int8_activation_bytes = sizeof(typename Int8Dot::A);
  kernels.packed_bytes = packed_bytes<Int8Dot, Bf16Dot>;
  kernels.pack_f32 = pack_f32;
  kernels.pack_int8 = pack_int8<Int8Dot>;
  kernels.gemm_f32 = gemm<DotF32>;
  kernels.gemm_int8 = gemm<Int8Dot>;
  if constexpr (!std::is_void_v<Bf16Dot>) {
    kernels.native_bf16 = true;
    kernels.pack_bf16 = pack_bf16<Bf16Dot>;
    kernels.gemm_bf16 = gemm<Bf16Dot>;
    kernels.to_bf16 = to_bf16;
  }
  kernels.attention_workspace_bytes = attention_workspace_bytes<Bf16Dot>;
  kernels.attention = attention<Bf16Dot>;
  kernels.add_layer_norm = add_layer_norm;
  kernels.quantize_row = quantize_row<typename Int8Dot::A>;
  return kernels;
}

}  // namespace
}  // namespace tandem
