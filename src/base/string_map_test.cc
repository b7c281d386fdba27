#include "base/string_map.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/testing/colliding_strings.h"

namespace tandem {
namespace {

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

// Where one is known, so are texts that fall into one bucket: those whose values differ by a multiple of the buckets.
TEST(StringHash, KeepsTheDifferenceOfTwoValuesSecret) {
  const StringHash one;
  const StringHash other;
  for (const std::size_t length : {1, 3, 4, 5, 7, 8, 13, 14, 15, 30}) {
    const std::string text(length, 'a');
    const std::string next = text.substr(1) + "b";
    EXPECT_NE(one(next) - one(text), other(next) - other(text)) << length;
  }
}

TEST(StringHash, TakesEveryByteIn) {
  const StringHash hash;
  std::set<std::size_t> hashes;
  std::size_t texts = 0;
  for (std::size_t length = 1; length < 20; ++length) {
    for (std::size_t place = 0; place < length; ++place) {
      for (const char byte : {'\1', 'a', '\xFF'}) {
        std::string text(length, '\0');
        text[place] = byte;
        hashes.insert(hash(text));
        ++texts;
      }
    }
  }
  EXPECT_EQ(hashes.size(), texts);
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
