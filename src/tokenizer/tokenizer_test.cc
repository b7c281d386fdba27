#include "tandem/tokenizer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"

namespace tandem {
namespace {

/// A folder that holds a tokenizer.json, for as long as it lives.
class TokenizerFolder {
 public:
  explicit TokenizerFolder(std::string_view tokenizer_json) {
    std::string pattern = (std::filesystem::temp_directory_path() / "tandem_tokenizer_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    std::ofstream(path_ / "tokenizer.json") << tokenizer_json;
  }
  ~TokenizerFolder() { std::filesystem::remove_all(path_); }
  TokenizerFolder(const TokenizerFolder&) = delete;
  TokenizerFolder& operator=(const TokenizerFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string with_model(std::string_view model, std::string_view parts) {
  std::string text = R"({"model":)";
  text.append(model).append(",").append(parts.substr(1));
  return text;
}

constexpr std::string_view kModel =
    R"({"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":10,
        "vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"re":3,"##rank":4,"##ing":5,"search":6,",":7,"e":8,"中":9}})";
constexpr std::string_view kParts =
    R"({"version":"1.0","added_tokens":[
        {"id":2,"content":"[SEP]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
        "normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,
                      "lowercase":true},
        "pre_tokenizer":{"type":"BertPreTokenizer"},
        "post_processor":{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]}})";

Tokenizer small_tokenizer() {
  const TokenizerFolder folder(with_model(kModel, kParts));
  auto tokenizer = Tokenizer::open(folder.path());
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return std::move(*tokenizer);
}

using Ids = std::vector<std::int32_t>;
using Offsets = std::vector<Offset>;

TEST(Tokenizer, SplitsAWordIntoTheLongestPieces) {
  EXPECT_EQ(small_tokenizer().encode("Reranking, search").ids, (Ids{1, 3, 4, 5, 7, 6, 2}));
}

TEST(Tokenizer, MakesAWordThatPiecesDoNotCoverUnknown) {
  EXPECT_EQ(small_tokenizer().encode("rerank searches re").ids, (Ids{1, 3, 4, 0, 3, 2}));
}

TEST(Tokenizer, MakesAWordThatIsTooLongUnknown) {
  const Tokenizer tokenizer = small_tokenizer();
  EXPECT_EQ(tokenizer.encode("rerankrank").ids, (Ids{1, 3, 4, 4, 2}));
  EXPECT_EQ(tokenizer.encode("rerankrankrank").ids, (Ids{1, 0, 2}));
}

TEST(Tokenizer, GivesTheSecondTextTypeOne) {
  const Encoding encoding = small_tokenizer().encode("re", "search search");
  EXPECT_EQ(encoding.ids, (Ids{1, 3, 2, 6, 6, 2}));
  EXPECT_EQ(encoding.type_ids, (Ids{0, 0, 0, 1, 1, 1}));
}

TEST(Tokenizer, GivesOffsetsOnlyWhenAsked) {
  const Tokenizer tokenizer = small_tokenizer();
  EXPECT_TRUE(tokenizer.encode("é 中").offsets.empty());
  EXPECT_EQ(tokenizer.encode("é 中", {.offsets = OffsetUnit::kBytes}).offsets,
            (Offsets{{0, 0}, {0, 2}, {3, 6}, {0, 0}}));
  EXPECT_EQ(tokenizer.encode("é 中", {.offsets = OffsetUnit::kCodePoints}).offsets,
            (Offsets{{0, 0}, {0, 1}, {2, 3}, {0, 0}}));
}

TEST(Tokenizer, PointsIntoBytesThatAreNotUtf8) {
  // A lone continuation byte and the start of a sequence: each is one U+FFFD, which cleaning removes.
  const Encoding encoding = small_tokenizer().encode("\x80re \xE4\xB8 search", {.offsets = OffsetUnit::kBytes});
  EXPECT_EQ(encoding.ids, (Ids{1, 3, 6, 2}));
  EXPECT_EQ(encoding.offsets, (Offsets{{0, 0}, {1, 3}, {7, 13}, {0, 0}}));
}

TEST(Tokenizer, SplitsSpecialTokensOnlyWhenAsked) {
  const Tokenizer tokenizer = small_tokenizer();
  EXPECT_EQ(tokenizer.encode("re[SEP]re").ids, (Ids{1, 3, 2, 3, 2}));
  EXPECT_EQ(tokenizer.encode("re[SEP]re", {.split_special_tokens = true}).ids, (Ids{1, 3, 0, 0, 0, 3, 2}));
}

TEST(Tokenizer, LeavesOutSpecialTokensWhenAsked) {
  const Encoding encoding = small_tokenizer().encode("re", "search", {.add_special_tokens = false});
  EXPECT_EQ(encoding.ids, (Ids{3, 6}));
  EXPECT_EQ(encoding.type_ids, (Ids{0, 1}));
}

TEST(Tokenizer, CountsWhatTruncationDrops) {
  const Encoding encoding = small_tokenizer().encode("re search re search", {.tokens_max = 4});
  EXPECT_EQ(encoding.ids, (Ids{1, 3, 6, 2}));
  EXPECT_EQ(encoding.tokens_dropped, 2U);
}

TEST(Tokenizer, NeverExceedsTheLimitWhereTheStrategyCannotKeepIt) {
  const Tokenizer tokenizer = small_tokenizer();
  const Encoding pair = tokenizer.encode("re re re re re", "search search search search",
                                         {.tokens_max = 6, .truncation = TruncationStrategy::kOnlySecond});
  EXPECT_EQ(pair.ids.size(), 6U);
  EXPECT_EQ(pair.tokens_dropped, 6U);
  const Encoding single =
      tokenizer.encode("re re re", {.tokens_max = 3, .truncation = TruncationStrategy::kOnlySecond});
  EXPECT_EQ(single.ids, (Ids{1, 3, 2}));
}

TEST(Tokenizer, KeepsItsSpecialTokensWhateverTheLimit) {
  EXPECT_EQ(small_tokenizer().encode("re", {.tokens_max = 1}).ids, (Ids{1, 2}));
}

TEST(Tokenizer, NamesTokens) {
  const Tokenizer tokenizer = small_tokenizer();
  EXPECT_EQ(tokenizer.vocabulary_size(), 10U);
  EXPECT_EQ(tokenizer.token(4), "##rank");
  EXPECT_EQ(tokenizer.token(10), "");
  EXPECT_EQ(tokenizer.token(-1), "");
  EXPECT_EQ(tokenizer.id("##rank"), 4);
  EXPECT_EQ(tokenizer.id("rank"), std::nullopt);
}

TEST(Tokenizer, GivesNewAddedTokensTheNextIds) {
  std::string parts(kParts);
  parts.replace(parts.find(R"({"id":2,"content":"[SEP]")"), 25, R"({"id":77,"content":"<new>")");
  const TokenizerFolder folder(with_model(kModel, parts));
  const auto tokenizer = Tokenizer::open(folder.path());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->id("<new>"), 10);
  EXPECT_EQ(tokenizer->token(10), "<new>");
  EXPECT_EQ(tokenizer->vocabulary_size(), 11U);
  EXPECT_EQ(tokenizer->encode("re<new>").ids, (Ids{1, 3, 10, 2}));
}

TEST(Tokenizer, RefusesATemplateWithIdsOutsideTheVocabulary) {
  std::string parts(kParts);
  parts.replace(parts.find(R"(["[CLS]",1])"), 11, R"(["[CLS]",10])");
  const TokenizerFolder folder(with_model(kModel, parts));
  const auto tokenizer = Tokenizer::open(folder.path());
  ASSERT_FALSE(tokenizer);
  EXPECT_EQ(tokenizer.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(tokenizer.error().message.find("id 10 is not in the vocabulary"), std::string::npos);
}

TEST(Tokenizer, SaysThatTheFileIsMissing) {
  const auto tokenizer = Tokenizer::open("/nonexistent");
  ASSERT_FALSE(tokenizer);
  EXPECT_EQ(tokenizer.error().code, ErrorCode::kNotFound);
  EXPECT_NE(tokenizer.error().message.find("no tokenizer.json"), std::string::npos);
}

TEST(Tokenizer, EncodesTheSameInManyThreads) {
  const Tokenizer tokenizer = small_tokenizer();
  std::vector<Ids> results(8);
  std::vector<std::thread> threads;
  for (Ids& result : results) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) result = tokenizer.encode("Reranking, é中 searching", "re").ids;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Ids& result : results) EXPECT_EQ(result, (Ids{1, 3, 4, 5, 7, 8, 9, 6, 5, 2, 3, 2}));
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t index = 0; index + 1 < hex.size(); index += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(index, 2)), nullptr, 16)));
  }
  return bytes;
}

