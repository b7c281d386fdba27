// What tokenizers cost that were made to explode: each part of a file or a text is made eight times as large, and time
// and memory may grow by no more than n log n would.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base64.h"
#include "base/json.h"
#include "base/testing/cost.h"
#include "base/testing/temporary_folder.h"
#include "tandem/tokenizer.h"

namespace tandem {
namespace {

constexpr std::size_t kTimesLarger = 8;
// 8 log 8n / log n for n of a thousand and more, times two: clocks are rough, caches small, and pages of a sanitizer's
// shadow slow. What is quadratic grows by 64.
constexpr double kGrowthMax = 8 * 1.3 * 2;
// On a busy machine one measurement in many is far off.
constexpr int kAttemptsMax = 3;
// What is too short or too small to measure counts as this.
constexpr double kCpuFloorMs = 10;
constexpr double kMemoryFloorMib = 16;

std::string quoted(std::string_view text) {
  JsonWriter json;
  json.value(text);
  return json.take();
}

/// `count` elements, made by `element` of their numbers, as the inside of a JSON array or object.
std::string list_of(std::size_t count, const std::function<std::string(std::size_t)>& element) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) list.append(i > 0 ? "," : "").append(element(i));
  return list;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

constexpr std::string_view kLetters =
    R"({"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
        "vocab":{"[UNK]":0,"[CLS]":1,"a":2,"##a":3}})";

constexpr std::string_view kTrims =
    R"({"type":"RobertaProcessing","cls":["[CLS]",1],"sep":["[CLS]",1],"trim_offsets":true,"add_prefix_space":false})";

struct Parts {
  std::string model = std::string(kLetters);
  std::string normalizer = "null";
  std::string pre_tokenizer = R"({"type":"WhitespaceSplit"})";
  std::string post_processor = "null";
  std::string added_tokens = {};
};

Result<Tokenizer> open(const Parts& parts) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", R"({"version":"1.0","added_tokens":[)" + parts.added_tokens + R"(],"normalizer":)" +
                                     parts.normalizer + R"(,"pre_tokenizer":)" + parts.pre_tokenizer +
                                     R"(,"post_processor":)" + parts.post_processor + R"(,"model":)" + parts.model +
                                     "}");
  return Tokenizer::open(folder.path());
}

/// Opens a tokenizer of these parts and encodes a text, with and without offsets, again and again. A refusal is as good
/// an answer.
bool run(const Parts& parts, std::string_view text, std::size_t times = 1) {
  const Result<Tokenizer> tokenizer = open(parts);
  if (!tokenizer) return true;
  for (std::size_t time = 0; time < times; ++time) {
    const Encoding encoding = tokenizer->encode(text, {.tokens_max = 512});
    const EncodeOptions with_offsets{.tokens_max = 512, .offsets = OffsetUnit::kCodePoints};
    if (encoding.ids != tokenizer->encode(text, with_offsets).ids) return false;
  }
  return true;
}

/// The same of a folder from before tokenizer.json, with this configuration.
bool run_old_folder(std::string_view tokenizer_config, std::string_view text) {
  const TemporaryFolder folder;
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n");
  folder.write("tokenizer_config.json", tokenizer_config);
  const Result<Tokenizer> tokenizer = Tokenizer::open(folder.path());
  return !tokenizer || !tokenizer->encode(text).ids.empty();
}

std::string normalizers(const std::string& steps) { return R"({"type":"Sequence","normalizers":[)" + steps + "]}"; }
std::string pre_tokenizers(const std::string& steps) {
  return R"({"type":"Sequence","pretokenizers":[)" + steps + "]}";
}

std::string added_token(std::string_view content, bool normalized) {
  return R"({"id":0,"content":)" + quoted(content) +
         R"(,"single_word":false,"lstrip":false,"rstrip":false,"special":)" + (normalized ? "false" : "true") +
         R"(,"normalized":)" + (normalized ? "true" : "false") + "}";
}

/// An added token that takes all white space after it.
std::string greedy_token(std::string_view content, bool normalized) {
  std::string token = added_token(content, normalized);
  constexpr std::string_view kFlag = R"("rstrip":)";
  return token.replace(token.find(kFlag), kFlag.size() + std::string_view("false").size(), R"("rstrip":true)");
}

