#include "formats/charsmap.h"

#include <gtest/gtest.h>

#include <string>

namespace tandem {
namespace {

void append(std::string& bytes, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(value >> shift));
}

/// A table that replaces 'a' by "bc": its node's value is at `value`, its children lie at `children`.
std::string table(std::uint32_t children = 256, std::uint32_t value = 1) {
  std::vector<std::uint32_t> units(512);
  units[0] = 1U << 10;                                          // The root's children begin at 1.
  units[1 ^ 'a'] = (children ^ 1 ^ 'a') << 10 | 1U << 8 | 'a';  // It has a value.
  units[256] = 1U << 31 | value;
  std::string bytes;
  append(bytes, static_cast<std::uint32_t>(units.size() * 4));
  for (const std::uint32_t unit : units) append(bytes, unit);
  return bytes + std::string("\0bc\0", 4);
}

TEST(Charsmap, ReadsATable) {
  const auto charsmap = parse_charsmap(table(), "table");
  ASSERT_TRUE(charsmap) << charsmap.error().message;
  EXPECT_EQ(charsmap->units.size(), 512U);
  EXPECT_EQ(charsmap->replacements, std::string("\0bc\0", 4));
}

TEST(Charsmap, RefusesATableThatIsCut) {
  const std::string bytes = table();
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{4}, std::size_t{1000}}) {
    const auto charsmap = parse_charsmap(bytes.substr(0, size), "table");
    ASSERT_FALSE(charsmap) << size;
    EXPECT_EQ(charsmap.error().code, ErrorCode::kCorruptData);
    EXPECT_TRUE(charsmap.error().message.starts_with("table: ")) << charsmap.error().message;
  }
}

TEST(Charsmap, RefusesNodesOutsideItself) {
  const auto charsmap = parse_charsmap(table(512), "table");
  ASSERT_FALSE(charsmap);
  EXPECT_NE(charsmap.error().message.find("children lie at 512"), std::string::npos) << charsmap.error().message;
}

TEST(Charsmap, RefusesReplacementsOutsideItself) {
  const auto charsmap = parse_charsmap(table(256, 4), "table");
  ASSERT_FALSE(charsmap);
  EXPECT_NE(charsmap.error().message.find("begins at byte 4"), std::string::npos) << charsmap.error().message;
}

TEST(Charsmap, RefusesReplacementsThatAreNotUtf8) { EXPECT_FALSE(parse_charsmap(table() + "\xFF", "table")); }

}  // namespace
}  // namespace tandem
