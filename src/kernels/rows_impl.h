// What is done to a row at a time, over the vocabulary of simd.h: layer norm, conversion to bf16 and int8. The
// contracts are in encoder_kernels.h, the plain reference in encoder_kernels_scalar.cc.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/encoder_kernels.h"
#include "kernels/simd.h"

namespace tandem {
namespace {

void add_layer_norm(const float* a, const float* b, const float* gamma, const float* beta, float epsilon,
                    std::size_t width, float* out) {
  const std::size_t whole = width / kLanes * kLanes;
  const std::size_t rest = width - whole;
  Vf sum = zero_f();
  const auto summand = [&](std::size_t i, std::size_t count) {
    const Vf x = load_first(a + i, count);
    return b == nullptr ? x : add(x, load_first(b + i, count));
  };
  for (std::size_t i = 0; i < whole; i += kLanes) {
    const Vf x = b == nullptr ? load(a + i) : add(load(a + i), load(b + i));
    store(out + i, x);
    sum = add(sum, x);
  }
  if (rest > 0) {
    const Vf x = summand(whole, rest);
    store_first(out + whole, x, rest);
    sum = add(sum, x);
  }
  const float inverse_width = 1.0F / static_cast<float>(width);
  const Vf mean = set_f(reduce_add(sum) * inverse_width);
  Vf squares = zero_f();
  for (std::size_t i = 0; i < whole; i += kLanes) {
    const Vf deviation = sub(load(out + i), mean);
    squares = fma(deviation, deviation, squares);
  }
  if (rest > 0) {
    const Vf deviation = keep_first(sub(load_first(out + whole, rest), mean), rest);
    squares = fma(deviation, deviation, squares);
  }
  const float variance = reduce_add(squares) * inverse_width;
  const Vf inverse = set_f(1.0F / __builtin_sqrtf(variance + epsilon));
  for (std::size_t i = 0; i < whole; i += kLanes) {
    const Vf normal = mul(sub(load(out + i), mean), inverse);
    store(out + i, fma(normal, load(gamma + i), load(beta + i)));
  }
  if (rest > 0) {
    const Vf normal = mul(sub(load_first(out + whole, rest), mean), inverse);
    store_first(out + whole, fma(normal, load_first(gamma + whole, rest), load_first(beta + whole, rest)), rest);
  }
}

inline void to_bf16(const float* in, std::size_t count, Bf16* out) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store_bf16(out + i, load(in + i), kLanes);
  if (i < count) store_bf16(out + i, load_first(in + i, count - i), count - i);
}

/// `Quantized`: the elements that int8 products read, bytes or wider.
template <class Quantized>
RowQuantization quantize_row(const float* in, const float* multiplier, std::size_t width, void* out) {
  const auto value = [&](std::size_t i, std::size_t count) {
    const Vf x = count == kLanes ? load(in + i) : load_first(in + i, count);
    if (multiplier == nullptr) return x;
    return mul(x, count == kLanes ? load(multiplier + i) : load_first(multiplier + i, count));
  };
  const std::size_t whole = width / kLanes * kLanes;
  Vf lowest = zero_f();
  Vf highest = zero_f();
  for (std::size_t i = 0; i < whole; i += kLanes) {
    const Vf x = value(i, kLanes);
    lowest = min(lowest, x);
    highest = max(highest, x);
  }
  if (whole < width) {
    const Vf x = value(whole, width - whole);
    lowest = min(lowest, x);
    highest = max(highest, x);
  }
  const float low = reduce_min(lowest);
  const float range = reduce_max(highest) - low;
  const float scale = range > 0 ? range / 255.0F : 1.0F;
  const float inverse = 1.0F / scale;
  const float zero_point = __builtin_rintf(-low * inverse);

  const auto quantize = [&](Vf x) {
    return to_int(max(min(fma(x, set_f(inverse), set_f(zero_point)), set_f(255.0F)), zero_f()));
  };
  // The last vector may run over the row's end: the contract leaves room for it.
  for (std::size_t i = 0; i < width; i += kLanes) {
    const Vi q = quantize(value(i, width - i < kLanes ? width - i : kLanes));
    store_narrowed(static_cast<Quantized*>(out) + i, q);
  }
  return {scale, static_cast<std::int32_t>(zero_point)};
}

}  // namespace
}  // namespace tandem
