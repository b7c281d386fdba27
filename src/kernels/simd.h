// One vector vocabulary over AVX2 and AVX-512, so that each kernel is written once.
//
// Included only by translation units that are compiled for an instruction set, inside the namespace that they name in
// TANDEM_ISA_NAMESPACE. Everything here has internal linkage: if a function compiled for AVX-512 were shared with code
// for lesser processors, the linker would be free to keep the wrong one. Standard containers are left out for the same
// reason.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tandem {
namespace {

#if defined(__AVX512F__)

using Vf = __m512;
using Vi = __m512i;
constexpr std::size_t kLanes = 16;

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

/// Sums the lanes in a fixed tree: i with i + 8, i + 4, i + 2, i + 1.
inline float reduce_add(Vf v) {
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_add_ss(quarter, _mm_shuffle_ps(quarter, quarter, 1)));
}
inline float reduce_max(Vf v) { return _mm512_reduce_max_ps(v); }
inline float reduce_min(Vf v) { return _mm512_reduce_min_ps(v); }

/// Stores lanes that are in [0, 255] as bytes.
inline void store_bytes(std::uint8_t* p, Vi v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v));
}
/// Stores lanes that fit as 16-bit integers.
inline void store_shorts(std::int16_t* p, Vi v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(v));
}
/// Loads kLanes · 2 signed bytes, widened to 16 bits.
inline Vi load_widened(const std::int8_t* p) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline Vi multiply_add_shorts(Vi a, Vi b) { return _mm512_madd_epi16(a, b); }

#else  // AVX2 and FMA

using Vf = __m256;
using Vi = __m256i;
constexpr std::size_t kLanes = 8;

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
/// `exponent` holds integers in [-126, 127].
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

/// Sums the lanes in a fixed tree: i with i + 4, i + 2, i + 1.
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

/// Stores lanes that fit as 16-bit integers.
inline void store_shorts(std::int16_t* p, Vi v) {
  const __m128i packed = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), packed);
}
/// Loads kLanes · 2 signed bytes, widened to 16 bits.
inline Vi load_widened(const std::int8_t* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline Vi multiply_add_shorts(Vi a, Vi b) { return _mm256_madd_epi16(a, b); }

#endif

/// e^x for x ≤ 0, relative error under 4e-7 for x > -20; below -86 it is about 1e-38 instead of 0.
/// 2^f for f in [-1/2, 1/2] is a minimax polynomial of degree 5 (7.5e-8).
inline Vf exp_of_negative(Vf x) {
  const Vf scaled = mul(max(x, set_f(-86.0F)), set_f(1.44269504F));
  const Vf whole = round(scaled);
  const Vf f = sub(scaled, whole);
  Vf p = set_f(1.32764678e-3F);
  p = fma(p, f, set_f(9.67554189e-3F));
  p = fma(p, f, set_f(5.55071346e-2F));
  p = fma(p, f, set_f(2.40221202e-1F));
  p = fma(p, f, set_f(6.93146944e-1F));
  p = fma(p, f, set_f(1.00000012F));
  return times_power_of_two(p, whole);
}

// GELU(x) = x · Φ(x), and Φ(x) − 1/2 is odd: it is x · P(x²) on [-c, c] and constant outside. P is the minimax
// polynomial for the error of GELU itself, in u = 2 (x/c)² − 1 because powers of x² up to c² would cancel.

inline Vf gelu(Vf x) {
  constexpr float kClip = 5.25F;
  const Vf clipped = max(min(x, set_f(kClip)), set_f(-kClip));
  const Vf u = fma(clipped, mul(clipped, set_f(2.0F / (kClip * kClip))), set_f(-1.0F));
  Vf p = set_f(-0.000450638967F);
  p = fma(p, u, set_f(0.00136215508F));
  p = fma(p, u, set_f(-0.00161971443F));
  p = fma(p, u, set_f(0.00211213506F));
  p = fma(p, u, set_f(-0.00482703838F));
  p = fma(p, u, set_f(0.0088396892F));
  p = fma(p, u, set_f(-0.0130905295F));
  p = fma(p, u, set_f(0.0184254441F));
  p = fma(p, u, set_f(-0.0249654204F));
  p = fma(p, u, set_f(0.0320452601F));
  p = fma(p, u, set_f(-0.0397712179F));
  p = fma(p, u, set_f(0.0496451929F));
  p = fma(p, u, set_f(-0.0671265945F));
  p = fma(p, u, set_f(0.13465935F));
  return mul(x, fma(clipped, p, set_f(0.5F)));
}

inline Vf gelu_fast(Vf x) {
  constexpr float kClip = 4.0F;
  const Vf clipped = max(min(x, set_f(kClip)), set_f(-kClip));
  const Vf u = fma(clipped, mul(clipped, set_f(2.0F / (kClip * kClip))), set_f(-1.0F));
  Vf p = set_f(0.00597182009F);
  p = fma(p, u, set_f(-0.0165507346F));
  p = fma(p, u, set_f(0.0240912549F));
  p = fma(p, u, set_f(-0.03546248F));
  p = fma(p, u, set_f(0.0554101504F));
  p = fma(p, u, set_f(-0.0844265968F));
  p = fma(p, u, set_f(0.175970212F));
  return mul(x, fma(clipped, p, set_f(0.5F)));
}

/// (1 − e^(−2|x|)) / (1 + e^(−2|x|)) with the sign of x. Near 0 the subtraction cancels, to an absolute error
/// of 1.2e-7.
inline Vf tanh(Vf x) {
  const Vf magnitude = max(x, sub(zero_f(), x));
  const Vf e = exp_of_negative(mul(magnitude, set_f(-2.0F)));
  const Vf positive = div(sub(set_f(1.0F), e), add(set_f(1.0F), e));
  return mul(positive, div(x, max(magnitude, set_f(1e-30F))));
}

/// 1 / (1 + e^(−x)), within 2e-7: (1 + tanh(x/2)) / 2.
inline Vf sigmoid(Vf x) { return fma(tanh(mul(x, set_f(0.5F))), set_f(0.5F), set_f(0.5F)); }

inline Vf gelu_tanh(Vf x) {
  const Vf inner = mul(mul(x, set_f(0.797884561F)), fma(mul(x, x), set_f(0.044715F), set_f(1.0F)));
  return mul(mul(x, set_f(0.5F)), add(set_f(1.0F), tanh(inner)));
}

}  // namespace
}  // namespace tandem
