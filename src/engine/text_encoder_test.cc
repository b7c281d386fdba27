// Model folders whose parts contradict each other: what a template does to texts is held against the model's tables.
#include "engine/text_encoder.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "engine/testing/tiny_models.h"

namespace tandem {
namespace {

/// A tokenizer for the tiny model: 140 ids, 40 positions, two token types.
std::string tokenizer(std::string_view single, std::string_view pair, std::string_view cls_ids = "1",
                      std::string_view normalizer = "null") {
  return R"({"version":"1.0","normalizer":)" + std::string(normalizer) +
         R"(,"pre_tokenizer":{"type":"WhitespaceSplit"},"model":{"type":"WordPiece","unk_token":"[UNK]",
           "continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"[CLS]":1,"a":2}},
           "post_processor":{"type":"TemplateProcessing","single":[)" +
         std::string(single) + R"(],"pair":[)" + std::string(pair) +
         R"(],"special_tokens":{"[CLS]":{"id":"[CLS]","tokens":["[CLS]"],"ids":[)" + std::string(cls_ids) + "]}}}}";
}

constexpr std::string_view kCls = R"({"SpecialToken":{"id":"[CLS]","type_id":0}},)";
constexpr std::string_view kText = R"({"Sequence":{"id":"A","type_id":0}})";
constexpr std::string_view kPair = R"({"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}})";

std::string ids(std::size_t count) {
  std::string list = "1";
  for (std::size_t i = 1; i < count; ++i) list += ",1";
  return list;
}

// The reference answers with zeros, which are no vectors to search by.
TEST(TextEncoderPrompts, LeaveRoomForATextOrAreRefused) {
  TinyModels models;
  const std::string word = "one ";
  for (const std::size_t words : {20U, 50U}) {
    std::string prompt;
    for (std::size_t i = 0; i < words; ++i) prompt += word;
    models.write_prompts(R"({"query":")" + prompt + R"("})");
    const BiEncoder encoder = models.bi_encoder();
    const std::string_view text = "boat";
    EXPECT_TRUE(encoder.encode({&text, 1}, TextRole::kDocument));
    const Result<Embeddings> embeddings = encoder.encode({&text, 1}, TextRole::kQuery);
    if (words == 20) {
      EXPECT_TRUE(embeddings) << embeddings.error().message;
      continue;
    }
    ASSERT_FALSE(embeddings);
    EXPECT_EQ(embeddings.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(embeddings.error().message.find("takes 52 tokens with the special ones, and 36 are"), std::string::npos)
        << embeddings.error().message;
  }
}

class TextEncoderTemplates : public testing::Test {
 protected:
  Result<BiEncoder> open(const std::string& tokenizer_json) const {
    models_.bi_folder().write("tokenizer.json", tokenizer_json);
    models_.bi_folder().write("tokenizer_config.json",
                              R"({"tokenizer_class":"PreTrainedTokenizerFast","model_max_length":36,
                                  "model_input_names":["input_ids","token_type_ids","attention_mask"]})");
    return BiEncoder::open(models_.bi_folder().path(),
                           {.compute = {.precision = Precision::kF32, .executor = Executor(1)}});
  }
  void expect_refused(const std::string& tokenizer_json, ErrorCode code, std::string_view part) const {
    const Result<BiEncoder> encoder = open(tokenizer_json);
    ASSERT_FALSE(encoder) << part;
    EXPECT_EQ(encoder.error().code, code) << encoder.error().message;
    EXPECT_NE(encoder.error().message.find(part), std::string::npos) << encoder.error().message;
  }
  TinyModels models_;
};

TEST_F(TextEncoderTemplates, CountSpecialTokensWhereTheyAreUsed) {
  // The pair's template adds nothing: it says nothing about single texts.
  const std::string single = std::string(kCls).append(kText);
  expect_refused(tokenizer(single, kPair, ids(64)), ErrorCode::kInvalidArgument, "more than 64 (special tokens)");
  expect_refused(tokenizer(single, kPair, ids(36)), ErrorCode::kInvalidArgument, "more than 36 (special tokens)");
  const BiEncoder encoder = must(open(tokenizer(single, kPair, ids(35))));
  const std::string_view text = "a a a a";
  EXPECT_EQ(must(encoder.encode({&text, 1})).truncation.tokens_dropped, 3U);
}

TEST_F(TextEncoderTemplates, HoldEveryTokenTypeAgainstTheModel) {
  // No sample would show a type of texts that lose every character.
  const std::string removes = R"({"type":"Replace","pattern":{"String":"a"},"content":""})";
  expect_refused(tokenizer(R"({"Sequence":{"id":"A","type_id":255}})", kPair, "1", removes), ErrorCode::kConflict,
                 "gives texts the token type 255, the model has 2 types");
  expect_refused(tokenizer(std::string(R"({"SpecialToken":{"id":"[CLS]","type_id":2}},)").append(kText), kPair),
                 ErrorCode::kConflict, "gives texts the token type 2");
  EXPECT_TRUE(open(tokenizer(kText, R"({"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":7}})")));
}

}  // namespace
}  // namespace tandem