/// One case of the golden file: see tests/oracle/tokenizer_goldens.py.
class GoldenCase {
 public:
  explicit GoldenCase(JsonValue line) : line_(line) {}

  std::optional<std::string> text(const std::string& key) const {
    if (const auto text = *line_.find_string(key)) return std::string(*text);
    if (const auto hex = *line_.find_string(key + "_hex")) return from_hex(*hex);
    return std::nullopt;
  }

  EncodeOptions options() const {
    EncodeOptions options;
    options.tokens_max = (*line_.find_unsigned("tokens_max")).value_or(0);
    const std::string_view strategy = (*line_.find_string("strategy")).value_or("longest_first");
    if (strategy == "only_first") options.truncation = TruncationStrategy::kOnlyFirst;
    if (strategy == "only_second") options.truncation = TruncationStrategy::kOnlySecond;
    if ((*line_.find_string("side")).value_or("right") == "left") options.truncation_side = TruncationSide::kLeft;
    options.add_special_tokens = (*line_.find_bool("special")).value_or(true);
    options.split_special_tokens = (*line_.find_bool("split_special")).value_or(false);
    const bool bytes = (*line_.find_string("unit")).value_or("chars") == "bytes";
    options.offsets = bytes ? OffsetUnit::kBytes : OffsetUnit::kCodePoints;
    return options;
  }

