#include "base/error.h"

#include <gtest/gtest.h>

#include <string>

#include "base/utf8.h"

namespace tandem {
namespace {

TEST(Errors, LongMessagesLoseTheirMiddle) {
  EXPECT_EQ(fail(ErrorCode::kIo, "{}: short", "x").value().message, "x: short");
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string name(shift, 'x');
    for (int i = 0; i < 100'000; ++i) name += "\u20ac";
    const std::string message = fail(ErrorCode::kIo, "file: '{}' is wrong", name).value().message;
    EXPECT_LT(message.size(), 9000U);
    EXPECT_TRUE(message.starts_with("file: '"));
    EXPECT_TRUE(message.ends_with("' is wrong"));
    EXPECT_NE(message.find("bytes left out"), message.npos);
    EXPECT_TRUE(is_utf8(message));
  }
}

}  // namespace
}  // namespace tandem
