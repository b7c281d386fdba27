// Inner products of f32 vectors over the vocabulary of simd.h. The contract is in scan_kernels.h, the plain reference
// in scan_kernels_scalar.cc.
#pragma once

#include <cstddef>

#include "kernels/simd.h"

namespace tandem {
namespace {

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
  constexpr std::size_t kRows = kRegisters == 32 ? 4 : 2;
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

void inner_products_f32(const float* queries, std::size_t query_count, const float* rows, std::size_t row_count,
                        std::size_t dimensions, float* scores) {
  std::size_t q = 0;
  for (; q + 4 <= query_count; q += 4) {
    inner_products_of<4>(queries + q * dimensions, rows, row_count, dimensions, scores + q * row_count, row_count);
  }
  for (; q < query_count; ++q) {
    inner_products_of<1>(queries + q * dimensions, rows, row_count, dimensions, scores + q * row_count, row_count);
  }
}

}  // namespace
}  // namespace tandem
