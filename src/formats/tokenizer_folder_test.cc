#include "formats/tokenizer_folder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/testing/temporary_folder.h"

namespace tandem {
namespace {

using Files = std::initializer_list<std::pair<const char*, std::string_view>>;

Result<TokenizerSpec> read(Files files) {
  const TemporaryFolder folder;
  for (const auto& [name, content] : files) std::ofstream(folder.path() / name, std::ios::binary) << content;
  return read_tokenizer_folder(folder.path());
}

void expect_refusal(Files files, ErrorCode code, std::string_view message) {
  const auto spec = read(files);
  ASSERT_FALSE(spec) << message;
  EXPECT_EQ(spec.error().code, code);
  EXPECT_NE(spec.error().message.find(message), std::string::npos) << spec.error().message;
}

TEST(TokenizerFolder, ReadsAVocabularyOfWordPieces) {
  const auto spec = read({{"vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nthe\r\n##s"},
                          {"tokenizer_config.json", R"({"do_lower_case":false,"tokenize_chinese_chars":false})"}});
  ASSERT_TRUE(spec) << spec.error().message;
  const auto& model = std::get<WordPieceSpec>(spec->model);
  ASSERT_EQ(model.vocabulary.size(), 7U);
  EXPECT_EQ(model.vocabulary[5].spelling, "the");
  EXPECT_EQ(model.vocabulary[5].id, 6);
  const auto& normalizer = std::get<BertNormalizerSpec>(spec->normalizer.at(0));
  EXPECT_FALSE(normalizer.lowercase || normalizer.strip_accents || normalizer.handle_chinese_chars);
  EXPECT_EQ(spec->post_processor.layout.single.at(0).ids, std::vector<std::int32_t>{2});
  EXPECT_EQ(spec->added_tokens.size(), 5U);
}

TEST(TokenizerFolder, TellsMpnetByItsConfiguration) {
  const auto spec =
      read({{"vocab.txt", "<s>\n<pad>\n</s>\n[UNK]\n<mask>\na"}, {"config.json", R"({"model_type":"mpnet"})"}});
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->post_processor.layout.pair.size(), 6U);
  EXPECT_TRUE(spec->added_tokens.back().lstrip);
}

TEST(TokenizerFolder, ReadsMerges) {
  const auto spec =
      read({{"vocab.json", R"({"<s>":0,"</s>":1,"a":2,"b":3,"ab":4})"}, {"merges.txt", "#version: 0.2\na b\n"}});
  ASSERT_TRUE(spec) << spec.error().message;
  const auto& model = std::get<BpeSpec>(spec->model);
  ASSERT_EQ(model.merges.size(), 1U);
  EXPECT_EQ(model.merges[0].result, 4);
}

// ---- tokenizer.json, which most classes take no more than the vocabulary of. ----

constexpr std::string_view kWordPieces =
    R"({"version":"1.0","normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,
      "strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},
      "post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},
      "truncation":{"direction":"Left","max_length":8,"strategy":"LongestFirst","stride":0},
      "added_tokens":[{"id":1,"content":"[UNK]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,
                       "special":true}],
      "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"@@","max_input_chars_per_word":7,
               "vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"[END]":5,"a":6}}})";

TEST(TokenizerFolder, AClassTakesTheVocabularyAndMakesTheRestItself) {
  const auto spec = read({{"tokenizer.json", kWordPieces},
                          {"config.json", R"({"model_type":"bert"})"},
                          {"tokenizer_config.json", R"({"do_lower_case":false,"sep_token":"[END]"})"}});
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_FALSE(std::get<BertNormalizerSpec>(spec->normalizer.at(0)).lowercase);
  EXPECT_FALSE(std::get<BertNormalizerSpec>(spec->normalizer.at(0)).strip_accents);
  EXPECT_EQ(spec->post_processor.layout.single.at(2).ids, std::vector<std::int32_t>{5});
  EXPECT_EQ(spec->post_processor.layout.pair.at(3).type_id, 1);
  const auto& model = std::get<WordPieceSpec>(spec->model);
  EXPECT_EQ(model.continuing_subword_prefix, "##");
  EXPECT_EQ(model.max_input_chars_per_word, 100U);
  EXPECT_TRUE(spec->truncates_left);
  EXPECT_NE(spec->settings.find("as BertTokenizer, keeps case"), std::string::npos) << spec->settings;
}

TEST(TokenizerFolder, WhatIsDeclaredAsWrittenStaysSo) {
  const auto spec = read({{"tokenizer.json", kWordPieces},
                          {"config.json", R"({"model_type":"bert"})"},
                          {"tokenizer_config.json",
                           R"({"tokenizer_class":"PreTrainedTokenizerFast","do_lower_case":false,
                               "truncation_side":"right","pad_token":"[PAD]"})"}});
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_TRUE(std::get<BertNormalizerSpec>(spec->normalizer.at(0)).lowercase);
  EXPECT_EQ(std::get<WordPieceSpec>(spec->model).continuing_subword_prefix, "@@");
  EXPECT_EQ(spec->added_tokens.size(), 2U);  // [PAD] on top.
  EXPECT_EQ(spec->named_tokens, std::vector<std::string>{"[PAD]"});
  EXPECT_FALSE(spec->truncates_left);
  // transformers 5 hands no token types to the model then.
  for (const TemplatePiece& piece : spec->post_processor.layout.pair) EXPECT_EQ(piece.type_id, 0);
}

TEST(TokenizerFolder, AFileThatLiesAloneIsAsItSays) {
  const auto spec = read({{"tokenizer.json", kWordPieces}});
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(std::get<WordPieceSpec>(spec->model).continuing_subword_prefix, "@@");
  EXPECT_EQ(spec->post_processor.layout.pair.back().type_id, 1);
}

TEST(TokenizerFolder, TheDecoderOfAddedTokensGoesBeforeTheFiles) {
  const auto spec =
      read({{"tokenizer.json", kWordPieces},
            {"config.json", R"({"model_type":"bert"})"},
            {"special_tokens_map.json", R"({"sep_token":"[END]"})"},
            {"tokenizer_config.json", R"({"added_tokens_decoder":{"4":{"content":"[MASK]","lstrip":true,"special":true},
                                          "9":{"content":"new"}},"extra_special_tokens":["[END]"]})"}});
  ASSERT_TRUE(spec) << spec.error().message;
  std::vector<std::string> contents;
  for (const AddedToken& token : spec->added_tokens) contents.push_back(token.content);
  EXPECT_EQ(contents, (std::vector<std::string>{"[MASK]", "new", "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[END]"}));
  EXPECT_TRUE(spec->added_tokens.at(0).lstrip);
  EXPECT_TRUE(spec->added_tokens.at(1).normalized);
  EXPECT_EQ(spec->post_processor.layout.single.at(2).ids, std::vector<std::int32_t>{3});
}

TEST(TokenizerFolder, RefusesClassesAndKeysThatItDoesNotFollow) {
  const auto refuse = [](std::string_view config, std::string_view message, std::string_view model = "bert") {
    const std::string model_config = R"({"model_type":")" + std::string(model) + R"("})";
    expect_refusal({{"tokenizer.json", kWordPieces}, {"config.json", model_config}, {"tokenizer_config.json", config}},
                   ErrorCode::kUnsupported, message);
  };
  refuse(R"({"tokenizer_class":"BertJapaneseTokenizer"})", "tokenizer_class 'BertJapaneseTokenizer' is not supported");
  refuse(R"({"tokenizer_class":"HerbertTokenizerFast"})", "tokenizer_class 'HerbertTokenizerFast'");
  refuse("{}", "holds another kind of model than a XLMRobertaTokenizer reads, want Unigram", "xlm-roberta");
  refuse("{}", "holds another kind of model than a RobertaTokenizer reads", "roberta");
  refuse(R"({"model_input_names":["input_ids"]})", "model_input_names without attention_mask");
  refuse(R"({"auto_map":{"AutoTokenizer":["x.Y",null]}})", "auto_map is not supported");
  refuse(R"({"processor_class":"X"})", "processor_class is not supported");
  refuse(R"({"fast_tokenizer_files":["tokenizer.4.0.json"]})", "'tokenizer.4.0.json' is not supported");
  refuse(R"({"cls_token":null})", "cls_token is null");
  expect_refusal({{"tokenizer.json", kWordPieces}, {"tokenizer_config.json", R"({"do_lower_case":null})"}},
                 ErrorCode::kCorruptData, "do_lower_case");
  expect_refusal({{"tokenizer.json", kWordPieces}, {"tokenizer_config.json", R"({"truncation_side":"up"})"}},
                 ErrorCode::kCorruptData, "truncation_side is 'up'");
  expect_refusal({{"vocab.txt", "[UNK]\n"}, {"config.json", R"({"tokenizer_class":"XLMRobertaTokenizer"})"}},
                 ErrorCode::kNotFound, "no sentencepiece.bpe.model, which a XLMRobertaTokenizer is read from");
  expect_refusal({{"vocab.txt", "[UNK]\n"}, {"tokenizer_config.json", R"({"tokenizer_class":"TokenizersBackend"})"}},
                 ErrorCode::kNotFound, "no tokenizer.json, which a TokenizersBackend is read from");
}

TEST(TokenizerFolder, NamesWhatItRefuses) {
  expect_refusal({}, ErrorCode::kNotFound, "no tokenizer.json");
  expect_refusal({{"vocab.txt", "a\nb\n"}}, ErrorCode::kCorruptData, "vocab.txt: model: unk_token '[UNK]'");
  // A token that no text can spell, as an empty line is.
  expect_refusal({{"vocab.txt", "[UNK]\n\n[CLS]\n[SEP]\n"}, {"tokenizer_config.json", R"({"unk_token":""})"}},
                 ErrorCode::kCorruptData, "vocab.txt: model: unk_token '' is not in the vocabulary");
  expect_refusal({{"vocab.txt", "\xFF\n"}}, ErrorCode::kCorruptData, "vocab.txt: want UTF-8");
  expect_refusal({{"vocab.json", R"({"a":0,"b":1})"}, {"merges.txt", "a b\n"}}, ErrorCode::kCorruptData,
                 "merges.txt: model: merge of 'a' and 'b': 'ab' is not in the vocabulary");
  expect_refusal({{"vocab.json", R"({"a":0,"b":1})"}, {"merges.txt", "a b c\n"}}, ErrorCode::kCorruptData,
                 "merges.txt: merge 'a b c', want two tokens");
  expect_refusal({{"vocab.json", R"({"a":0,"b":0})"}, {"merges.txt", ""}}, ErrorCode::kCorruptData, "both have id 0");
  expect_refusal({{"sentencepiece.bpe.model", "x"}}, ErrorCode::kCorruptData, "sentencepiece.bpe.model: ");
  expect_refusal(
      {{"vocab.txt", "[UNK]\n"}, {"tokenizer_config.json", R"({"added_tokens_decoder":{"x":{"content":"a"}}})"}},
      ErrorCode::kCorruptData, "'x' is not an id");
}

}  // namespace
}  // namespace tandem
