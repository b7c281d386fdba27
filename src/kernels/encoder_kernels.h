// The kernels of the encoder: everything that touches every number on the way from token ids to hidden states. One
// table of functions per instruction set.
//
// All matrices are row-major. A "row" is a token. Results for a row depend on that row alone, never on how many others
// are computed with it: every output element is one chain of multiply-adds over k in one fixed order.
//
// Weights are packed once into panels of EncoderKernels::panel_columns output columns: a panel holds, for each group of
// `group` consecutive k (1 in f32, 2 in bf16, 4 or 2 in int8), the group's values of every column side by side, so that
// one vector load feeds one multiply-add. The last panel is narrower: its width is the remaining columns, rounded up to
// whole vectors. Padding is zero.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa.h"

namespace tandem {

/// bf16 as it lies in memory: the upper half of an f32.
using Bf16 = std::uint16_t;

/// The element types that a matrix product multiplies.
enum class GemmType { kF32, kBf16, kInt8 };

/// What is applied to a matrix product's result, element by element.
enum class Pointwise {
  kNone,
  kGelu,      ///< x · Φ(x), the erf form, within 1.1e-6 of it.
  kGeluFast,  ///< The same within 2e-4 for |x| ≤ 8: for results that are rounded to bf16 or int8 next.
  kGeluTanh,  ///< 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))): gelu_new, gelu_fast, gelu_pytorch_tanh.
  kRelu,
  kTanh,
  kSigmoid,  ///< 1 / (1 + e⁻ˣ).
  kSilu,     ///< x · sigmoid(x), also called swish.
};

/// Activations of one token in int8: x ≈ scale · (q − zero_point), q in [0, 255].
struct RowQuantization {
  float scale;
  std::int32_t zero_point;
};

/// Weights of one matrix product, [k, n], packed; all pointers borrow.
struct PackedWeights {
  const void* panels;
  std::size_t k;
  std::size_t n;
  // int8 only, one per column: the weight's scale, and the sum of the quantised weights.
  const float* column_scales;
  const std::int32_t* column_sums;
};

/// out[m, n] = pointwise(a[m, k] · weights[k, n] + bias[n] + what `out` held, if asked).
struct GemmArguments {
  const void* a;         ///< f32, bf16, or (int8) what quantize_row wrote. [m, k]
  std::size_t a_stride;  ///< Elements from one row to the next.
  std::size_t m;
  PackedWeights weights;
  const float* bias;            ///< [n], or null.
  const RowQuantization* rows;  ///< int8 only: [m].
  Pointwise pointwise;
  float* out;  ///< f32 [m, n], or null when out_bf16 is set.
  Bf16* out_bf16;
  std::size_t out_stride;
  bool accumulate = false;  ///< Adds what `out` held; not with out_bf16.
};

/// Self-attention of one sequence over all heads: softmax((Q·Kᵀ + bias) · scale)·V. Q, K, V lie side by side in one row
/// of `qkv`: columns [0, width), [width, 2·width), [2·width, 3·width), width = heads · head_size.
struct AttentionArguments {
  const float* qkv;      ///< [tokens, 3 · width], or null when qkv_bf16 is set.
  const Bf16* qkv_bf16;  ///< The same in bf16: products of bf16, sums and softmax in f32.
  std::size_t qkv_stride;
  std::size_t tokens;
  std::size_t query_rows;  ///< Only the first rows ask: `tokens`, or 1 where the model reads the first token alone.
  std::size_t heads;
  std::size_t head_size;
  float scale;
  /// What query i of head h adds for key j is position_bias[h · position_bias_stride + j − i]; null: nothing. Before
  /// scaling: a bias that a model adds to scaled scores is divided by `scale` first.
  const float* position_bias = nullptr;
  std::size_t position_bias_stride = 0;
  float* out;  ///< [query_rows, width]
  std::size_t out_stride;
  void* workspace;  ///< attention_workspace_bytes() bytes, aligned to 64.
};

struct EncoderKernels {
  std::size_t panel_columns;
  /// Bytes of an element of quantised activations: 1 with VNNI, 2 without (wide products do not saturate).
  std::size_t int8_activation_bytes;
  bool native_bf16;

  // ---- Weights. `weights` is [n, k] row-major, as checkpoints store linear layers. ----

  /// Bytes of the packed panels of a [k, n] matrix.
  std::size_t (*packed_bytes)(GemmType type, std::size_t k, std::size_t n);
  /// Pack a whole matrix into packed_bytes() bytes. A panel of panel_columns columns takes
  /// packed_bytes(type, k, panel_columns) bytes, so a product with some of the panels needs no other packing.
  void (*pack_f32)(const float* weights, std::size_t k, std::size_t n, float* panels);
  void (*pack_bf16)(const float* weights, std::size_t k, std::size_t n, Bf16* panels);  ///< Null without native_bf16.
  void (*pack_int8)(const std::int8_t* weights, std::size_t k, std::size_t n, std::int8_t* panels);

  // ---- Matrix products and attention. ----

  void (*gemm_f32)(const GemmArguments& arguments);
  void (*gemm_bf16)(const GemmArguments& arguments);  ///< Null without native_bf16.
  void (*gemm_int8)(const GemmArguments& arguments);
  std::size_t (*attention_workspace_bytes)(std::size_t tokens, std::size_t head_size);
  void (*attention)(const AttentionArguments& arguments);

  // ---- Rows. ----

  /// out[i] = LayerNorm(a + b)[i] · gamma[i] + beta[i]; b may be null. `out` may be a or b.
  /// Population variance, as PyTorch: https://arxiv.org/abs/1607.06450
  void (*add_layer_norm)(const float* a, const float* b, const float* gamma, const float* beta, float epsilon,
                         std::size_t width, float* out);
  void (*to_bf16)(const float* in, std::size_t count, Bf16* out);  ///< Null without native_bf16.
  /// Quantises in[i] · multiplier[i] (multiplier may be null) over its own range, zero included, into elements of
  /// int8_activation_bytes. May write up to the next multiple of 64 elements.
  RowQuantization (*quantize_row)(const float* in, const float* multiplier, std::size_t width, void* out);
};

/// The kernels of an instruction set, which the processor must have.
const EncoderKernels& encoder_kernels_for(Isa isa);

}  // namespace tandem
