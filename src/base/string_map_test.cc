#include "base/string_map.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace tandem {
namespace {

/// Two blocks of 16 bytes that MurmurHash64A, the hash of libstdc++, takes for the same whatever its seed is: between
/// its rounds the difference of the first word cancels that of the second. Any sequence of them collides with any
/// other.
std::vector<std::string> colliding_strings(std::size_t count) {
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

TEST(StringHash, TellsApartWhatThePublicHashDoesNot) {
  const std::vector<std::string> strings = colliding_strings(1024);
  std::set<std::size_t> public_hashes;
  std::set<std::size_t> hashes;
  const StringHash hash;
  for (const std::string& text : strings) {
    public_hashes.insert(std::hash<std::string>()(text));
    hashes.insert(hash(text));
  }
  EXPECT_EQ(public_hashes.size(), 1U);
  EXPECT_EQ(hashes.size(), strings.size());
}

TEST(StringHash, TellsLengthsAndZerosApart) {
  const StringHash hash;
  std::set<std::size_t> hashes;
  for (std::size_t length = 0; length < 20; ++length) {
    hashes.insert(hash(std::string(length, '\0')));
    hashes.insert(hash(std::string(length, 'a') + "b"));
  }
  EXPECT_EQ(hashes.size(), 40U);
}

TEST(StringHash, HasAnotherSecretInEachTable) { EXPECT_NE(StringHash()("a word"), StringHash()("a word")); }

TEST(StringMap, FindsWhatWasPutIn) {
  StringMap<int> map;
  OwnedStringSet set;
  std::vector<std::string> words;
  for (int i = 0; i < 1000; ++i) words.push_back(std::string(static_cast<std::size_t>(i % 7), 'x') + std::to_string(i));
  for (std::size_t i = 0; i < words.size(); ++i) {
    map.emplace(words[i], static_cast<int>(i));
    set.insert(words[i]);
  }
  for (std::size_t i = 0; i < words.size(); ++i) EXPECT_EQ(map.at(words[i]), static_cast<int>(i));
  EXPECT_TRUE(set.contains(std::string_view("3")) || set.contains(std::string_view("xxx3")));
  EXPECT_FALSE(map.contains("y"));
}

}  // namespace
}  // namespace tandem
