// The kernels over the vocabulary of simd.h. A translation unit per instruction set defines TANDEM_KERNELS_ISA and
// includes this file; see kernels_avx512.cc. The contracts are in kernels.h, the plain reference in kernels_scalar.cc.
#pragma once

#include "kernels/gemm_impl.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"

namespace tandem {
namespace {

// ---- Attention ----
//
// Per head: Kᵀ and V are packed into panels like weights, then a few query rows at a time are multiplied with Kᵀ,
// turned into probabilities and multiplied with V, all within the first cache level.

/// Packs Kᵀ: column = key, k = component. `rows` points at this head's K of the first token.
template <class Dot, class T>
void pack_keys(const T* rows, std::size_t stride, std::size_t tokens, std::size_t head_size, T* panels) {
  constexpr std::size_t kGroup = Dot::kGroup;
  const std::size_t whole_groups = head_size / kGroup;
  const std::size_t groups = (head_size + kGroup - 1) / kGroup;
  for (std::size_t key = 0; key < tokens; key += kPanelColumns) {
    const std::size_t count = tokens - key < kPanelColumns ? tokens - key : kPanelColumns;
    const std::size_t width = round_up(count, kLanes);
    for (std::size_t j = 0; j < count; ++j) {
      const T* source = rows + (key + j) * stride;
      T* target = panels + j * kGroup;
      for (std::size_t group = 0; group < whole_groups; ++group) {
        std::memcpy(target + group * width * kGroup, source + group * kGroup, kGroup * sizeof(T));
      }
      for (std::size_t i = whole_groups * kGroup; i < groups * kGroup; ++i) {
        target[whole_groups * width * kGroup + i % kGroup] = i < head_size ? source[i] : T{0};
      }
    }
    for (std::size_t group = 0; group < groups; ++group) {
      T* row = panels + group * width * kGroup;
      for (std::size_t i = count * kGroup; i < width * kGroup; ++i) row[i] = T{0};
    }
    panels += width * groups * kGroup;
  }
}

/// Packs V: column = component, k = token, of which there are `depth` ≥ tokens; those behind the last are zero.
template <class Dot, class T>
void pack_values(const T* rows, std::size_t stride, std::size_t tokens, std::size_t depth, std::size_t head_size,
                 T* panels) {
  constexpr std::size_t kGroup = Dot::kGroup;
  static_assert(kGroup <= 2);
  for (std::size_t column = 0; column < head_size; column += kPanelColumns) {
    const std::size_t count = head_size - column < kPanelColumns ? head_size - column : kPanelColumns;
    const std::size_t width = round_up(count, kLanes);
    for (std::size_t token = 0; token < tokens; token += kGroup) {
      const T* source = rows + token * stride + column;
      if constexpr (kGroup == 1) {
        for (std::size_t j = 0; j < count; ++j) panels[j] = source[j];
      } else if (token + 1 < tokens) {
        const T* next = source + stride;
        for (std::size_t j = 0; j < count; ++j) {
          panels[2 * j] = source[j];
          panels[2 * j + 1] = next[j];
        }
      } else {
        for (std::size_t j = 0; j < count; ++j) {
          panels[2 * j] = source[j];
          panels[2 * j + 1] = T{0};
        }
      }
      for (std::size_t j = count * kGroup; j < width * kGroup; ++j) panels[j] = T{0};
      panels += width * kGroup;
    }
    const std::size_t padding = (depth - round_up(tokens, kGroup)) * width;
    for (std::size_t j = 0; j < padding; ++j) panels[j] = T{0};
    panels += padding;
  }
}

/// scores[i] ← e^(scale · (scores[i] − max)) for i < count, 0 from there to the next multiple of kLanes.
/// Returns the sum.
inline float exponentiate(float* scores, std::size_t count, float scale) {
  Vf largest = set_f(-3.0e38F);
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) largest = max(largest, load(scores + i));
  const std::size_t rest = count - i;
  if (rest > 0) largest = max(largest, fill_rest(load(scores + i), rest, largest));
  const Vf shift = set_f(reduce_max(largest));
  const Vf factor = set_f(scale);
  Vf sum = zero_f();
  for (i = 0; i + kLanes <= count; i += kLanes) {
    const Vf value = exp_of_negative(mul(sub(load(scores + i), shift), factor));
    store(scores + i, value);
    sum = add(sum, value);
  }
  if (rest > 0) {
    const Vf value = keep_first(exp_of_negative(mul(sub(load(scores + i), shift), factor)), rest);
    store(scores + i, value);
    sum = add(sum, value);
  }
  return reduce_add(sum);
}

/// scores[i] += bias[i] for i < count. `scores` has room up to the next multiple of kLanes.
inline void add_position_bias(float* scores, const float* bias, std::size_t count) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(scores + i, add(load(scores + i), load(bias + i)));
  if (i < count) store(scores + i, add(load(scores + i), load_first(bias + i, count - i)));
}

