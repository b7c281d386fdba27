// Matrix products on the matrix unit of AMX.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dot.h"
#include "kernels/encoder_kernels.h"
#include "kernels/gemm_epilogue_impl.h"
#include "kernels/panels_impl.h"
#include "kernels/simd.h"
#include "kernels/x86/dot_bf16.h"
#include "kernels/x86/dot_vnni.h"

namespace tandem {
namespace {

// The matrix unit multiplies 16 rows with 16 columns, 32 (bf16) or 64 (int8) k at a time, out of eight tile registers:
// four hold sums, 2 × 2 tiles of 16 × 16, two hold rows and two weights, so that four products follow four loads. A
// panel's group of k is one row of a weight tile: the layout is the same as for vectors.
// See Intel's Architecture Instruction Set Extensions Programming Reference, chapter 3.

constexpr std::size_t kUnitRows = 16;
constexpr std::size_t kUnitGroups = 16;  // Rows of a weight tile.
constexpr std::size_t kBlockRows = 2 * kUnitRows;

// In assembly because GCC 12's own macros do not say that they read memory. `kTile` counts tile registers.
template <int kTile>
inline void load_tile(const void* rows, std::size_t stride_bytes) {
  asm volatile("tileloadd (%1,%2,1), %%tmm%c0" ::"i"(kTile), "r"(rows), "r"(stride_bytes) : "memory");
}
template <int kTile>
inline void store_tile(void* rows, std::size_t stride_bytes) {
  asm volatile("tilestored %%tmm%c0, (%1,%2,1)" ::"i"(kTile), "r"(rows), "r"(stride_bytes) : "memory");
}
template <int kTile>
inline void clear_tile() {
  asm volatile("tilezero %%tmm%c0" ::"i"(kTile));
}
/// sums += rows · weights.
template <class Dot, int kSums, int kRows, int kWeights>
inline void multiply_tiles() {
  if constexpr (sizeof(typename Dot::B) == 1) {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSums), "i"(kRows), "i"(kWeights));
  } else {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSums), "i"(kRows), "i"(kWeights));
  }
}

/// The shapes of the tile registers for a block of `rows` rows, at most kBlockRows: 0 to 3 sums, 4 and 5 rows, 6 and 7
/// weights. As the processor reads it.
class TileShapes {
 public:
  explicit TileShapes(std::size_t rows) {
    const std::size_t upper = rows < kUnitRows ? rows : kUnitRows;
    const std::size_t lower = rows - upper;
    set(0, upper), set(1, upper), set(4, upper);
    set(2, lower), set(3, lower), set(5, lower);
    set(6, kUnitGroups), set(7, kUnitGroups);
  }
  void use() const { asm volatile("ldtilecfg %0" ::"m"(*this)); }

 private:
  void set(std::size_t tile, std::size_t rows) {
    rows_[tile] = static_cast<std::uint8_t>(rows);
    row_bytes_[tile] = rows > 0 ? 64 : 0;
  }
  [[maybe_unused]] std::uint8_t palette_ = 1;
  [[maybe_unused]] std::uint8_t start_row_ = 0;
  [[maybe_unused]] std::uint8_t reserved_[14] = {};
  std::uint16_t row_bytes_[16] = {};
  std::uint8_t rows_[16] = {};
};
static_assert(sizeof(TileShapes) == 64);

/// sums[rows, 16 or 32 columns] of a block: one or two tiles of rows with one or two of columns.
template <class Dot, bool kTwoRows, bool kTwoColumns>
void multiply_block(const typename Dot::A* a, std::size_t a_stride, const typename Dot::B* panel,
                    std::size_t group_bytes, std::size_t steps, PanelPrefetch& prefetch, float* sums) {
  constexpr std::size_t kSumsBytes = kPanelColumns * sizeof(float);
  const std::size_t a_bytes = a_stride * sizeof(typename Dot::A);
  clear_tile<0>();
  if constexpr (kTwoColumns) clear_tile<1>();
  if constexpr (kTwoRows) clear_tile<2>();
  if constexpr (kTwoRows && kTwoColumns) clear_tile<3>();
  PanelPrefetch local = prefetch;
  const auto* weights = reinterpret_cast<const char*>(panel);
  for (std::size_t step = 0; step < steps; ++step) {
    load_tile<6>(weights, group_bytes);
    load_tile<4>(a, a_bytes);
    multiply_tiles<Dot, 0, 4, 6>();
    if constexpr (kTwoColumns) {
      load_tile<7>(weights + 64, group_bytes);
      multiply_tiles<Dot, 1, 4, 7>();
    }
    if constexpr (kTwoRows) {
      load_tile<5>(a + kUnitRows * a_stride, a_bytes);
      multiply_tiles<Dot, 2, 5, 6>();
      if constexpr (kTwoColumns) multiply_tiles<Dot, 3, 5, 7>();
    }
    local.step();
    a += Dot::kTileDepth;
    weights += kUnitGroups * group_bytes;
  }
  prefetch = local;
  store_tile<0>(sums, kSumsBytes);
  if constexpr (kTwoColumns) store_tile<1>(sums + kLanes, kSumsBytes);
  if constexpr (kTwoRows) store_tile<2>(sums + kUnitRows * kPanelColumns, kSumsBytes);
  if constexpr (kTwoRows && kTwoColumns) store_tile<3>(sums + kUnitRows * kPanelColumns + kLanes, kSumsBytes);
}