/// A Precompiled step that replaces each `a` by so many.
std::string map_of_a(std::size_t replacement_bytes) {
  std::vector<std::uint32_t> units(512);
  units[0] = 1U << 10;                                     // The root's children begin at 1.
  units[1 ^ 'a'] = (256 ^ 1 ^ 'a') << 10 | 1U << 8 | 'a';  // It has a value, and its children begin at 256.
  units[256] = 1U << 31;
  units.insert(units.begin(), static_cast<std::uint32_t>(units.size() * sizeof units[0]));
  std::string bytes(reinterpret_cast<const char*>(units.data()), units.size() * sizeof units[0]);
  bytes.append(replacement_bytes, 'a').push_back('\0');
  return R"({"type":"Precompiled","precompiled_charsmap":")" + encode_base64(bytes) + R"("})";
}

std::string replace(std::string_view pattern, std::string_view content) {
  return R"({"type":"Replace","pattern":{"String":)" + quoted(pattern) + R"(},"content":)" + quoted(content) + "}";
}

/// A WordPiece model whose words may have any length.
std::string word_piece(const std::string& more_tokens) {
  return R"({"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",)"
         R"("max_input_chars_per_word":1000000000,"vocab":{"[UNK]":0,"a":1,"##a":2)" +
         more_tokens + "}}";
}

struct Case {
  std::string_view what;
  std::size_t size;  ///< The smaller of the two.
  std::function<bool(std::size_t size)> run;
};

