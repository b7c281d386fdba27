// Functions of vectors over the vocabulary of simd.h: the exponential and the activations.
#pragma once

#include "kernels/simd.h"

namespace tandem {
namespace {

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
