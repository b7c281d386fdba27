// Panels: how weights are packed, and how a product walks through them. Their layout is in encoder_kernels.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/dot.h"
#include "kernels/encoder_kernels.h"
#include "kernels/simd.h"

namespace tandem {
namespace {

constexpr std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// A tile is kTileRows rows by kPanelVectors vectors of columns, whose accumulators stay in registers over the whole of
// k. With 6 × 4 vectors that is 24 accumulators, 4 weights and a broadcast: 29 of 32 registers, and 10 loads for 24
// multiply-adds, so the multiply-add unit is what limits. Of 16 registers, 6 × 2 vectors leave two.

constexpr std::size_t kTileRows = 6;
constexpr std::size_t kPanelVectors = kRegisters == 32 ? 4 : 2;
constexpr std::size_t kPanelColumns = kPanelVectors * kLanes;

// ---- Packing ----

template <class Dot>
std::size_t packed_elements(std::size_t k, std::size_t n) {
  return round_up(n, kLanes) * round_up(k, Dot::kGroup);
}

/// `Bf16Dot` is void where there are no bf16 products.
template <class Int8Dot, class Bf16Dot>
std::size_t packed_bytes(GemmType type, std::size_t k, std::size_t n) {
  switch (type) {
    case GemmType::kF32:
      return packed_elements<DotF32>(k, n) * sizeof(float);
    case GemmType::kInt8:
      return packed_elements<Int8Dot>(k, n);
    case GemmType::kBf16:
      break;
  }
  if constexpr (std::is_void_v<Bf16Dot>) {
    return 0;
  } else {
    return packed_elements<Bf16Dot>(k, n) * sizeof(Bf16);
  }
}

/// panels ← weights[n, k]; `convert` makes an element of the panel of one of the matrix.
template <std::size_t kGroup, class In, class Out, class Convert>
void pack(const In* weights, std::size_t k, std::size_t n, Out* panels, Convert convert) {
  const std::size_t groups = (k + kGroup - 1) / kGroup;
  for (std::size_t column = 0; column < n; column += kPanelColumns) {
    const std::size_t left = n - column;
    const std::size_t width = left >= kPanelColumns ? kPanelColumns : round_up(left, kLanes);
    for (std::size_t j = 0; j < width; ++j) {
      const In* source = weights + (column + j) * k;
      for (std::size_t group = 0; group < groups; ++group) {
        for (std::size_t i = 0; i < kGroup; ++i) {
          const std::size_t index = group * kGroup + i;
          panels[(group * width + j) * kGroup + i] = j < left && index < k ? convert(source[index]) : Out{0};
        }
      }
    }
    panels += width * groups * kGroup;
  }
}

void pack_f32(const float* weights, std::size_t k, std::size_t n, float* panels) {
  pack<DotF32::kGroup>(weights, k, n, panels, [](float value) { return value; });
}

template <class Int8Dot>
void pack_int8(const std::int8_t* weights, std::size_t k, std::size_t n, std::int8_t* panels) {
  pack<Int8Dot::kGroup>(weights, k, n, panels, [](std::int8_t value) { return value; });
}

/// Rounds to nearest, ties to even, as the hardware does. Not for NaN: weights are checked when they are read.
inline Bf16 round_to_bf16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return static_cast<Bf16>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

template <class Bf16Dot>
void pack_bf16(const float* weights, std::size_t k, std::size_t n, Bf16* panels) {
  pack<Bf16Dot::kGroup>(weights, k, n, panels, round_to_bf16);
}

// ---- Walking through them ----

/// One panel, and what is fetched while it is multiplied.
template <class Dot>
struct Panel {
  std::size_t column;  // The first of its columns.
  std::size_t vectors;
  const typename Dot::B* weights;
  const void* next;
  std::size_t next_bytes;
};

/// Calls `multiply` with one panel after the other.
template <class Dot, class Multiply>
void for_each_panel(const PackedWeights& packed, Multiply multiply) {
  const std::size_t groups = (packed.k + Dot::kGroup - 1) / Dot::kGroup;
  const auto* weights = static_cast<const typename Dot::B*>(packed.panels);
  for (std::size_t column = 0; column < packed.n; column += kPanelColumns) {
    const std::size_t left = packed.n - column;
    const std::size_t vectors = left >= kPanelColumns ? kPanelVectors : (left + kLanes - 1) / kLanes;
    const auto* next = weights + vectors * kLanes * groups * Dot::kGroup;
    const std::size_t next_width = left <= kPanelColumns ? 0 : left - kPanelColumns;
    const std::size_t next_bytes = (next_width < kPanelColumns ? round_up(next_width, kLanes) : kPanelColumns) *
                                   groups * Dot::kGroup * sizeof(typename Dot::B);
    multiply(Panel<Dot>{column, vectors, weights, next, next_bytes});
    weights = next;
  }
}

/// Asks for the panel after the one that is being multiplied, a line now and then over all of its tiles: weights come
/// from the third cache level or from memory, and hardware does not look past the end of a loop.
class PanelPrefetch {
 public:
  /// `bytes` from `next` on, during `steps` steps.
  PanelPrefetch(const void* next, std::size_t bytes, std::size_t steps)
      : line_(static_cast<const char*>(next)), end_(line_ + bytes), lines_(bytes / 64), steps_(steps) {}

  void step() {
    constexpr int kToRead = 0;
    constexpr int kSecondLevel = 2;
    for (due_ += lines_; due_ >= steps_ && line_ < end_; due_ -= steps_, line_ += 64) {
      __builtin_prefetch(line_, kToRead, kSecondLevel);
    }
  }

 private:
  const char* line_;
  const char* end_;
  std::size_t lines_;
  std::size_t steps_;
  std::size_t due_ = 0;
};

/// Splits `count` rows into the fewest tiles, of sizes that differ by one at most: 13 rows are 5 + 4 + 4, not 6 + 6 +
/// 1, because a tile of one row loads a weight for every multiply-add.
struct RowTiles {
  std::size_t tiles;
  std::size_t size;    // Of the smaller ones.
  std::size_t larger;  // How many have one row more, first.
  explicit RowTiles(std::size_t count, std::size_t rows_max = kTileRows)
      : tiles((count + rows_max - 1) / rows_max), size(tiles == 0 ? 0 : count / tiles), larger(count - size * tiles) {}
  std::size_t rows(std::size_t tile) const { return size + (tile < larger ? 1 : 0); }
};

}  // namespace
}  // namespace tandem
