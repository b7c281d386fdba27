#include "base/unicode.h"

#include <gtest/gtest.h>

#include <string>

namespace tandem {
namespace {

std::u32string text(CodePoints points) { return {points.begin(), points.end()}; }

TEST(Unicode, DecomposesFully) {
  EXPECT_EQ(text(canonical_decomposition(0x1EBF)), U"e\u0302\u0301");
  EXPECT_EQ(text(canonical_decomposition(0xF900)), U"\u8C48");
  EXPECT_EQ(text(canonical_decomposition('e')), U"e");
}

TEST(Unicode, DecomposesHangulByArithmetic) {
  EXPECT_EQ(text(canonical_decomposition(0xAC00)), U"\u1100\u1161");
  EXPECT_EQ(text(canonical_decomposition(0xD7A3)), U"\u1112\u1175\u11C2");
  EXPECT_EQ(text(canonical_decomposition(0xD7A4)), U"\uD7A4");
  EXPECT_EQ(text(canonical_decomposition(0xABFF)), U"\uABFF");
}

TEST(Unicode, LowercasesWithoutContext) {
  EXPECT_EQ(text(lowercase('A')), U"a");
  EXPECT_EQ(text(lowercase(0x130)), U"i\u0307");
  EXPECT_EQ(text(lowercase(0x3A3)), U"\u03C3");
  EXPECT_EQ(text(lowercase(0xDF)), U"\u00DF");
}

TEST(Unicode, ClassifiesCodePoints) {
  EXPECT_TRUE(code_point_class('\n').has(kWhitespace));
  EXPECT_TRUE(code_point_class(0x3000).has(kWhitespace));
  EXPECT_FALSE(code_point_class(0x200B).has(kWhitespace));
  EXPECT_TRUE(code_point_class(0x200B).has(kOther));
  EXPECT_TRUE(code_point_class('$').has(kPunctuation)) << "BERT counts every ASCII symbol";
  EXPECT_TRUE(code_point_class(0x201C).has(kPunctuation));
  EXPECT_FALSE(code_point_class(0x20AC).has(kPunctuation));
  EXPECT_TRUE(code_point_class(0x301).has(kMarkNonspacing));
  EXPECT_EQ(code_point_class(0x301).combining_class, 230);
  EXPECT_TRUE(code_point_class('_').has(kWord));
  EXPECT_FALSE(code_point_class('-').has(kWord));
}

TEST(Unicode, FlagsAgreeWithTheMappings) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    ASSERT_EQ(code_point_class(c).has(kLowercases), text(lowercase(c)) != std::u32string(1, c))
        << static_cast<std::uint32_t>(c);
    ASSERT_EQ(code_point_class(c).has(kDecomposes), text(canonical_decomposition(c)) != std::u32string(1, c))
        << static_cast<std::uint32_t>(c);
  }
}

}  // namespace
}  // namespace tandem
