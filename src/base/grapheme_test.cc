#include "base/grapheme.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace tandem {
namespace {

std::vector<std::string_view> clusters(std::string_view text) {
  std::vector<std::string_view> result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = grapheme_end(text, begin);
    result.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return result;
}

using Clusters = std::vector<std::string_view>;

TEST(Grapheme, KeepsMarksWithTheirLetter) {
  EXPECT_EQ(clusters("ae\u0301\u0323x"), (Clusters{"a", "e\u0301\u0323", "x"}));
}

TEST(Grapheme, KeepsLineEndsTogether) { EXPECT_EQ(clusters("\r\n\n\r"), (Clusters{"\r\n", "\n", "\r"})); }

TEST(Grapheme, JoinsHangulSyllables) {
  EXPECT_EQ(clusters("\u1100\u1161\u11A8\u1100"), (Clusters{"\u1100\u1161\u11A8", "\u1100"}));
}

TEST(Grapheme, PairsRegionalIndicators) {
  EXPECT_EQ(clusters("\U0001F1E9\U0001F1EA\U0001F1EB"), (Clusters{"\U0001F1E9\U0001F1EA", "\U0001F1EB"}));
}

TEST(Grapheme, JoinsPictographsByAJoiner) {
  EXPECT_EQ(clusters("\U0001F468\u200D\U0001F469a\u200D\U0001F469"),
            (Clusters{"\U0001F468\u200D\U0001F469", "a\u200D", "\U0001F469"}));
}

TEST(Grapheme, JoinsConsonantsThatALinkerConnects) {
  EXPECT_EQ(clusters("\u0915\u094D\u0937\u0915"), (Clusters{"\u0915\u094D\u0937", "\u0915"}));
}

}  // namespace
}  // namespace tandem