/// How attention's workspace is used.
template <class Dot>
struct AttentionLayout {
  /// Query rows that are taken at a time.
  static constexpr std::size_t kRows = Dot::kTileDepth > 0 ? 32 : kTileRows;
  std::size_t depth;  // Tokens, up to a whole step of the product with V.
  std::size_t scores_bytes;
  std::size_t narrow_bytes;  // The same in bf16.
  std::size_t keys_bytes;
  std::size_t values_bytes;

  AttentionLayout(std::size_t tokens, std::size_t head_size)
      : depth(round_up(tokens, Dot::kTileDepth > 0 ? Dot::kTileDepth : kLanes)),
        scores_bytes(round_up(kRows * depth * sizeof(float), 64)),
        narrow_bytes(round_up(kRows * depth * sizeof(Bf16), 64)),
        keys_bytes(round_up(round_up(tokens, kLanes) * round_up(head_size, 4) * sizeof(typename Dot::B), 64)),
        values_bytes(round_up(depth * round_up(head_size, kLanes) * sizeof(typename Dot::B), 64)) {}
  std::size_t bytes() const { return scores_bytes + narrow_bytes + keys_bytes + values_bytes; }
};

std::size_t attention_workspace_bytes(std::size_t tokens, std::size_t head_size) {
  const std::size_t bytes = AttentionLayout<DotF32>(tokens, head_size).bytes();
#if defined(__AVX512BF16__)
  const std::size_t narrow_bytes = AttentionLayout<DotBf16>(tokens, head_size).bytes();
  if (narrow_bytes > bytes) return narrow_bytes;
#endif
  return bytes;
}

template <class Dot, class T>
void attend(const AttentionArguments& a, const T* qkv) {
  using Layout = AttentionLayout<Dot>;
  const Layout layout(a.tokens, a.head_size);
  const std::size_t width = a.heads * a.head_size;
  auto* workspace = static_cast<char*>(a.workspace);
  auto* scores = reinterpret_cast<float*>(workspace);
  auto* narrow = reinterpret_cast<Bf16*>(workspace += layout.scores_bytes);
  auto* keys = reinterpret_cast<T*>(workspace += layout.narrow_bytes);
  auto* values = reinterpret_cast<T*>(workspace += layout.keys_bytes);

  GemmArguments score{};
  score.a_stride = a.qkv_stride;
  score.weights = {keys, a.head_size, a.tokens, nullptr, nullptr};
  score.out = scores;
  score.out_stride = layout.depth;
  GemmArguments mix{};
  // Probabilities and values behind the last token are zero, so that they may be multiplied.
  mix.weights = {values, Dot::kTileDepth > 0 ? layout.depth : a.tokens, a.head_size, nullptr, nullptr};
  mix.out_stride = a.out_stride;

  for (std::size_t head = 0; head < a.heads; ++head) {
    const T* queries = qkv + head * a.head_size;
    pack_keys<Dot, T>(queries + width, a.qkv_stride, a.tokens, a.head_size, keys);
    pack_values<Dot, T>(queries + 2 * width, a.qkv_stride, a.tokens, round_up(mix.weights.k, Dot::kGroup), a.head_size,
                        values);

    const RowTiles tiles(a.query_rows, Layout::kRows);
    for (std::size_t tile = 0, row = 0; tile < tiles.tiles; row += tiles.rows(tile), ++tile) {
      const std::size_t rows = tiles.rows(tile);
      score.a = queries + row * a.qkv_stride;
      score.m = rows;
      gemm<Dot>(score);

      float inverse_sums[Layout::kRows];
      for (std::size_t r = 0; r < rows; ++r) {
        float* row_scores = scores + r * layout.depth;
        if (a.position_bias != nullptr) {
          add_position_bias(row_scores, a.position_bias + head * a.position_bias_stride - (row + r), a.tokens);
        }
        inverse_sums[r] = 1.0F / exponentiate(row_scores, a.tokens, a.scale);
        if constexpr (sizeof(T) == sizeof(Bf16)) {
          Bf16* row_narrow = narrow + r * layout.depth;
          const std::size_t written = round_up(a.tokens, kLanes);
          for (std::size_t i = 0; i < written; i += kLanes) store_bf16(row_narrow + i, load(row_scores + i), kLanes);
          for (std::size_t i = written; i < layout.depth; i += kLanes) store_bf16(row_narrow + i, zero_f(), kLanes);
        }
      }
      mix.a = sizeof(T) == sizeof(Bf16) ? static_cast<const void*>(narrow) : scores;
      mix.a_stride = layout.depth;
      mix.m = rows;
      mix.out = a.out + row * a.out_stride + head * a.head_size;
      gemm<Dot>(mix);
      for (std::size_t r = 0; r < rows; ++r) {
        float* out = mix.out + r * a.out_stride;
        for (std::size_t i = 0; i < a.head_size; ++i) out[i] *= inverse_sums[r];
      }
    }
  }
}

