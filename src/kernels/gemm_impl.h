// Matrix products over the vocabulary of simd.h: how weights are packed, multiplied and finished. The contracts are in
// kernels.h, the plain reference in kernels_scalar.cc; included by kernels_impl.h alone.
#pragma once

#include "kernels/kernels.h"
#include "kernels/simd.h"

namespace tandem {
namespace {

constexpr std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// ---- Matrix products ----
//
// A tile is kTileRows rows by kPanelVectors vectors of columns, whose accumulators stay in registers over the whole of
// k. With 6 × 4 vectors of 16 lanes that is 24 accumulators, 4 weights and a broadcast: 29 of the 32 registers of
// AVX-512, and 10 loads for 24 multiply-adds, so the multiply-add unit is what limits. AVX2 has 16 registers: 6 × 2.

constexpr std::size_t kTileRows = 6;
#if defined(__AVX512F__)
constexpr std::size_t kPanelVectors = 4;
#else
constexpr std::size_t kPanelVectors = 2;
#endif
constexpr std::size_t kPanelColumns = kPanelVectors * kLanes;

/// How one instruction multiplies: `kGroup` consecutive k of one row with those of kLanes columns. `kTileDepth`: the k
/// of one step of a matrix unit, where there is one for this type; else 0.
struct DotF32 {
  using A = float;
  using B = float;
  using Accumulator = Vf;
  static constexpr std::size_t kGroup = 1;
  static constexpr std::size_t kTileDepth = 0;
  static Accumulator zero() { return zero_f(); }
  static Vf broadcast(const A* a) { return set_f(*a); }
  static Vf weights(const B* b) { return load(b); }
  static Accumulator multiply_add(Accumulator sum, Vf a, Vf b) { return fma(a, b, sum); }
};

inline Vi broadcast_32_bits(const void* p) {
  std::int32_t bits;
  std::memcpy(&bits, p, sizeof(bits));
  return set_i(bits);
}

#if defined(__AMX_TILE__)
constexpr bool kMatrixUnit = true;
#else
constexpr bool kMatrixUnit = false;
#endif

#if defined(__AVX512BF16__)
struct DotBf16 {
  using A = Bf16;
  using B = Bf16;
  using Accumulator = Vf;
  static constexpr std::size_t kGroup = 2;
  static constexpr std::size_t kTileDepth = kMatrixUnit ? 32 : 0;
  static Accumulator zero() { return zero_f(); }
  static Vi broadcast(const A* a) { return broadcast_32_bits(a); }
  static Vi weights(const B* b) { return load_i(b); }
  static Accumulator multiply_add(Accumulator sum, Vi a, Vi b) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
};
#endif

#if defined(__AVX512VNNI__)
struct DotInt8 {
  using A = std::uint8_t;
  using B = std::int8_t;
  using Accumulator = Vi;
  static constexpr std::size_t kGroup = 4;
  static constexpr std::size_t kTileDepth = kMatrixUnit ? 64 : 0;
  static Accumulator zero() { return zero_i(); }
  static Vi broadcast(const A* a) { return broadcast_32_bits(a); }
  static Vi weights(const B* b) { return load_i(b); }
  /// In assembly because GCC 12 spills every accumulator of a tile to the stack around _mm512_dpbusd_epi32, which
  /// halves the rate of the whole product.
  static Accumulator multiply_add(Accumulator sum, Vi a, Vi b) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
  }
};
#else
/// Without VNNI the byte product (vpmaddubsw) saturates at 16 bits; both sides widened to 16 bits cannot.
struct DotInt8 {
  using A = std::int16_t;
  using B = std::int8_t;
  using Accumulator = Vi;
  static constexpr std::size_t kGroup = 2;
  static constexpr std::size_t kTileDepth = 0;
  static Accumulator zero() { return zero_i(); }
  static Vi broadcast(const A* a) { return broadcast_32_bits(a); }
  static Vi weights(const B* b) { return load_widened(b); }
  static Accumulator multiply_add(Accumulator sum, Vi a, Vi b) { return add(sum, multiply_add_shorts(a, b)); }
};
#endif

/// Asks for the panel after the one that is being multiplied, a line now and then over all of its tiles: weights come
/// from the third cache level or from memory, and hardware does not look past the end of a loop.
class PanelPrefetch {
 public:
  /// `bytes` from `next` on, during `steps` steps.
  PanelPrefetch(const void* next, std::size_t bytes, std::size_t steps)
      : line_(static_cast<const char*>(next)), end_(line_ + bytes), lines_(bytes / 64), steps_(steps) {}

  void step() {
    for (due_ += lines_; due_ >= steps_ && line_ < end_; due_ -= steps_, line_ += 64) {
      _mm_prefetch(line_, _MM_HINT_T1);
    }
  }

 private:
  const char* line_;
  const char* end_;
  std::size_t lines_;
  std::size_t steps_;
  std::size_t due_ = 0;
};

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

inline void store_bf16(Bf16* out, Vf value, std::size_t count) {
#if defined(__AVX512BF16__)
  const auto narrow = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value));
  _mm256_mask_storeu_epi16(out, first_lanes(count), narrow);
#else
  // Only instruction sets with bf16 products ask for bf16 results.
  static_cast<void>(out), static_cast<void>(value), static_cast<void>(count);
#endif
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