  Ids numbers(std::string_view key) const {
    Ids numbers;
    const auto elements = line_.get_array(key).value();
    for (const JsonValue element : elements) numbers.push_back(static_cast<std::int32_t>(*element.as_integer()));
    return numbers;
  }

  std::size_t dropped() const { return line_.get_unsigned("dropped").value(); }

 private:
  JsonValue line_;
};

/// Every case of a golden file; how many there were.
int check_goldens(const std::string& name) {
  std::ifstream file(TANDEM_SOURCE_DIR "/tests/goldens/" + name);
  JsonLineParser parser(name);
  std::string model;
  std::optional<Tokenizer> tokenizer;
  int cases = 0;
  for (std::string text; std::getline(file, text);) {
    const auto line = parser.parse(text);
    EXPECT_TRUE(line) << line.error().message;
    if (!line || line->find("sentencepiece")) continue;
    const auto parts = line->find("tokenizer");
    const auto definition = line->find("definition");
    if (const auto value = line->find("model")) {
      model = value->dump();
    } else if (parts || definition) {
      const TokenizerFolder folder(parts ? with_model(model, parts->dump()) : definition->dump());
      auto opened = Tokenizer::open(folder.path());
      EXPECT_TRUE(opened) << opened.error().message;
      if (!opened) return 0;
      tokenizer = std::move(*opened);
    } else {
      const GoldenCase golden(*line);
      const std::string first = golden.text("first").value();
      const auto second = golden.text("second");
      const Encoding encoding =
          second ? tokenizer->encode(first, *second, golden.options()) : tokenizer->encode(first, golden.options());
      EXPECT_EQ(encoding.ids, golden.numbers("ids")) << text;
      EXPECT_EQ(encoding.type_ids, golden.numbers("type_ids")) << text;
      EXPECT_EQ(encoding.tokens_dropped, golden.dropped()) << text;
      Ids offsets;
      for (const Offset offset : encoding.offsets) {
        offsets.push_back(static_cast<std::int32_t>(offset.begin));
        offsets.push_back(static_cast<std::int32_t>(offset.end));
      }
      EXPECT_EQ(offsets, golden.numbers("offsets")) << text;
      EncodeOptions without_offsets = golden.options();
      without_offsets.offsets = OffsetUnit::kNone;
      const Encoding plain =
          second ? tokenizer->encode(first, *second, without_offsets) : tokenizer->encode(first, without_offsets);
      EXPECT_EQ(plain.ids, encoding.ids) << text;
      ++cases;
    }
  }
  return cases;
}

