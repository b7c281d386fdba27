#include "formats/sentencepiece_model.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <span>
#include <string>

namespace tandem {
namespace {

std::string field(int number, std::string_view bytes) {
  std::string text(1, static_cast<char>(number << 3 | 2));
  text.push_back(static_cast<char>(bytes.size()));
  return text.append(bytes);
}

std::string number_field(int number, int value) { return {static_cast<char>(number << 3), static_cast<char>(value)}; }

std::string piece(std::string_view spelling, float score, int type = 1) {
  std::string text = field(1, spelling);
  text.push_back(2 << 3 | 5);
  const auto bits = std::bit_cast<std::uint32_t>(score);
  for (int shift = 0; shift < 32; shift += 8) text.push_back(static_cast<char>(bits >> shift));
  return field(1, text + number_field(3, type));
}

Result<SentencePieceModel> parse(const std::string& bytes) {
  return parse_sentencepiece_model(std::as_bytes(std::span(bytes)), "m.model");
}

void expect_refusal(const std::string& bytes, ErrorCode code, std::string_view message) {
  const auto model = parse(bytes);
  ASSERT_FALSE(model) << message;
  EXPECT_EQ(model.error().code, code);
  EXPECT_TRUE(model.error().message.starts_with("m.model: ")) << model.error().message;
  EXPECT_NE(model.error().message.find(message), std::string::npos) << model.error().message;
}

TEST(SentencePieceModel, ReadsPieces) {
  const auto model =
      parse(piece("<unk>", 0, 2) + piece("\u2581a", -1.5) + piece("x", -2, 4) + field(2, number_field(3, 1)));
  ASSERT_TRUE(model) << model.error().message;
  ASSERT_EQ(model->pieces.size(), 3U);
  EXPECT_EQ(model->pieces[1].spelling, "\u2581a");
  EXPECT_EQ(model->pieces[1].score, -1.5);
  EXPECT_FALSE(model->pieces[1].is_user_defined);
  EXPECT_TRUE(model->pieces[2].is_user_defined);
  EXPECT_EQ(model->charsmap, nullptr);
}

TEST(SentencePieceModel, NamesWhatItRefuses) {
  expect_refusal(piece("a", std::nanf("")), ErrorCode::kCorruptData, "piece 'a' has the score nan");
  expect_refusal(piece("\xFF", 0), ErrorCode::kCorruptData, "not UTF-8");
  expect_refusal(piece("a", 0) + field(2, number_field(3, 2)), ErrorCode::kUnsupported, "model_type 2");
  expect_refusal(piece("a", 0) + field(3, field(2, "xy")), ErrorCode::kCorruptData, "precompiled_charsmap: 2 bytes");
  expect_refusal(piece("a", 0).substr(0, 5), ErrorCode::kCorruptData, "not protocol buffers");
  expect_refusal("", ErrorCode::kCorruptData, "no pieces");
}

}  // namespace
}  // namespace tandem
