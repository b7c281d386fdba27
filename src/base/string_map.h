// Tables of strings that others chose. The hash of the standard library is public and has no key: a file of 16 MB is
// easily made whose strings all fall into one bucket, so that a vocabulary takes minutes to check. Here each table
// draws a secret of its own. Nothing that is found depends on it, only the order of iteration, which nothing may rely
// on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace tandem {

/// A number that nobody can foresee.
std::uint64_t draw_secret();

/// The polynomial with the string's bytes, seven at a time, as coefficients, at a secret point of the field of 2^61 - 1
/// elements: two strings of n bytes have the same value with a probability of at most n / 2^61 (Carter and Wegman,
/// "Universal Classes of Hash Functions", 1979). It has no constant coefficient, so that no difference between two
/// values is known, and they fall into the same of m buckets with a probability of at most 3 n / m.
class StringHash {
 public:
  using is_transparent = void;

  StringHash();

  // Not noexcept: that is how libstdc++ is told to keep what was computed beside each string.
  std::size_t operator()(std::string_view text) const;

 private:
  std::uint64_t point_;
};

/// The keys are borrowed.
template <class Value>
using StringMap = std::unordered_map<std::string_view, Value, StringHash>;
using StringSet = std::unordered_set<std::string_view, StringHash>;

/// The keys are copied.
template <class Value>
using OwnedStringMap = std::unordered_map<std::string, Value, StringHash, std::equal_to<>>;
using OwnedStringSet = std::unordered_set<std::string, StringHash, std::equal_to<>>;

}  // namespace tandem