TEST(Tokenizer, AgreesWithTheReference) { EXPECT_GE(check_goldens("tokenizer.jsonl"), 250); }

TEST(Tokenizer, AgreesWithTheReferenceForEveryKindOfModel) { EXPECT_EQ(check_goldens("tokenizer_kinds.jsonl"), 20); }

/// A tokenizer of this model and these stages, written as members of tokenizer.json.
Tokenizer tokenizer_of(std::string_view model, std::string_view stages = "\"added_tokens\":[]") {
  const TokenizerFolder folder("{\"model\":" + std::string(model) + "," + std::string(stages) + "}");
  auto tokenizer = Tokenizer::open(folder.path());
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return std::move(*tokenizer);
}

constexpr std::string_view kBpe =
    R"({"type":"BPE","unk_token":"?","vocab":{"?":0,"a":1,"b":2,"c":3,"ab":4,"bc":5,"abc":6},
        "merges":["b c","a b","ab c"]})";

TEST(Tokenizer, MergesTheFirstPairOfTheListFirst) {
  EXPECT_EQ(tokenizer_of(kBpe).encode("abc").ids, (Ids{1, 5}));
  EXPECT_EQ(tokenizer_of(kBpe).encode("abab").ids, (Ids{4, 4}));
}

TEST(Tokenizer, MergesLongWordsAsShortOnes) {
  std::string word;
  Ids ids;
  for (int count = 0; count < 500; ++count) {
    word += "abcab?";
    ids.insert(ids.end(), {1, 5, 4, 0});
  }
  EXPECT_EQ(tokenizer_of(kBpe).encode(word).ids, ids);
}

TEST(Tokenizer, GivesEachUnknownCharacterATokenUnlessTheyAreFused) {
  std::string fused(kBpe);
  fused.insert(fused.size() - 1, R"(,"fuse_unk":true)");
  EXPECT_EQ(tokenizer_of(kBpe).encode("axya").ids, (Ids{1, 0, 0, 1}));
  EXPECT_EQ(tokenizer_of(fused).encode("axya").ids, (Ids{1, 0, 1}));
}

constexpr std::string_view kUnigram =
    R"({"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1],["b",-1],["ab",-1.5],["abb",-4]]})";

TEST(Tokenizer, TakesTheMostProbableSplit) {
  EXPECT_EQ(tokenizer_of(kUnigram).encode("abb").ids, (Ids{3, 2}));
  EXPECT_EQ(tokenizer_of(kUnigram).encode("aab").ids, (Ids{1, 3}));
}

TEST(Tokenizer, FusesUnknownCharactersOfAUnigramModel) {
  const Encoding encoding = tokenizer_of(kUnigram).encode("xyab\u00e9", {.offsets = OffsetUnit::kBytes});
  EXPECT_EQ(encoding.ids, (Ids{0, 3, 0}));
  EXPECT_EQ(encoding.offsets, (Offsets{{0, 2}, {2, 4}, {4, 6}}));
}

TEST(Tokenizer, LowerCasesInFrontOfAnyNormalizer) {
  const TokenizerFolder folder("{\"model\":" + std::string(kUnigram) + R"(,"normalizer":{"type":"NFC"}})");
  const auto tokenizer = Tokenizer::open(folder.path(), {.lower_case = true});
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("ABA").ids, (Ids{3, 1}));
}

}  // namespace
}  // namespace tandem