const std::vector<Case>& cases() {
  constexpr std::size_t kWordBytes = 200'000;
  static const std::vector<Case> list = {
      {"replacing that doubles", 8,
       [](std::size_t n) {
         return run({.normalizer = normalizers(list_of(n, [](std::size_t) { return replace("a", "aa"); }))}, "aa");
       }},
      {"normalising that spells bytes of bytes", 8,
       [](std::size_t n) {
         return run({.normalizer = normalizers(list_of(n, [](std::size_t) { return R"({"type":"ByteLevel"})"; }))},
                    "é");
       }},
      {"pre-tokenizing that spells bytes of bytes", 8,
       [](std::size_t n) {
         const auto step = [](std::size_t) { return R"({"type":"ByteLevel","add_prefix_space":true})"; };
         return run({.pre_tokenizer = pre_tokenizers(list_of(n, step))}, "é");
       }},
      {"pre-tokenizing that writes prefixes before prefixes", 8,
       [](std::size_t n) {
         const auto step = [](std::size_t i) {
           return R"({"type":"Metaspace","prepend_scheme":"always","replacement":)" + quoted(i % 2 == 0 ? "𝄞" : " ") +
                  "}";
         };
         return run({.pre_tokenizer = pre_tokenizers(list_of(n, step))}, repeated("a ", 20'000));
       }},
      {"a replacement of many bytes", 500,
       [](std::size_t n) { return run({.normalizer = replace("a", std::string(n, 'b'))}, std::string(20'000, 'a')); }},
      {"a literal and a text of many bytes", 2'000,
       [](std::size_t n) {
         return run({.normalizer = replace(std::string(n, 'a') + "b", "")}, std::string(n * 200, 'a'));
       }},
      {"maps of a letter to many and a long text", 100,
       [](std::size_t n) {
         const auto step = [n](std::size_t) { return map_of_a(n); };
         return run({.normalizer = normalizers(list_of(2, step))}, std::string(n * 200, 'a'));
       }},
      {"maps of a letter to many and short texts", 125,
       [](std::size_t n) {
         const auto step = [n](std::size_t) { return map_of_a(n); };
         return run({.normalizer = normalizers(list_of(2, step))}, "aa", n);
       }},
      {"a text that a replacement makes longer", 5'000,
       [](std::size_t n) { return run({.normalizer = replace("a", std::string(4'000, 'b'))}, std::string(n, 'a')); }},
      {"runs of marks out of order", 20'000,
       [](std::size_t n) { return run({.normalizer = R"({"type":"NFC"})"}, "a" + repeated("\u0301\u0316", n)); }},
      {"pieces of a template", 1'000,
       [](std::size_t n) {
         return run(
             {.post_processor = R"({"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},)" +
                                list_of(n, [](std::size_t) { return R"({"SpecialToken":{"id":"x","type_id":0}})"; }) +
                                R"(],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":0}}],)"
                                R"("special_tokens":{"x":{"id":"x","ids":[)" +
                                list_of(n, [](std::size_t) { return "1"; }) + R"(],"tokens":["[CLS]"]}}})"},
             "a");
       }},
      {"kinds of special tokens in a template", 1'000,
       [](std::size_t n) {
         const auto name = [](std::size_t i) { return "x" + std::to_string(i); };
         return run(
             {.post_processor =
                  R"({"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},)" +
                  list_of(
                      n, [&](std::size_t i) { return R"({"SpecialToken":{"id":")" + name(i) + R"(","type_id":0}})"; }) +
                  R"(],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":0}}],)"
                  R"("special_tokens":{)" +
                  list_of(n, [&](std::size_t i) { return "\"" + name(i) + R"(":{"ids":[1]})"; }) + "}}"},
             "a");
       }},
      {"added tokens", 5'000,
       [](std::size_t n) {
         const auto token = [](std::size_t i) { return added_token("<" + std::to_string(i) + ">", i % 2 == 0); };
         return run({.added_tokens = list_of(n, token)}, "a <7> a");
       }},
      {"special tokens of older files", 10'000,
       [](std::size_t n) {
         const auto token = [](std::size_t i) { return "\"<" + std::to_string(i) + ">\""; };
         return run_old_folder(R"({"extra_special_tokens":[)" + list_of(n, token) + "]}", "a <7> a");
       }},
      {"added tokens whose normalised forms are long", 20,
       [](std::size_t n) {
         return run(
             {.normalizer = normalizers(list_of(64, [](std::size_t) { return replace("a", "aa"); })),
              .added_tokens = list_of(n, [](std::size_t i) { return added_token("a" + std::to_string(i), true); })},
             "a");
       }},
      {"an added token and a text of many bytes", 500,
       [](std::size_t n) {
         return run({.added_tokens = added_token(std::string(n, 'a') + "b", false)}, std::string(n * 200, 'a'));
       }},
      {"offsets of blanks that each take the rest of them", 4'000,
       [](std::size_t n) {
         return run({.post_processor = std::string(kTrims), .added_tokens = greedy_token(" ", false)},
                    "a" + std::string(n, ' '));
       }},
      {"offsets of normalised blanks that each take the rest of them", 4'000,
       [](std::size_t n) {
         return run({.normalizer = R"({"type":"NFC"})",
                     .post_processor = std::string(kTrims),
                     .added_tokens = greedy_token("\u3000", true)},
                    repeated("\u3000", n));
       }},
      {"a piece and a word of many bytes, longest first", 500,
       [](std::size_t n) {
         return run({.model = word_piece(R"(,"##)" + std::string(n, 'a') + R"(b":3)")}, std::string(n * 200, 'a'));
       }},
      {"a piece and a word of many bytes, most probable", 500,
       [](std::size_t n) {
         return run({.model = R"({"type":"Unigram","unk_id":0,"vocab":[["u",0],["a",-1],[")" + std::string(n, 'a') +
                              R"(b",-2]]})"},
                    std::string(n * 200, 'a'));
       }},
      {"a long word, most probable", kWordBytes,
       [](std::size_t n) {
         return run({.model = R"({"type":"Unigram","unk_id":0,"vocab":[["u",0],["a",-1],["aa",-1]]})"},
                    std::string(n, 'a'));
       }},
      {"a long word, pair by pair", kWordBytes,
       [](std::size_t n) {
         return run({.model = R"({"type":"BPE","vocab":{"a":0,"aa":1,"aaaa":2},"merges":["a a","aa aa"]})"},
                    std::string(n, 'a'));
       }},
      {"affixes of many bytes", 500,
       [](std::size_t n) {
         return run({.model = R"({"type":"BPE","continuing_subword_prefix":")" + std::string(n, '#') +
                              R"(","vocab":{"a":0},"merges":[]})"},
                    std::string(kWordBytes, 'a'));
       }},
      {"merges", 10'000,
       [](std::size_t n) {
         // Ids that a hash without a secret may be made to collide on: all multiples of a power of two.
         std::string vocabulary = R"("a":0)";
         std::string merges;
         for (std::size_t i = 0; i < n; ++i) {
           const std::string left = std::to_string(i);
           vocabulary += ",\"" + left + "\":" + std::to_string((2 * i + 2) * 8);
           vocabulary += ",\"" + left + "a\":" + std::to_string((2 * i + 3) * 8);
           merges += (i > 0 ? ",\"" : "\"") + left + " a\"";
         }
         return run({.model = R"({"type":"BPE","vocab":{)" + vocabulary + R"(},"merges":[)" + merges + "]}"}, "12a");
       }},
  };
  return list;
}

class TokenizerGrowth : public testing::TestWithParam<Case> {};

TEST_P(TokenizerGrowth, IsNoFasterThanLinearithmic) {
  const Case& each = GetParam();
  const Cost nothing = cost_of([] { return true; });
  Cost small;
  Cost large;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    small = cost_of([&] { return each.run(each.size); });
    large = cost_of([&] { return each.run(each.size * kTimesLarger); });
    ASSERT_TRUE(small.succeeded) << each.what;
    ASSERT_TRUE(large.succeeded) << each.what;
    if (large.cpu_ms < std::max(small.cpu_ms, kCpuFloorMs) * kGrowthMax) break;
  }
  EXPECT_LT(large.cpu_ms, std::max(small.cpu_ms, kCpuFloorMs) * kGrowthMax) << each.what;
  EXPECT_LT(large.memory_mib - nothing.memory_mib,
            std::max(small.memory_mib - nothing.memory_mib, kMemoryFloorMib) * kGrowthMax)
      << each.what;
  RecordProperty("cpu_ms", std::to_string(large.cpu_ms));
}

