// For tests: strings that a hash without a secret takes for the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tandem {

/// Two blocks of 16 bytes that MurmurHash64A, the hash of libstdc++, takes for the same whatever its seed is: between
/// its rounds the difference of the first word cancels that of the second. Any sequence of them collides with any
/// other.
inline std::vector<std::string> colliding_strings(std::size_t count) {
  constexpr std::uint64_t kMultiplier = 0xc6a4a7935bd1e995;
  std::uint64_t inverse = 1;
  for (int i = 0; i < 6; ++i) inverse *= 2 - kMultiplier * inverse;  // Newton's iteration modulo 2^64.
  // What the hash makes of a word before it takes it in, undone.
  const auto before = [&](std::uint64_t word) {
    word *= inverse;
    word ^= word >> 47;
    return word * inverse;
  };
  constexpr std::uint64_t kTopBit = std::uint64_t{1} << 63;
  const auto block = [&](bool other) {
    // The top bit stays alone through the multiplication by an odd number, so the same bit cancels it.
    const std::uint64_t words[] = {before(1 ^ (other ? kTopBit : 0)), before(2 ^ (other ? kTopBit : 0))};
    return std::string(reinterpret_cast<const char*>(words), sizeof words);
  };
  std::vector<std::string> strings(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t bit = 1; bit < count; bit *= 2) strings[i] += block((i & bit) != 0);
  }
  return strings;
}

}  // namespace tandem