/// Columns [first, first + 16 or 32) of a panel, which stay in the first cache level while every row passes them.
template <class Dot, bool kTwoColumns>
void slab_on_tiles(const GemmArguments& g, std::size_t column, const typename Dot::B* slab, std::size_t group_bytes,
                   PanelPrefetch& prefetch) {
  const std::size_t steps = g.weights.k / Dot::kTileDepth;
  const auto* a = static_cast<const typename Dot::A*>(g.a);
  constexpr std::size_t kColumns = (kTwoColumns ? 2 : 1) * kLanes;
  alignas(64) float sums[kBlockRows * kPanelColumns];
  std::size_t row = 0;
  if (g.m >= kBlockRows) TileShapes(kBlockRows).use();
  for (; row + kBlockRows <= g.m; row += kBlockRows) {
    multiply_block<Dot, true, kTwoColumns>(a + row * g.a_stride, g.a_stride, slab, group_bytes, steps, prefetch, sums);
    finish<Dot>(g, sums, row, kBlockRows, column, kColumns);
  }
  const std::size_t rest = g.m - row;
  if (rest == 0) return;
  TileShapes(rest).use();
  if (rest > kUnitRows) {
    multiply_block<Dot, true, kTwoColumns>(a + row * g.a_stride, g.a_stride, slab, group_bytes, steps, prefetch, sums);
  } else {
    multiply_block<Dot, false, kTwoColumns>(a + row * g.a_stride, g.a_stride, slab, group_bytes, steps, prefetch, sums);
  }
  finish<Dot>(g, sums, row, rest, column, kColumns);
}

template <class Dot>
void panel_on_tiles(const GemmArguments& g, const Panel<Dot>& panel) {
  const std::size_t blocks = (g.m + kBlockRows - 1) / kBlockRows;
  const std::size_t steps = g.weights.k / Dot::kTileDepth;
  PanelPrefetch prefetch(panel.next, panel.next_bytes, blocks * ((panel.vectors + 1) / 2) * steps);
  for (std::size_t vector = 0; vector < panel.vectors; vector += 2) {
    const auto* slab = panel.weights + vector * kLanes * Dot::kGroup;
    const std::size_t column = panel.column + vector * kLanes;
    if (vector + 1 < panel.vectors) {
      slab_on_tiles<Dot, true>(g, column, slab, panel.vectors * 64, prefetch);
    } else {
      slab_on_tiles<Dot, false>(g, column, slab, panel.vectors * 64, prefetch);
    }
  }
}

template <class Dot>
void multiply_on_tiles(const GemmArguments& g) {
  for_each_panel<Dot>(g.weights, [&](const Panel<Dot>& panel) { panel_on_tiles(g, panel); });
  // Tiles in their initial state cost nothing when the system switches threads.
  asm volatile("tilerelease");
}

// What gemm() takes to the tiles, and to vectors where k is no multiple of a tile's depth.

struct TiledInt8 : DotInt8 {
  static constexpr std::size_t kTileDepth = 64;
  static void gemm_on_tiles(const GemmArguments& g) { multiply_on_tiles<TiledInt8>(g); }
};
static_assert(DotProduct<TiledInt8>);

struct TiledBf16 : DotBf16 {
  static constexpr std::size_t kTileDepth = 32;
  static void gemm_on_tiles(const GemmArguments& g) { multiply_on_tiles<TiledBf16>(g); }
};
static_assert(DotProduct<TiledBf16>);

}  // namespace
}  // namespace tandem
