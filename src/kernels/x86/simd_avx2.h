// The vector vocabulary of AVX2 and FMA; what each part of it means is in simd.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace tandem {
namespace {

using Vf = __m256;
using Vi = __m256i;
constexpr std::size_t kLanes = 8;
constexpr std::size_t kRegisters = 16;

inline Vi first_lanes(std::size_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

inline Vf zero_f() { return _mm256_setzero_ps(); }
inline Vf set_f(float value) { return _mm256_set1_ps(value); }
inline Vf load(const float* p) { return _mm256_loadu_ps(p); }
inline Vf load_first(const float* p, std::size_t count) { return _mm256_maskload_ps(p, first_lanes(count)); }
inline void store(float* p, Vf v) { _mm256_storeu_ps(p, v); }
inline void store(float* p, Vi v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
inline void store_first(float* p, Vf v, std::size_t count) { _mm256_maskstore_ps(p, first_lanes(count), v); }
inline Vf keep_first(Vf v, std::size_t count) { return _mm256_and_ps(v, _mm256_castsi256_ps(first_lanes(count))); }
inline Vf fill_rest(Vf v, std::size_t count, Vf rest) {
  return _mm256_blendv_ps(rest, v, _mm256_castsi256_ps(first_lanes(count)));
}
inline Vf add(Vf a, Vf b) { return _mm256_add_ps(a, b); }
inline Vf sub(Vf a, Vf b) { return _mm256_sub_ps(a, b); }
inline Vf mul(Vf a, Vf b) { return _mm256_mul_ps(a, b); }
inline Vf div(Vf a, Vf b) { return _mm256_div_ps(a, b); }
inline Vf fma(Vf a, Vf b, Vf c) { return _mm256_fmadd_ps(a, b, c); }
inline Vf min(Vf a, Vf b) { return _mm256_min_ps(a, b); }
inline Vf max(Vf a, Vf b) { return _mm256_max_ps(a, b); }
inline Vf round(Vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vf times_power_of_two(Vf a, Vf exponent) {
  const Vi bits = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(exponent), _mm256_set1_epi32(127)), 23);
  return _mm256_mul_ps(a, _mm256_castsi256_ps(bits));
}
inline Vi to_int(Vf a) { return _mm256_cvtps_epi32(a); }
inline Vf to_float(Vi a) { return _mm256_cvtepi32_ps(a); }
inline Vi zero_i() { return _mm256_setzero_si256(); }
inline Vi set_i(std::int32_t value) { return _mm256_set1_epi32(value); }
inline Vi load_i(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline Vi load_first_i(const std::int32_t* p, std::size_t count) {
  return _mm256_maskload_epi32(p, first_lanes(count));
}
inline Vi add(Vi a, Vi b) { return _mm256_add_epi32(a, b); }
inline Vi sub(Vi a, Vi b) { return _mm256_sub_epi32(a, b); }
inline Vi mul(Vi a, Vi b) { return _mm256_mullo_epi32(a, b); }

/// Lanes i with i + 4, i + 2, i + 1.
inline float reduce_add(Vf v) {
  __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_add_ss(quarter, _mm_shuffle_ps(quarter, quarter, 1)));
}
inline float reduce_max(Vf v) {
  __m128 quarter = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  quarter = _mm_max_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_max_ss(quarter, _mm_shuffle_ps(quarter, quarter, 1)));
}
inline float reduce_min(Vf v) {
  __m128 quarter = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  quarter = _mm_min_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_min_ss(quarter, _mm_shuffle_ps(quarter, quarter, 1)));
}

inline void store_narrowed(std::int16_t* p, Vi v) {
  const __m128i packed = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), packed);
}
inline void store_bf16(std::uint16_t*, Vf, std::size_t) {}

inline Vi load_widened(const std::int8_t* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline Vi multiply_add_shorts(Vi a, Vi b) { return _mm256_madd_epi16(a, b); }

}  // namespace
}  // namespace tandem
