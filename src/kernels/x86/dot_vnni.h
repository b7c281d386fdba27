// int8 products of VNNI: four bytes of a row with four of each column in one instruction.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dot.h"
#include "kernels/simd.h"

namespace tandem {
namespace {

struct DotInt8 {
  using A = std::uint8_t;
  using B = std::int8_t;
  using Accumulator = Vi;
  static constexpr std::size_t kGroup = 4;
  static constexpr std::size_t kTileDepth = 0;
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
static_assert(DotProduct<DotInt8>);

}  // namespace
}  // namespace tandem
