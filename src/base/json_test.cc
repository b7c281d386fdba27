#include "base/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

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

TEST(Json, WritesWhatActsUnseenAsEscapesAndReadsItBack) {
  const std::string text =
      "a\x1b[2J\x7f\n\xc2\x9b\xe2\x80\xae\xe2\x80\xa8 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac \xd8\xb9";
  const std::string json = JsonWriter().begin_array().value(text).end_array().take();
  EXPECT_EQ(json,
            "[\"a\\u001b[2J\\u007f\\n\\u009b\\u202e\\u2028 "
            "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac \xd8\xb9\"]");
  const Result<JsonDocument> read = JsonDocument::parse(json, "json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->root().as_array().value()[0].as_string().value(), text);
  EXPECT_EQ(read->root().dump(), json);
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

TEST(Json, OfEqualKeysTheLastCounts) {
  const Result<JsonDocument> document = JsonDocument::parse(R"({"a":1,"b":2,"a":null,"b":3})", "x");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().get_unsigned("b"), 3U);
  EXPECT_FALSE(*document->root().find_unsigned("a"));
}

}  // namespace
}  // namespace tandem
