// Self-attention over the vocabulary of simd.h. The contract is in encoder_kernels.h, the plain reference in
// encoder_kernels_scalar.cc.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "kernels/dot.h"
#include "kernels/encoder_kernels.h"
#include "kernels/gemm_impl.h"
#include "kernels/panels_impl.h"
#include "kernels/simd.h"
#include "kernels/simd_math.h"

namespace tandem {
namespace {

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

/// `Bf16Dot` is void where there are no bf16 products.
template <class Bf16Dot>
std::size_t attention_workspace_bytes(std::size_t tokens, std::size_t head_size) {
  const std::size_t bytes = AttentionLayout<DotF32>(tokens, head_size).bytes();
  if constexpr (std::is_void_v<Bf16Dot>) {
    return bytes;
  } else {
    const std::size_t narrow_bytes = AttentionLayout<Bf16Dot>(tokens, head_size).bytes();
    return narrow_bytes > bytes ? narrow_bytes : bytes;
  }
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

template <class Bf16Dot>
void attention(const AttentionArguments& arguments) {
  if constexpr (!std::is_void_v<Bf16Dot>) {
    if (arguments.qkv_bf16 != nullptr) return attend<Bf16Dot, Bf16>(arguments, arguments.qkv_bf16);
  }
  attend<DotF32, float>(arguments, arguments.qkv);
}

}  // namespace
}  // namespace tandem