void attention(const AttentionArguments& arguments) {
#if defined(__AVX512BF16__)
  if (arguments.qkv_bf16 != nullptr) return attend<DotBf16, Bf16>(arguments, arguments.qkv_bf16);
#endif
  attend<DotF32, float>(arguments, arguments.qkv);
}

// ---- Rows ----

void add_layer_norm(const float* a, const float* b, const float* gamma, const float* beta, float epsilon,
                    std::size_t width, float* out) {
  const std::size_t whole = width / kLanes * kLanes;
  const std::size_t rest = width - whole;
  Vf sum = zero_f();
  const auto summand = [&](std::size_t i, std::size_t count) {
    const Vf x = load_first(a + i, count);
    return b == nullptr ? x : add(x, load_first(b + i, count));
  };
  for (std::size_t i = 0; i < whole; i += kLanes) {
    const Vf x = b == nullptr ? load(a + i) : add(load(a + i), load(b + i));
    store(out + i, x);
    sum = add(sum, x);
  }
  if (rest > 0) {
    const Vf x = summand(whole, rest);
    store_first(out + whole, x, rest);
    sum = add(sum, x);
  }
  const float inverse_width = 1.0F / static_cast<float>(width);
  const Vf mean = set_f(reduce_add(sum) * inverse_width);
  Vf squares = zero_f();
  for (std::size_t i = 0; i < whole; i += kLanes) {
    const Vf deviation = sub(load(out + i), mean);
    squares = fma(deviation, deviation, squares);
  }
  if (rest > 0) {
    const Vf deviation = keep_first(sub(load_first(out + whole, rest), mean), rest);
    squares = fma(deviation, deviation, squares);
  }
  const float variance = reduce_add(squares) * inverse_width;
  const Vf inverse = set_f(1.0F / __builtin_sqrtf(variance + epsilon));
  for (std::size_t i = 0; i < whole; i += kLanes) {
    const Vf normal = mul(sub(load(out + i), mean), inverse);
    store(out + i, fma(normal, load(gamma + i), load(beta + i)));
  }
  if (rest > 0) {
    const Vf normal = mul(sub(load_first(out + whole, rest), mean), inverse);
    store_first(out + whole, fma(normal, load_first(gamma + whole, rest), load_first(beta + whole, rest)), rest);
  }
}

[[maybe_unused]] void to_bf16(const float* in, std::size_t count, Bf16* out) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store_bf16(out + i, load(in + i), kLanes);
  if (i < count) store_bf16(out + i, load_first(in + i, count - i), count - i);
}

RowQuantization quantize_row(const float* in, const float* multiplier, std::size_t width, void* out) {
  const auto value = [&](std::size_t i, std::size_t count) {
    const Vf x = count == kLanes ? load(in + i) : load_first(in + i, count);
    if (multiplier == nullptr) return x;
    return mul(x, count == kLanes ? load(multiplier + i) : load_first(multiplier + i, count));
  };
  const std::size_t whole = width / kLanes * kLanes;
  Vf lowest = zero_f();
  Vf highest = zero_f();
  for (std::size_t i = 0; i < whole; i += kLanes) {
    const Vf x = value(i, kLanes);
    lowest = min(lowest, x);
    highest = max(highest, x);
  }
  if (whole < width) {
    const Vf x = value(whole, width - whole);
    lowest = min(lowest, x);
    highest = max(highest, x);
  }
  const float low = reduce_min(lowest);
  const float range = reduce_max(highest) - low;
  const float scale = range > 0 ? range / 255.0F : 1.0F;
  const float inverse = 1.0F / scale;
  const float zero_point = __builtin_rintf(-low * inverse);

  const auto quantize = [&](Vf x) {
    return to_int(max(min(fma(x, set_f(inverse), set_f(zero_point)), set_f(255.0F)), zero_f()));
  };
  // The last vector may run over the row's end: the contract leaves room for it.
  for (std::size_t i = 0; i < width; i += kLanes) {
    const Vi q = quantize(value(i, width - i < kLanes ? width - i : kLanes));
#if defined(__AVX512VNNI__)
    store_bytes(static_cast<std::uint8_t*>(out) + i, q);
#else
    store_shorts(static_cast<std::int16_t*>(out) + i, q);
#endif
  }
  return {scale, static_cast<std::int32_t>(zero_point)};
}

