// Matrix products over the vocabulary of simd.h. The contract is in encoder_kernels.h, the plain reference in
// encoder_kernels_scalar.cc.
#pragma once

#include <cstddef>

#include "kernels/dot.h"
#include "kernels/encoder_kernels.h"
#include "kernels/gemm_epilogue_impl.h"
#include "kernels/panels_impl.h"
#include "kernels/simd.h"

namespace tandem {
namespace {

/// accumulators[row][vector] = a[row, :] · panel[:, vector]. Loops over rows and vectors unroll into registers.
template <class Dot, std::size_t Rows, std::size_t Vectors>
[[gnu::always_inline]] inline void multiply_tile(const typename Dot::A* a, std::size_t a_stride,
                                                 const typename Dot::B* panel, std::size_t groups,
                                                 PanelPrefetch& prefetch,
                                                 typename Dot::Accumulator (&sums)[Rows][Vectors]) {
#pragma GCC unroll 8
  for (std::size_t row = 0; row < Rows; ++row) {
#pragma GCC unroll 4
    for (std::size_t vector = 0; vector < Vectors; ++vector) sums[row][vector] = Dot::zero();
  }
  for (std::size_t group = 0; group < groups; ++group) {
    decltype(Dot::weights(panel)) b[Vectors];
#pragma GCC unroll 4
    for (std::size_t vector = 0; vector < Vectors; ++vector) {
      b[vector] = Dot::weights(panel + vector * kLanes * Dot::kGroup);
    }
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row) {
      const auto broadcast = Dot::broadcast(a + row * a_stride);
#pragma GCC unroll 4
      for (std::size_t vector = 0; vector < Vectors; ++vector) {
        sums[row][vector] = Dot::multiply_add(sums[row][vector], broadcast, b[vector]);
      }
    }
    prefetch.step();
    a += Dot::kGroup;
    panel += Vectors * kLanes * Dot::kGroup;
  }
}

template <class Dot, std::size_t Rows, std::size_t Vectors>
[[gnu::noinline]] void gemm_tile(const GemmArguments& g, std::size_t row, std::size_t column,
                                 const typename Dot::B* panel, std::size_t groups, PanelPrefetch& prefetch) {
  typename Dot::Accumulator sums[Rows][Vectors];
  // A copy stays in registers.
  PanelPrefetch local = prefetch;
  multiply_tile<Dot, Rows, Vectors>(static_cast<const typename Dot::A*>(g.a) + row * g.a_stride, g.a_stride, panel,
                                    groups, local, sums);
  prefetch = local;
  // Through the first cache level, so that what follows exists once and not once for each shape of a tile: that costs
  // a hundredth of the product.
  alignas(64) float stored[Rows][kPanelColumns];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t vector = 0; vector < Vectors; ++vector) store(stored[r] + vector * kLanes, sums[r][vector]);
  }
  finish<Dot>(g, stored[0], row, Rows, column, Vectors * kLanes);
}

/// All rows with one panel, of kPanelVectors vectors or, if it is the last, fewer.
template <class Dot, std::size_t Vectors = kPanelVectors>
void gemm_panel(const GemmArguments& g, const Panel<Dot>& panel) {
  if constexpr (Vectors > 1) {
    if (panel.vectors < Vectors) return gemm_panel<Dot, Vectors - 1>(g, panel);
  }
  const std::size_t groups = (g.weights.k + Dot::kGroup - 1) / Dot::kGroup;
  const RowTiles tiles(g.m);
  PanelPrefetch prefetch(panel.next, panel.next_bytes, tiles.tiles * groups);
  for (std::size_t tile = 0, row = 0; tile < tiles.tiles; row += tiles.rows(tile), ++tile) {
    switch (tiles.rows(tile)) {
      case 1:
        gemm_tile<Dot, 1, Vectors>(g, row, panel.column, panel.weights, groups, prefetch);
        break;
      case 2:
        gemm_tile<Dot, 2, Vectors>(g, row, panel.column, panel.weights, groups, prefetch);
        break;
      case 3:
        gemm_tile<Dot, 3, Vectors>(g, row, panel.column, panel.weights, groups, prefetch);
        break;
      case 4:
        gemm_tile<Dot, 4, Vectors>(g, row, panel.column, panel.weights, groups, prefetch);
        break;
      case 5:
        gemm_tile<Dot, 5, Vectors>(g, row, panel.column, panel.weights, groups, prefetch);
        break;
      default:
        gemm_tile<Dot, 6, Vectors>(g, row, panel.column, panel.weights, groups, prefetch);
    }
  }
}

template <DotProduct Dot>
void gemm(const GemmArguments& g) {
  if constexpr (Dot::kTileDepth > 0) {
    if (g.weights.k % Dot::kTileDepth == 0) return Dot::gemm_on_tiles(g);
  }
  // A panel stays in the first two cache levels while every row passes it.
  for_each_panel<Dot>(g.weights, [&](const Panel<Dot>& panel) { gemm_panel(g, panel); });
}

}  // namespace
}  // namespace tandem
