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

TEST(TokenizerFolder, NamesWhatItRefuses) {
  expect_refusal({}, ErrorCode::kNotFound, "no tokenizer.json");
  expect_refusal({{"vocab.txt", "a\nb\n"}}, ErrorCode::kCorruptData, "vocab.txt: model: unk_token '[UNK]'");
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
