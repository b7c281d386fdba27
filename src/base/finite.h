// Whether numbers are numbers.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace tandem {

/// No infinity and no NaN is among them.
inline bool is_finite(std::span<const float> values) {
  // Infinities and NaNs have an exponent of all ones. A loop without calls or conditions becomes vector instructions.
  constexpr std::uint32_t kExponent = 0x7F800000;
  std::uint32_t found = 0;
  for (const float value : values) found |= (std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent ? 1U : 0U;
  return found == 0;
}

}  // namespace tandem
