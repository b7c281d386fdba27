#include "formats/tokenizer_json.h"

#include <gtest/gtest.h>

#include <string>

namespace tandem {
namespace {

constexpr std::string_view kSmall =
    R"({"version":"1.0","padding":{"nonsense":1},"truncation":17,"added_tokens":[
        {"id":1,"content":"[CLS]","single_word":true,"lstrip":false,"rstrip":true,"normalized":false,"special":true}],
        "normalizer":{"type":"BertNormalizer","clean_text":false,"handle_chinese_chars":true,"strip_accents":null,
                      "lowercase":true},
        "pre_tokenizer":{"type":"BertPreTokenizer"},
        "post_processor":{"type":"TemplateProcessing",
          "single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
          "pair":[{"Sequence":{"id":"B","type_id":1}},{"Sequence":{"id":"A","type_id":0}}],
          "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[1],"tokens":["[CLS]"]}}},
        "decoder":{"type":"Nobody"},
        "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
                 "max_input_chars_per_word":100,"vocab":{"[UNK]":0,"[CLS]":1,"a":2}}})";

/// The small file with one piece of text replaced by another.
std::string changed(std::string_view from, std::string_view to) {
  std::string text(kSmall);
  const std::size_t place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return text.replace(place, from.size(), to);
}

void expect_error(const std::string& text, ErrorCode code, std::string_view message_part) {
  const auto spec = parse_tokenizer_json(text, "tokenizer.json");
  ASSERT_FALSE(spec) << text;
  EXPECT_EQ(spec.error().code, code) << spec.error().message;
  EXPECT_NE(spec.error().message.find(message_part), std::string::npos) << spec.error().message;
  EXPECT_EQ(spec.error().message.rfind("tokenizer.json: ", 0), 0U) << spec.error().message;
}

TEST(TokenizerJson, ReadsEveryPart) {
  const auto spec = parse_tokenizer_json(kSmall, "tokenizer.json");
  ASSERT_TRUE(spec) << spec.error().message;
  ASSERT_EQ(spec->added_tokens.size(), 1U);
  EXPECT_EQ(spec->added_tokens[0].content, "[CLS]");
  EXPECT_TRUE(spec->added_tokens[0].single_word);
  EXPECT_FALSE(spec->added_tokens[0].lstrip);
  EXPECT_TRUE(spec->added_tokens[0].rstrip);
  EXPECT_FALSE(spec->added_tokens[0].normalized);
  EXPECT_TRUE(spec->added_tokens[0].special);
  const auto& normalizer = std::get<BertNormalizerSpec>(spec->normalizer.at(0));
  EXPECT_FALSE(normalizer.clean_text);
  EXPECT_TRUE(normalizer.strip_accents) << "null follows lowercase";
  EXPECT_TRUE(std::holds_alternative<BertPreTokenizerSpec>(spec->pre_tokenizer.at(0)));
  const auto& model = std::get<WordPieceSpec>(spec->model);
  EXPECT_EQ(model.vocabulary.size(), 3U);
  EXPECT_EQ(model.unk_token, "[UNK]");
  EXPECT_EQ(model.max_input_chars_per_word, 100U);
  ASSERT_EQ(spec->post_processor.layout.single.size(), 2U);
  EXPECT_EQ(spec->post_processor.layout.single[0].ids, std::vector<std::int32_t>{1});
  EXPECT_EQ(spec->post_processor.layout.pair[0].kind, TemplatePiece::Kind::kSecondText);
}

TEST(TokenizerJson, NamesAPartThatIsNotSupported) {
  expect_error(changed("BertPreTokenizer", "UnicodeScripts"), ErrorCode::kUnsupported,
               "pre_tokenizer: type 'UnicodeScripts' is not supported");
  expect_error(changed("BertNormalizer", "Rot13"), ErrorCode::kUnsupported, "normalizer: type 'Rot13'");
  expect_error(changed("WordPiece", "WordLevel"), ErrorCode::kUnsupported, "model: type 'WordLevel'");
  expect_error(changed("TemplateProcessing", "OtherProcessing"), ErrorCode::kUnsupported,
               "post_processor: type 'OtherProcessing'");
  expect_error(changed(R"("version":"1.0")", R"("version":"2.0")"), ErrorCode::kUnsupported, "version '2.0'");
}

