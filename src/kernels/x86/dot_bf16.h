// bf16 products of AVX-512 BF16: two k of a row with two of each column in one instruction.
#pragma once

#include <cstddef>

#include "kernels/dot.h"
#include "kernels/encoder_kernels.h"
#include "kernels/simd.h"

namespace tandem {
namespace {

struct DotBf16 {
  using A = Bf16;
  using B = Bf16;
  using Accumulator = Vf;
  static constexpr std::size_t kGroup = 2;
  static constexpr std::size_t kTileDepth = 0;
  static Accumulator zero() { return zero_f(); }
  static Vi broadcast(const A* a) { return broadcast_32_bits(a); }
  static Vi weights(const B* b) { return load_i(b); }
  static Accumulator multiply_add(Accumulator sum, Vi a, Vi b) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
};
static_assert(DotProduct<DotBf16>);

}  // namespace
}  // namespace tandem
