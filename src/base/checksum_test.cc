#include "base/checksum.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace tandem {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// From the xxhash package of Python, version 4.1.0: xxh3_64_intdigest.
TEST(Checksum, IsTheOneOfTheSpecification) {
  EXPECT_EQ(checksum({}), 0x2d06800538d394c2U);
  EXPECT_EQ(checksum(bytes_of("a")), 0xe6c632b61e964e1fU);
  EXPECT_EQ(checksum(bytes_of(std::string(1000, 'x'))), 0xc0a4877b962cba82U);
}

TEST(Checksum, IsTheSamePieceByPiece) {
  std::string text;
  for (int i = 0; i < 70'000; ++i) text += static_cast<char>(i * 31);
  Checksum pieces;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t begin = 0; begin < text.size(); begin += 777) {
      pieces.update(bytes_of(std::string_view(text).substr(begin, 777)));
    }
    EXPECT_EQ(pieces.take(), checksum(bytes_of(text)));
  }
}

}  // namespace
}  // namespace tandem
