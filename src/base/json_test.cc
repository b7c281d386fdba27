#include "base/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace tandem {
namespace {

TEST(Json, ReadsIntegersBeyond64BitsAsDoubles) {
  const Result<JsonDocument> document = JsonDocument::parse(
      R"({"huge":1000000000000000019884624838656,"\"1":[-99999999999999999999,18446744073709551615],)"
      R"("text":"123456789012345678901234567890 \" 5","small":0.00000000000000000000000000000000001})",
      "config.json");
  ASSERT_TRUE(document) << document.error().message;
  const JsonValue root = document->root();
  EXPECT_EQ(root.get_double("huge").value(), 1e30);
  EXPECT_FALSE(root.get_unsigned("huge"));
  const std::vector<JsonValue> numbers = root.get_array("\"1").value();
  EXPECT_EQ(numbers.at(0).as_double().value(), -1e20);
  EXPECT_EQ(numbers.at(1).as_unsigned().value(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(root.get_string("text").value(), "123456789012345678901234567890 \" 5");
  EXPECT_EQ(root.get_double("small").value(), 1e-35);
}

TEST(Json, RefusesTheEmptyText) {
  EXPECT_FALSE(JsonDocument::parse({}, "empty"));
  EXPECT_FALSE(JsonDocument::parse(" ", "blank"));
}

TEST(Json, RefusesWhatIsNoNumber) {
  for (const char* text : {"[1-2]", "[--99999999999999999999]", "[01]", "[99999999999999999999x]", "[1.]", "[-]"}) {
    EXPECT_FALSE(JsonDocument::parse(text, "numbers")) << text;
  }
}

}  // namespace
}  // namespace tandem
