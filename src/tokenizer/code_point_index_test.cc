#include "tokenizer/code_point_index.h"

#include <gtest/gtest.h>

#include <string>

namespace tandem {
namespace {

TEST(CodePointIndex, GoesThereAndBack) {
  const std::string units[] = {"a", "é", "a中", "𝄞é"};
  for (const std::string& unit : units) {
    for (const std::size_t times : {0, 1, 15, 16, 17, 40, 100}) {
      std::string text;
      for (std::size_t i = 0; i < times; ++i) text += unit;
      const CodePointIndex index(text);
      std::uint32_t count = 0;
      for (std::uint32_t position = 0; position < text.size(); ++position) {
        if ((text[position] & 0xC0) == 0x80) continue;
        EXPECT_EQ(index.count_before(position), count) << unit << " " << times;
        EXPECT_EQ(index.position_of(count), position) << unit << " " << times;
        ++count;
      }
      const auto end = static_cast<std::uint32_t>(text.size());
      EXPECT_EQ(index.count_before(end), count);
      EXPECT_EQ(index.position_of(count), end);
      EXPECT_EQ(index.position_of(count + 1'000'000'000'000), end);
      EXPECT_EQ(index.is_ascii(), unit == "a" || times == 0);
    }
  }
}

}  // namespace
}  // namespace tandem
