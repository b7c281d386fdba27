#include "base/controls.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(Controls, NamesWithControlCharactersAreRefused) {
  for (const char* name : {"a\nb", "a\tb", "\x1b[2J", "\x7f", "a\xc2\x9b", "a\xe2\x80\xa8", "a\r"}) {
    const Status status = check_name("document id", name);
    ASSERT_FALSE(status) << name;
    EXPECT_EQ(status.error().code, ErrorCode::kCorruptData);
    EXPECT_NE(status.error().message.find("document id"), std::string::npos) << status.error().message;
  }
}

TEST(Controls, NamesOfEveryScriptAreAccepted) {
  for (const char* name : {"", "doc 1", "文書", "وثيقة", "👩‍🔬", "naïve", "\xff", "\xe2\x80\x8f"}) {
    EXPECT_TRUE(check_name("document id", name)) << name;
  }
}

TEST(Controls, WhatTurnsTheWritingDirectionActsUnseen) {
  for (const char32_t code_point : {0x061C, 0x200E, 0x200F, 0x202A, 0x202E, 0x2066, 0x2069, 0x1B, 0x9B, 0x2028}) {
    EXPECT_TRUE(acts_unseen(code_point)) << static_cast<unsigned>(code_point);
  }
  for (const char32_t code_point : {0x20, 0xA0, 0x200C, 0x200D, 0x061B, 0x061D, 0x2065, 0x206A, 0x1F469, 0xFFFD}) {
    EXPECT_FALSE(acts_unseen(code_point)) << static_cast<unsigned>(code_point);
  }
}

}  // namespace
}  // namespace tandem