template <class Dot, std::size_t Vectors>
void gemm_panel(const GemmArguments& g, std::size_t column, const typename Dot::B* panel, std::size_t groups,
                const void* next, std::size_t next_bytes) {
  const RowTiles tiles(g.m);
  PanelPrefetch prefetch(next, next_bytes, tiles.tiles * groups);
  for (std::size_t tile = 0, row = 0; tile < tiles.tiles; row += tiles.rows(tile), ++tile) {
    switch (tiles.rows(tile)) {
      case 1:
        gemm_tile<Dot, 1, Vectors>(g, row, column, panel, groups, prefetch);
        break;
      case 2:
        gemm_tile<Dot, 2, Vectors>(g, row, column, panel, groups, prefetch);
        break;
      case 3:
        gemm_tile<Dot, 3, Vectors>(g, row, column, panel, groups, prefetch);
        break;
      case 4:
        gemm_tile<Dot, 4, Vectors>(g, row, column, panel, groups, prefetch);
        break;
      case 5:
        gemm_tile<Dot, 5, Vectors>(g, row, column, panel, groups, prefetch);
        break;
      default:
        gemm_tile<Dot, 6, Vectors>(g, row, column, panel, groups, prefetch);
    }
  }
}

#if defined(__AMX_TILE__)

// ---- Matrix products on AMX ----
//
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
  std::uint8_t palette_ = 1;
  std::uint8_t start_row_ = 0;
  std::uint8_t reserved_[14] = {};
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
void panel_on_tiles(const GemmArguments& g, std::size_t column, const typename Dot::B* panel, std::size_t vectors,
                    const void* next, std::size_t next_bytes) {
  const std::size_t blocks = (g.m + kBlockRows - 1) / kBlockRows;
  PanelPrefetch prefetch(next, next_bytes, blocks * ((vectors + 1) / 2) * (g.weights.k / Dot::kTileDepth));
  for (std::size_t vector = 0; vector < vectors; vector += 2) {
    const auto* slab = panel + vector * kLanes * Dot::kGroup;
    if (vector + 1 < vectors) {
      slab_on_tiles<Dot, true>(g, column + vector * kLanes, slab, vectors * 64, prefetch);
    } else {
      slab_on_tiles<Dot, false>(g, column + vector * kLanes, slab, vectors * 64, prefetch);
    }
  }
}

#endif

template <class Dot>
void gemm(const GemmArguments& g) {
  const std::size_t groups = (g.weights.k + Dot::kGroup - 1) / Dot::kGroup;
  const auto* panel = static_cast<const typename Dot::B*>(g.weights.panels);
  [[maybe_unused]] bool on_tiles = false;
  if constexpr (Dot::kTileDepth > 0) on_tiles = g.weights.k % Dot::kTileDepth == 0;
  // A panel stays in the first two cache levels while every row passes it.
  for (std::size_t column = 0; column < g.weights.n; column += kPanelColumns) {
    const std::size_t left = g.weights.n - column;
    const std::size_t vectors = left >= kPanelColumns ? kPanelVectors : (left + kLanes - 1) / kLanes;
    const auto* next = panel + vectors * kLanes * groups * Dot::kGroup;
    const std::size_t next_width = left <= kPanelColumns ? 0 : left - kPanelColumns;
    const std::size_t next_bytes = (next_width < kPanelColumns ? round_up(next_width, kLanes) : kPanelColumns) *
                                   groups * Dot::kGroup * sizeof(typename Dot::B);
#if defined(__AMX_TILE__)
    if constexpr (Dot::kTileDepth > 0) {
      if (on_tiles) {
        panel_on_tiles<Dot>(g, column, panel, vectors, next, next_bytes);
        panel = next;
        continue;
      }
    }
#endif
    switch (vectors) {
      case 1:
        gemm_panel<Dot, 1>(g, column, panel, groups, next, next_bytes);
        break;
      case 2:
        gemm_panel<Dot, 2>(g, column, panel, groups, next, next_bytes);
        break;
      case 3:
        gemm_panel<Dot, 3>(g, column, panel, groups, next, next_bytes);
        break;
      default:
        gemm_panel<Dot, kPanelVectors>(g, column, panel, groups, next, next_bytes);
    }
    panel = next;
  }
#if defined(__AMX_TILE__)
  // Tiles in their initial state cost nothing when the system switches threads.
  if (on_tiles) asm volatile("tilerelease");
#endif
}

// ---- Packing ----

template <class Dot>
std::size_t packed_elements(std::size_t k, std::size_t n) {
  return round_up(n, kLanes) * round_up(k, Dot::kGroup);
}

std::size_t packed_bytes(GemmType type, std::size_t k, std::size_t n) {
  switch (type) {
    case GemmType::kF32:
      return packed_elements<DotF32>(k, n) * sizeof(float);
    case GemmType::kInt8:
      return packed_elements<DotInt8>(k, n);
    case GemmType::kBf16:
      break;
  }
#if defined(__AVX512BF16__)
  return packed_elements<DotBf16>(k, n) * sizeof(Bf16);
#else
  return 0;
#endif
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

void pack_int8(const std::int8_t* weights, std::size_t k, std::size_t n, std::int8_t* panels) {
  pack<DotInt8::kGroup>(weights, k, n, panels, [](std::int8_t value) { return value; });
}

/// Rounds to nearest, ties to even, as the hardware does. Not for NaN: weights are checked when they are read.
inline Bf16 round_to_bf16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return static_cast<Bf16>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

[[maybe_unused]] void pack_bf16(const float* weights, std::size_t k, std::size_t n, Bf16* panels) {
  pack<2>(weights, k, n, panels, round_to_bf16);
}

}  // namespace
}  // namespace tandem
