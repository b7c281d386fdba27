#include "base/strip.h"

#include <gtest/gtest.h>

#include <string>

#include "base/utf8.h"

namespace tandem {
namespace {

// CPython 3.11: [c for c in range(0x110000) if chr(c).isspace()].
constexpr char32_t kPythonSpaces[] = {0x9,    0xA,    0xB,    0xC,    0xD,    0x1C,   0x1D,   0x1E,   0x1F,   0x20,
                                      0x85,   0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
                                      0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000};

TEST(Strip, RemovesWhatPythonRemovesAndNothingElse) {
  std::size_t removed = 0;
  for (char32_t code_point = 0; code_point < 0x110000; ++code_point) {
    if (code_point >= 0xD800 && code_point < 0xE000) continue;
    std::string space;
    append_utf8(space, code_point);
    removed += strip(space + "a" + space) == "a" ? 1 : 0;
  }
  EXPECT_EQ(removed, std::size(kPythonSpaces));
  for (const char32_t code_point : kPythonSpaces) {
    std::string space;
    append_utf8(space, code_point);
    EXPECT_EQ(strip(space + space), "");
    EXPECT_EQ(strip(space + "a" + space + "b" + space), "a" + space + "b");
  }
}

TEST(Strip, StopsAtBytesThatAreNotUtf8) {
  EXPECT_EQ(strip(" \x80 a \x80\x80\x80\x80\x80 "), "\x80 a \x80\x80\x80\x80\x80");
  EXPECT_EQ(strip("a\xE3\x80"), "a\xE3\x80");
  EXPECT_EQ(strip("\x80"), "\x80");
}

}  // namespace
}  // namespace tandem
