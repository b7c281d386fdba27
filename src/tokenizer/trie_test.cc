#include "tokenizer/trie.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace tandem {
namespace {

using Entries = std::vector<std::pair<std::string_view, std::int32_t>>;

TEST(Trie, FindsTheLongestStringThatATextStartsWith) {
  const Trie trie(Entries{{"re", 1}, {"rerank", 2}, {"search", 3}});
  EXPECT_EQ(trie.longest_match(Trie::kRoot, "reranking").bytes, 6U);
  EXPECT_EQ(trie.longest_match(Trie::kRoot, "reranking").value, 2);
  EXPECT_EQ(trie.longest_match(Trie::kRoot, "reran").value, 1);
  EXPECT_EQ(trie.longest_match(Trie::kRoot, "sear").value, Trie::kNoValue);
  EXPECT_EQ(trie.longest_match(Trie::kRoot, "").bytes, 0U);
}

TEST(Trie, ContinuesFromANodeInside) {
  const Trie trie(Entries{{"##ing", 1}, {"ing", 2}});
  EXPECT_EQ(trie.longest_match(trie.walk(Trie::kRoot, "##"), "ing").value, 1);
  EXPECT_EQ(trie.walk(Trie::kRoot, "#x"), Trie::kNoNode);
}

TEST(Trie, LeavesOutEmptyStringsAndTakesTheLastOfEqualOnes) {
  const Trie trie(Entries{{"", 1}, {"a", 2}, {"a", 3}});
  EXPECT_EQ(trie.find(""), Trie::kNoValue);
  EXPECT_EQ(trie.find("a"), 3);
  EXPECT_EQ(Trie().find("a"), Trie::kNoValue);
}

TEST(Trie, HoldsExactlyItsStringsWhateverTheirBytes) {
  std::mt19937 random(1);
  const auto random_string = [&](unsigned letters) {
    std::string text(1 + random() % 6, '\0');
    for (char& byte : text) byte = static_cast<char>(random() % letters * (256 / letters));
    return text;
  };
  for (const unsigned letters : {2U, 16U, 256U}) {
    std::map<std::string, std::int32_t> strings;
    for (std::int32_t value = 0; value < 3000; ++value) strings.emplace(random_string(letters), value);
    const Trie trie(Entries(strings.begin(), strings.end()));
    for (const auto& [text, value] : strings) EXPECT_EQ(trie.find(text), value);
    for (int round = 0; round < 3000; ++round) {
      const std::string text = random_string(letters);
      const auto entry = strings.find(text);
      EXPECT_EQ(trie.find(text), entry == strings.end() ? Trie::kNoValue : entry->second);
    }
  }
}

}  // namespace
}  // namespace tandem