TEST(TokenizerJson, ReadsAModelWithoutAType) {
  EXPECT_TRUE(parse_tokenizer_json(changed(R"("type":"WordPiece",)", ""), "tokenizer.json"));
}

TEST(TokenizerJson, RefusesAVocabularyThatContradictsItself) {
  expect_error(changed(R"("a":2)", R"("a":1)"), ErrorCode::kCorruptData, "tokens '[CLS]' and 'a' both have id 1");
  expect_error(changed(R"("a":2)", R"("[CLS]":2)"), ErrorCode::kCorruptData, "'[CLS]' is in the vocabulary twice");
  expect_error(changed(R"("a":2)", R"("a":4000000000)"), ErrorCode::kCorruptData, "a has id 4000000000");
  expect_error(changed(R"("a":2)", R"("a":-1)"), ErrorCode::kCorruptData, "unsigned");
  expect_error(changed(R"("[UNK]":0,)", ""), ErrorCode::kCorruptData, "unk_token '[UNK]' is not in the vocabulary");
}

TEST(TokenizerJson, RefusesATemplateThatDoesNotUseItsTexts) {
  expect_error(changed(R"({"Sequence":{"id":"B","type_id":1}},)", ""), ErrorCode::kUnsupported, "template 'pair'");
  expect_error(changed(R"("id":"A")", R"("id":"C")"), ErrorCode::kCorruptData, "'C'");
  expect_error(changed(R"("special_tokens":{"[CLS]")", R"("special_tokens":{"[SEP]")"), ErrorCode::kCorruptData,
               "[CLS] is missing");
  expect_error(changed(R"("type_id":1)", R"("type_id":5000000000)"), ErrorCode::kCorruptData, "type_id 5000000000");
}

/// A document with this model and nothing else.
std::string with_model(std::string_view model) { return "{\"model\":" + std::string(model) + "}"; }

