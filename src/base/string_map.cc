#include "base/string_map.h"

#include <cstring>
#include <random>

namespace tandem {
namespace {

constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1;

/// a · b modulo kPrime, for a below 2^62 and b below 2^61; the result is at most kPrime + 2.
std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  const std::uint64_t sum = (static_cast<std::uint64_t>(product) & kPrime) + static_cast<std::uint64_t>(product >> 61);
  return (sum & kPrime) + (sum >> 61);
}

template <class Word>
std::uint64_t load(const char* bytes) {
  Word word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// At most seven bytes as a number. Loads of fixed sizes that overlap take the place of one whose size is not known,
/// which would be a call.
std::uint64_t load_few(const char* bytes, std::size_t count) {
  if (count >= 4) return load<std::uint32_t>(bytes) | load<std::uint32_t>(bytes + count - 4) << (8 * (count - 4));
  if (count >= 2) return load<std::uint16_t>(bytes) | load<std::uint16_t>(bytes + count - 2) << (8 * (count - 2));
  return count == 1 ? load<std::uint8_t>(bytes) : 0;
}

}  // namespace

std::uint64_t draw_secret() {
  std::random_device random;
  return std::uniform_int_distribution<std::uint64_t>()(random);
}

StringHash::StringHash() : point_(draw_secret() % kPrime) {}

std::size_t StringHash::operator()(std::string_view text) const {
  constexpr std::size_t kBytes = 7;
  // How many bytes a coefficient holds stands above them. So none is 0, and texts that differ in zeros alone differ.
  const auto coefficient = [](std::uint64_t bytes, std::size_t count) { return bytes | (count + 1) << (8 * kBytes); };
  constexpr std::uint64_t kMask = (std::uint64_t{1} << (8 * kBytes)) - 1;
  const char* bytes = text.data();
  std::size_t left = text.size();
  std::uint64_t hash = 0;
  for (; left > kBytes; bytes += kBytes, left -= kBytes) {
    hash = multiply(hash + coefficient(load<std::uint64_t>(bytes) & kMask, kBytes), point_);
  }
  return multiply(hash + coefficient(load_few(bytes, left), left), point_);
}

}  // namespace tandem
