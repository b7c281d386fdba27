#include "base/base64.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

// RFC 4648, section 10.
TEST(Base64, EncodesTheExamplesOfItsStandard) {
  EXPECT_EQ(encode_base64(""), "");
  EXPECT_EQ(encode_base64("f"), "Zg==");
  EXPECT_EQ(encode_base64("fo"), "Zm8=");
  EXPECT_EQ(encode_base64("foo"), "Zm9v");
  EXPECT_EQ(encode_base64("foob"), "Zm9vYg==");
  EXPECT_EQ(encode_base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encode_base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, ReadsWhatItWrote) {
  std::string bytes;
  for (int value = 255; value >= 0; --value) bytes.push_back(static_cast<char>(value));
  EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
}

}  // namespace
}  // namespace tandem
