// How one instruction multiplies: what a matrix product asks of it, and the two forms that every vocabulary has. Others
// belong to their instruction set: x86/dot_vnni.h, x86/dot_bf16.h.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/simd.h"

namespace tandem {
namespace {

/// Multiplies kGroup consecutive k of one row, of type A, with those of kLanes columns, of type B, and adds the
/// products to one sum per column. `kTileDepth`: 0, or the k of one step of a matrix unit; then
/// `Dot::gemm_on_tiles(arguments)` is the product wherever k is a multiple of it.
template <class Dot>
concept DotProduct = requires(typename Dot::Accumulator sums, const typename Dot::A* a, const typename Dot::B* b) {
  { Dot::kGroup } -> std::convertible_to<std::size_t>;
  { Dot::kTileDepth } -> std::convertible_to<std::size_t>;
  sums = Dot::zero();
  sums = Dot::multiply_add(sums, Dot::broadcast(a), Dot::weights(b));
  store(static_cast<float*>(nullptr), sums);
};

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
static_assert(DotProduct<DotF32>);

inline Vi broadcast_32_bits(const void* p) {
  std::int32_t bits;
  std::memcpy(&bits, p, sizeof(bits));
  return set_i(bits);
}

/// int8 where the instruction set multiplies no bytes, or saturates at 16 bits as vpmaddubsw does: both sides widened
/// to 16 bits cannot.
struct DotWidenedInt8 {
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
static_assert(DotProduct<DotWidenedInt8>);

}  // namespace
}  // namespace tandem
