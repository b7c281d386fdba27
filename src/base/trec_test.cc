#include "base/trec.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace tandem {
namespace {

TEST(Trec, WhatEndsAColumnOrActsUnseenIsInNoWord) {
  for (const char* text :
       {"", " ", "a b", "a\tb", "a\n", "a\x1b[2J", "a\u0085z", "a\u00a0z", "a\u1680z", "a\u2003z", "a\u2028z",
        "a\u202fz", "a\u205fz", "a\u3000z", "a\u202ez", "a\u200fz", "a\u2069z", "\xff", "a\xe3\x80"}) {
    EXPECT_FALSE(is_one_word(text)) << text;
  }
}

TEST(Trec, WordsOfEveryScriptAreWords) {
  for (const char* text : {"a", "doc-1/2#3", "文書", "وثيقة", "👩‍🔬", "naïve", "a\\u{202e}b"}) {
    EXPECT_TRUE(is_one_word(text)) << text;
  }
}

// A terminal shows the first id as the second.
TEST(Trec, IdsThatPrintAlikeAreNotBothInARun) {
  std::string text;
  const RunLine line{.query_id = "q", .document_id = "ok\u202eid", .rank = 1, .score = 2, .tag = "t"};
  const Status status = append_run_line(text, line);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(text, "");
  ASSERT_TRUE(
      append_run_line(text, {.query_id = "q", .document_id = "ok\\u{202e}id", .rank = 1, .score = 2, .tag = "t"}));
  EXPECT_EQ(text, "q Q0 ok\\u{202e}id 1 2 t\n");
}

}  // namespace
}  // namespace tandem
