#include "base/relative_path.h"

#include <gtest/gtest.h>

#include <string>

namespace tandem {
namespace {

TEST(RelativePath, KnowsWhatStaysInsideAFolder) {
  for (const char* name : {"a", "1_Pooling/config.json", "a/b..c/...", ".gitattributes", "..a"}) {
    EXPECT_TRUE(is_safe_relative_path(name)) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("/"), std::string("/a"), std::string("a/"), std::string("a//b"), std::string(".."),
        std::string("../a"), std::string("a/../b"), std::string("a/.."), std::string("./a"), std::string("a/./b"),
        std::string("a\\b"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(is_safe_relative_path(name)) << name;
  }
}

TEST(RelativePath, RefusesControlCharacters) {
  for (const char* name : {"1_\x1b[2J/config.json", "a\nb", "a\x7f", "a\xc2\x9b", "a\xc2\x80z"}) {
    EXPECT_FALSE(is_safe_relative_path(name)) << name;
  }
  for (const char* name : {"a\xc2\xa0z", "\xc3\xa4\xc2", "\xe2\x82\xac"})
    EXPECT_TRUE(is_safe_relative_path(name)) << name;
}

TEST(RelativePath, LeavesOutSegmentsThatLeadNowhere) {
  for (const char* name : {"", ".", "./", "././."}) EXPECT_EQ(to_safe_relative_path(name), "") << name;
  for (const char* name : {"a/b", "./a/b", "a/./b", "a//b", "a/b/", "a/b/."}) {
    EXPECT_EQ(to_safe_relative_path(name), "a/b") << name;
  }
  for (const char* name : {"/", "/a", "//a", "..", "./..", "../a", "a/../b", "a/..", "a\\b", "./a\nb"}) {
    EXPECT_EQ(to_safe_relative_path(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace tandem
