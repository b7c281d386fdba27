// The vector vocabulary of AVX-512; what each part of it means is in simd.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace tandem {
namespace {

using Vf = __m512;
using Vi = __m512i;
constexpr std::size_t kLanes = 16;
constexpr std::size_t kRegisters = 32;

inline __mmask16 first_lanes(std::size_t count) { return static_cast<__mmask16>((1U << count) - 1U); }

inline Vf zero_f() { return _mm512_setzero_ps(); }
inline Vf set_f(float value) { return _mm512_set1_ps(value); }
inline Vf load(const float* p) { return _mm512_loadu_ps(p); }
inline Vf load_first(const float* p, std::size_t count) { return _mm512_maskz_loadu_ps(first_lanes(count), p); }
inline void store(float* p, Vf v) { _mm512_storeu_ps(p, v); }
inline void store(float* p, Vi v) { _mm512_storeu_si512(p, v); }
inline void store_first(float* p, Vf v, std::size_t count) { _mm512_mask_storeu_ps(p, first_lanes(count), v); }
inline Vf keep_first(Vf v, std::size_t count) { return _mm512_maskz_mov_ps(first_lanes(count), v); }
inline Vf fill_rest(Vf v, std::size_t count, Vf rest) { return _mm512_mask_mov_ps(rest, first_lanes(count), v); }
inline Vf add(Vf a, Vf b) { return _mm512_add_ps(a, b); }
inline Vf sub(Vf a, Vf b) { return _mm512_sub_ps(a, b); }
inline Vf mul(Vf a, Vf b) { return _mm512_mul_ps(a, b); }
inline Vf div(Vf a, Vf b) { return _mm512_div_ps(a, b); }
inline Vf fma(Vf a, Vf b, Vf c) { return _mm512_fmadd_ps(a, b, c); }
inline Vf min(Vf a, Vf b) { return _mm512_min_ps(a, b); }
inline Vf max(Vf a, Vf b) { return _mm512_max_ps(a, b); }
inline Vf round(Vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vf times_power_of_two(Vf a, Vf exponent) { return _mm512_scalef_ps(a, exponent); }
inline Vi to_int(Vf a) { return _mm512_cvtps_epi32(a); }
inline Vf to_float(Vi a) { return _mm512_cvtepi32_ps(a); }
inline Vi zero_i() { return _mm512_setzero_si512(); }
inline Vi set_i(std::int32_t value) { return _mm512_set1_epi32(value); }
inline Vi load_i(const void* p) { return _mm512_loadu_si512(p); }
inline Vi load_first_i(const std::int32_t* p, std::size_t count) {
  return _mm512_maskz_loadu_epi32(first_lanes(count), p);
}
inline Vi add(Vi a, Vi b) { return _mm512_add_epi32(a, b); }
inline Vi sub(Vi a, Vi b) { return _mm512_sub_epi32(a, b); }
inline Vi mul(Vi a, Vi b) { return _mm512_mullo_epi32(a, b); }

/// Lanes i with i + 8, i + 4, i + 2, i + 1.
inline float reduce_add(Vf v) {
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_add_ss(quarter, _mm_shuffle_ps(quarter, quarter, 1)));
}
inline float reduce_max(Vf v) { return _mm512_reduce_max_ps(v); }
inline float reduce_min(Vf v) { return _mm512_reduce_min_ps(v); }

inline void store_narrowed(std::uint8_t* p, Vi v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v));
}
inline void store_narrowed(std::int16_t* p, Vi v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(v));
}
#if defined(__AVX512BF16__)
inline void store_bf16(std::uint16_t* p, Vf v, std::size_t count) {
  _mm256_mask_storeu_epi16(p, first_lanes(count), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)));
}
#else
inline void store_bf16(std::uint16_t*, Vf, std::size_t) {}
#endif

inline Vi load_widened(const std::int8_t* p) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline Vi multiply_add_shorts(Vi a, Vi b) { return _mm512_madd_epi16(a, b); }

}  // namespace
}  // namespace tandem
