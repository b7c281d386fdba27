// One vector vocabulary over all instruction sets, so that each kernel is written once: this header includes that of
// the instruction set which a translation unit is compiled for, and says what each has to provide.
//
// Everything here, and in the *_impl.h files that are written in it, has internal linkage: if a function compiled for
// AVX-512 were shared with code for lesser processors, the linker would be free to keep the wrong one. Standard
// containers are left out for the same reason.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__AVX512F__)
#include "kernels/x86/simd_avx512.h"
#elif defined(__AVX2__)
#include "kernels/x86/simd_avx2.h"
#else
#error "There is no vector vocabulary for the instruction set that this is compiled for."
#endif

namespace tandem {
namespace {

/// Vf, vectors of kLanes floats, and Vi, of as many 32-bit integers; both may be copied and assigned.
struct Vectors {
  using Floats = Vf;
  using Ints = Vi;
};

/// What a vocabulary provides besides kLanes and kRegisters, which is how many vectors the processor holds.
template <class V>
concept VectorVocabulary = requires(typename V::Floats f, typename V::Ints i, std::size_t count, float* floats,
                                    const std::int32_t* ints, const std::int8_t* bytes, std::int16_t* shorts,
                                    std::uint16_t* bf16, float scalar) {
  // Memory, aligned or not. `_first`: the first `count` lanes, from 1 to kLanes; others are read as 0 and not written.
  f = load(floats);
  f = load_first(floats, count);
  i = load_i(ints);
  i = load_first_i(ints, count);
  i = load_widened(bytes);  // 2 · kLanes bytes as 16-bit integers.
  store(floats, f);
  store(floats, i);  // The integers' bits.
  store_first(floats, f, count);
  // Lanes that fit, as 16-bit integers; where products of bytes exist, also lanes in [0, 255] as bytes.
  store_narrowed(shorts, i);
  store_bf16(bf16, f, count);  // The first lanes, rounded. Without bf16 products nothing calls it.

  // Lanes.
  f = zero_f();
  i = zero_i();
  f = set_f(scalar);
  i = set_i(0);
  f = keep_first(f, count);    // Others become 0.
  f = fill_rest(f, count, f);  // Others become those of the third argument.
  scalar = reduce_add(f);      // Lanes in a tree whose order is fixed.
  scalar = reduce_max(f);
  scalar = reduce_min(f);

  // Arithmetic, lane by lane.
  f = add(f, f);
  f = sub(f, f);
  f = mul(f, f);
  f = div(f, f);
  f = fma(f, f, f);  // The first two multiplied, the third added, rounded once.
  f = min(f, f);
  f = max(f, f);
  f = round(f);                  // To the nearest integer, ties to even, as to_int.
  f = times_power_of_two(f, f);  // The second holds integers in [-126, 127].
  i = to_int(f);
  f = to_float(i);
  i = add(i, i);
  i = sub(i, i);
  i = mul(i, i);
  i = multiply_add_shorts(i, i);  // Of 16-bit integers: products of neighbours, added in pairs.
};
static_assert(VectorVocabulary<Vectors>);

}  // namespace
}  // namespace tandem
