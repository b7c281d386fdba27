#include "base/string_map.h"

#include <cstring>
#include <random>

namespace tandem {
namespace {

constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1;

/// a · b + c modulo kPrime, for a and b below 2^61 and c below 2^32; the result is below 2^61 + 8.
std::uint64_t multiply_add(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b + c;
  const std::uint64_t sum = (static_cast<std::uint64_t>(product) & kPrime) + static_cast<std::uint64_t>(product >> 61);
  return sum >= kPrime ? sum - kPrime : sum;
}

}  // namespace

std::uint64_t draw_secret() {
  std::random_device random;
  return std::uniform_int_distribution<std::uint64_t>()(random);
}

std::size_t StringHash::operator()(std::string_view text) const {
  const std::uint64_t point = point_ % kPrime;
  // The length comes first, so that zeros at the end make a difference.
  std::uint64_t hash = text.size() % kPrime;
  while (!text.empty()) {
    std::uint32_t word = 0;
    const std::size_t bytes = text.size() < sizeof(word) ? text.size() : sizeof(word);
    std::memcpy(&word, text.data(), bytes);
    hash = multiply_add(hash, point, word);
    text.remove_prefix(bytes);
  }
  return hash;
}

}  // namespace tandem