TEST(TokenizerJson, RefusesMergesThatDisagreeWithTheVocabulary) {
  const auto bpe = [](std::string_view merges, std::string_view more = "") {
    return with_model(R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":[)" + std::string(merges) + "]" +
                      std::string(more) + "}");
  };
  EXPECT_TRUE(parse_tokenizer_json(bpe(R"("#version: 0.2","a b",["a","b"])"), "tokenizer.json"));
  expect_error(bpe(R"("a c")"), ErrorCode::kCorruptData, "merge of 'a' and 'c': 'c' is not in the vocabulary");
  expect_error(bpe(R"(["ab","a"])"), ErrorCode::kCorruptData, "'aba' is not in the vocabulary");
  expect_error(bpe(R"("a b ab")"), ErrorCode::kCorruptData, "merge 'a b ab', want two tokens");
  expect_error(bpe(R"(["a"])"), ErrorCode::kCorruptData, "a merge has 1 parts");
  expect_error(bpe(R"("a b")", R"(,"continuing_subword_prefix":"##")"), ErrorCode::kCorruptData, "shorter than '##'");
  expect_error(bpe("", R"(,"dropout":0.1)"), ErrorCode::kUnsupported, "dropout is 0.1");
  expect_error(bpe("", R"(,"unk_token":"?")"), ErrorCode::kCorruptData, "unk_token '?'");
  expect_error(bpe("", R"(,"byte_fallback":true,"end_of_word_suffix":"w")"), ErrorCode::kUnsupported, "byte_fallback");
}

TEST(TokenizerJson, RefusesUnigramModelsThatContradictThemselves) {
  const auto unigram = [](std::string_view unk_id, std::string_view pieces) {
    return with_model(R"({"type":"Unigram","unk_id":)" + std::string(unk_id) + R"(,"vocab":[)" + std::string(pieces) +
                      "]}");
  };
  EXPECT_TRUE(parse_tokenizer_json(unigram("0", R"(["<unk>",0],["a",-1])"), "tokenizer.json"));
  expect_error(unigram("1", R"(["a",0])"), ErrorCode::kCorruptData, "unk_id is 1, want below the number of pieces, 1");
  expect_error(unigram("99999999999", R"(["a",0])"), ErrorCode::kCorruptData, "unk_id is 99999999999");
  expect_error(unigram("null", R"(["a",0])"), ErrorCode::kUnsupported, "unk_id is null");
  expect_error(unigram("0", R"(["a"])"), ErrorCode::kCorruptData, "piece 0 has 1 elements");
  expect_error(unigram("0", R"(["a","b"])"), ErrorCode::kCorruptData, "score");
}

TEST(TokenizerJson, RefusesPartsOfStagesThatItCannotRun) {
  const auto stages = [](std::string_view normalizer, std::string_view pre_tokenizer) {
    return R"({"model":{"type":"Unigram","unk_id":0,"vocab":[["a",0]]},"normalizer":)" + std::string(normalizer) +
           R"(,"pre_tokenizer":)" + std::string(pre_tokenizer) + "}";
  };
  const auto replace = [&](std::string_view pattern) {
    return stages(R"({"type":"Replace","content":"","pattern":)" + std::string(pattern) + "}", "null");
  };
  for (const std::string_view regex : {" {2,}", "\\\\s+", "a+", "``", "x\\\\.y"}) {
    EXPECT_TRUE(parse_tokenizer_json(replace(R"({"Regex":")" + std::string(regex) + R"("})"), "tokenizer.json"))
        << regex;
  }
  for (const std::string_view regex : {"a|b", "[ab]", "a*", "a+?", "ab+", "(?i)a", "a{2}", "a{0,}", "", "^a"}) {
    expect_error(replace(R"({"Regex":")" + std::string(regex) + R"("})"), ErrorCode::kUnsupported,
                 "regular expression '" + std::string(regex) + "'");
  }
  expect_error(replace(R"({"String":""})"), ErrorCode::kUnsupported, "a pattern is empty");
  expect_error(stages(R"({"type":"Precompiled","precompiled_charsmap":"@@@@"})", "null"), ErrorCode::kCorruptData,
               "not base64");
  expect_error(stages(R"({"type":"Precompiled","precompiled_charsmap":"AAAA"})", "null"), ErrorCode::kCorruptData,
               "normalizer: precompiled_charsmap: 3 bytes");
  expect_error(stages("null", R"({"type":"Metaspace","replacement":"ab"})"), ErrorCode::kCorruptData, "one character");
  expect_error(stages("null", R"({"type":"Metaspace","replacement":"_","add_prefix_space":false})"),
               ErrorCode::kCorruptData, "prepend_scheme is not 'never'");
  expect_error(stages("null", R"({"type":"Punctuation","behavior":"Eaten"})"), ErrorCode::kCorruptData, "'Eaten'");
}

TEST(TokenizerJson, RefusesValuesOfTheWrongType) {
  expect_error(changed(R"("clean_text":false)", R"("clean_text":"no")"), ErrorCode::kCorruptData, "clean_text");
  expect_error(changed(R"("vocab":{)", R"("vocab":17,"v":{)"), ErrorCode::kCorruptData, "vocab");
  expect_error(changed(R"("rstrip":true,)", ""), ErrorCode::kCorruptData, "rstrip is missing");
  expect_error("[]", ErrorCode::kCorruptData, "object");
  expect_error("{", ErrorCode::kCorruptData, "not valid JSON");
}

}  // namespace
}  // namespace tandem