INSTANTIATE_TEST_SUITE_P(Everything, TokenizerGrowth, testing::ValuesIn(cases()), [](const auto& parameter) {
  std::string name;
  for (const char c : parameter.param.what) {
    if (c >= 'a' && c <= 'z') name.push_back(c);
  }
  return name;
});

TEST(TokenizerBudget, CutsATextThatGrowsWithoutEndAndSaysSo) {
  const Result<Tokenizer> tokenizer =
      open({.normalizer = normalizers(list_of(40, [](std::size_t) { return replace("a", "aa"); })),
            .pre_tokenizer = "null"});
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_GT(tokenizer->encode("a").tokens_dropped, 0U);
  EXPECT_EQ(tokenizer->encode("b").tokens_dropped, 0U);
}

// Each byte becomes 62, each of those a word of its own: words take more memory than what they are made of.
TEST(TokenizerBudget, KeepsTheWordsOfATextThatGrowsInProportionToIt) {
  constexpr double kMemoryMaxMib = 1024;
  const Parts parts{.normalizer = replace("a", std::string(62, '.')),
                    .pre_tokenizer = pre_tokenizers(
                        list_of(2, [](std::size_t) { return R"({"type":"Punctuation","behavior":"Isolated"})"; }))};
  const Cost cost = cost_of([&] { return run(parts, std::string(300'000, 'a')); });
  EXPECT_TRUE(cost.succeeded);
  EXPECT_LT(cost.memory_mib, kMemoryMaxMib);
}

// There may be a million texts, so that what each may cost whatever its length is little.
TEST(TokenizerBudget, LetsAShortTextGrowByLittle) {
  constexpr std::size_t kTokensMax = 2'000;
  const Result<Tokenizer> tokenizer = open({.normalizer = replace("a", std::string(4'000, '.')),
                                            .pre_tokenizer = R"({"type":"Punctuation","behavior":"Isolated"})"});
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_LT(tokenizer->encode("aaaa").ids.size(), kTokensMax);
}

// Steps that write no more than they read are free of growth, but read a text that has grown again and again.
TEST(TokenizerBudget, CountsWhatStepsRead) {
  const std::string forms = list_of(63, [](std::size_t) { return R"({"type":"NFKC"})"; });
  const Result<Tokenizer> tokenizer =
      open({.normalizer = normalizers(replace("a", std::string(1'020, '.')) + "," + forms), .pre_tokenizer = "null"});
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_GT(tokenizer->encode("a").tokens_dropped, 0U);
  EXPECT_EQ(tokenizer->encode("b").tokens_dropped, 0U);
}

TEST(TokenizerBudget, SpellsNoMoreThanSoMuchAroundEachText) {
  const auto error_with = [](std::size_t bytes) {
    const TemporaryFolder folder;
    const std::string token(bytes, 's');
    folder.write(
        "tokenizer.json",
        fmt::format(R"({{"version":"1.0","model":{{"type":"WordPiece","unk_token":"?","vocab":{{"?":0,"{0}":1}},)"
                    R"("continuing_subword_prefix":"##","max_input_chars_per_word":100}},"post_processor":)"
                    R"({{"type":"BertProcessing","sep":["{0}",1],"cls":["{0}",1]}}}})",
                    token));
    const Result<Tokenizer> tokenizer = Tokenizer::open(folder.path());
    return tokenizer ? std::string() : tokenizer.error().message;
  };
  EXPECT_EQ(error_with(100), "");
  EXPECT_NE(error_with(4'000).find("the special tokens have"), std::string::npos) << error_with(4'000);
}

// What grows most of all that is published: it must not be cut.
TEST(TokenizerBudget, LastsForTheLargestNormalForms) {
  const Result<Tokenizer> tokenizer = open(
      {.normalizer = normalizers(list_of(8, [](std::size_t) { return R"({"type":"NFKC"},{"type":"Lowercase"})"; })),
       .pre_tokenizer = R"({"type":"Metaspace","replacement":"_","prepend_scheme":"always"})"});
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const Encoding encoding = tokenizer->encode(repeated("\uFDFA", 20'000));
  EXPECT_EQ(encoding.tokens_dropped, 0U);
  EXPECT_GE(encoding.ids.size(), 60'000U);
}

}  // namespace
}  // namespace tandem