// ---- Search ----

/// sums[q][r] of kQueries × kRows inner products, accumulated in registers.
template <std::size_t kQueries, std::size_t kRows>
inline void inner_product_tile(const float* queries, const float* rows, std::size_t dimensions,
                               Vf (&sums)[kQueries][kRows]) {
  for (auto& row : sums) {
    for (Vf& sum : row) sum = zero_f();
  }
  std::size_t i = 0;
  for (; i + kLanes <= dimensions; i += kLanes) {
    Vf vectors[kRows];
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kRows; ++r) vectors[r] = load(rows + r * dimensions + i);
#pragma GCC unroll 4
    for (std::size_t q = 0; q < kQueries; ++q) {
      const Vf query = load(queries + q * dimensions + i);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < kRows; ++r) sums[q][r] = fma(query, vectors[r], sums[q][r]);
    }
  }
  if (const std::size_t rest = dimensions - i; rest > 0) {
    for (std::size_t q = 0; q < kQueries; ++q) {
      const Vf query = load_first(queries + q * dimensions + i, rest);
      for (std::size_t r = 0; r < kRows; ++r) {
        sums[q][r] = fma(query, load_first(rows + r * dimensions + i, rest), sums[q][r]);
      }
    }
  }
}

template <std::size_t kQueries>
void inner_products_of(const float* queries, const float* rows, std::size_t row_count, std::size_t dimensions,
                       float* scores, std::size_t scores_stride) {
  constexpr std::size_t kRows = kLanes == 16 ? 4 : 2;
  std::size_t r = 0;
  for (; r + kRows <= row_count; r += kRows) {
    Vf sums[kQueries][kRows];
    inner_product_tile<kQueries, kRows>(queries, rows + r * dimensions, dimensions, sums);
    for (std::size_t q = 0; q < kQueries; ++q) {
      for (std::size_t j = 0; j < kRows; ++j) scores[q * scores_stride + r + j] = reduce_add(sums[q][j]);
    }
  }
  for (; r < row_count; ++r) {
    Vf sums[kQueries][1];
    inner_product_tile<kQueries, 1>(queries, rows + r * dimensions, dimensions, sums);
    for (std::size_t q = 0; q < kQueries; ++q) scores[q * scores_stride + r] = reduce_add(sums[q][0]);
  }
}

void inner_products(const float* queries, std::size_t query_count, const float* rows, std::size_t row_count,
                    std::size_t dimensions, float* scores) {
  std::size_t q = 0;
  for (; q + 4 <= query_count; q += 4) {
    inner_products_of<4>(queries + q * dimensions, rows, row_count, dimensions, scores + q * row_count, row_count);
  }
  for (; q < query_count; ++q) {
    inner_products_of<1>(queries + q * dimensions, rows, row_count, dimensions, scores + q * row_count, row_count);
  }
}

constexpr Kernels make_kernels(Isa isa) {
  Kernels kernels{};
  kernels.isa = isa;
  kernels.panel_columns = kPanelColumns;
  kernels.int8_activation_bytes = sizeof(DotInt8::A);
  kernels.packed_bytes = packed_bytes;
  kernels.pack_f32 = pack_f32;
  kernels.pack_int8 = pack_int8;
  kernels.gemm_f32 = gemm<DotF32>;
  kernels.gemm_int8 = gemm<DotInt8>;
#if defined(__AVX512BF16__)
  kernels.native_bf16 = true;
  kernels.pack_bf16 = pack_bf16;
  kernels.gemm_bf16 = gemm<DotBf16>;
  kernels.to_bf16 = to_bf16;
#endif
  kernels.attention_workspace_bytes = attention_workspace_bytes;
  kernels.attention = attention;
  kernels.add_layer_norm = add_layer_norm;
  kernels.quantize_row = quantize_row;
  kernels.inner_products = inner_products;
  return kernels;
}

}  // namespace
}  // namespace tandem
