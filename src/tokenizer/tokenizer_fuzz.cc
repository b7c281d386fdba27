// Two fuzzers in one, chosen by the first byte: a text encoded by a known tokenizer, whose result must make sense and
// be the same with and without the shortcut for ASCII; or a tokenizer.json, which must be read or refused.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "tandem/tokenizer.h"

namespace tandem {
namespace {

/// Opens tokenizer.json texts by way of one file of this process.
Result<Tokenizer> open_text(std::string_view tokenizer_json) {
  static const std::filesystem::path folder = [] {
    std::filesystem::path path = std::filesystem::temp_directory_path() / fmt::format("tokenizer_fuzz_{}", getpid());
    std::filesystem::create_directories(path);
    return path;
  }();
  std::ofstream(folder / "tokenizer.json", std::ios::binary) << tokenizer_json;
  return Tokenizer::open(folder);
}

/// A small BERT tokenizer. Bits of `flags` are the normalizer's options; without `shortcut`, an added token that is
/// looked for in the normalised text, and that no text can have, makes every text go through the general stages.
Tokenizer make_known_tokenizer(unsigned flags, bool shortcut) {
  const auto option = [&](unsigned bit) { return (flags >> bit & 1) != 0 ? "true" : "false"; };
  constexpr std::string_view kAddedToken =
      R"({{"id":99,"content":"{}","single_word":{},"lstrip":{},"rstrip":{},"normalized":{},"special":{}}})";
  std::string added = fmt::format(fmt::runtime(kAddedToken), "[SEP]", "false", "false", "false", "false", "true");
  added += "," + fmt::format(fmt::runtime(kAddedToken), "<x>", option(4), option(5), option(6), "false", "false");
  if (!shortcut) {
    const std::string impossible(1000, 'q');
    added += "," + fmt::format(fmt::runtime(kAddedToken), impossible, "false", "false", "false", "true", "false");
  }
  std::string vocabulary = R"("[UNK]":0,"[CLS]":1,"[SEP]":2,"é":3,"中":4,"##é":5,"the":6,"##ing":7)";
  for (char c = 'a'; c <= 'z'; ++c) {
    const int id = 8 + 2 * (c - 'a');
    vocabulary += fmt::format(R"(,"{}":{},"##{}":{})", c, id, c, id + 1);
  }
  const std::string text = fmt::format(
      R"({{"added_tokens":[{}],"normalizer":{{"type":"BertNormalizer","clean_text":{},"handle_chinese_chars":{},)"
      R"("strip_accents":{},"lowercase":{}}},"pre_tokenizer":{{"type":"BertPreTokenizer"}},)"
      R"("post_processor":{{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]}},)"
      R"("model":{{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",)"
      R"("max_input_chars_per_word":20,"vocab":{{{}}}}}}})",
      added, option(0), option(1), option(2), option(3), vocabulary);
  auto tokenizer = open_text(text);
  CHECK(tokenizer.has_value());
  return std::move(*tokenizer);
}

constexpr unsigned kFlags = 128;

/// The same, made once.
const Tokenizer& known_tokenizer(unsigned flags, bool shortcut) {
  static std::array<std::optional<Tokenizer>, std::size_t{2} * kFlags> tokenizers;
  std::optional<Tokenizer>& tokenizer = tokenizers[2 * flags + (shortcut ? 1 : 0)];
  if (!tokenizer) tokenizer.emplace(make_known_tokenizer(flags, shortcut));
  return *tokenizer;
}

void check_offsets(const Encoding& encoding, std::size_t text_size_max) {
  CHECK(encoding.offsets.size() == encoding.ids.size());
  for (const Offset offset : encoding.offsets) CHECK(offset.begin <= offset.end && offset.end <= text_size_max);
}

/// Bytes: flags, limit, options, then the texts, split at the first 0xFE.
void fuzz_text(std::string_view input) {
  if (input.size() < 3) return;
  const auto byte = [&](std::size_t index) { return static_cast<std::uint8_t>(input[index]); };
  const unsigned flags = byte(0) % kFlags;
  EncodeOptions options{.tokens_max = byte(1),
                        .truncation = static_cast<TruncationStrategy>(byte(2) % 3),
                        .truncation_side = (byte(2) & 4) != 0 ? TruncationSide::kLeft : TruncationSide::kRight,
                        .add_special_tokens = (byte(2) & 8) != 0,
                        .split_special_tokens = (byte(2) & 16) != 0};
  const std::string_view texts = input.substr(3);
  const std::string_view first = texts.substr(0, texts.find('\xFE'));
  const std::string_view second = texts.substr(std::min(texts.size(), first.size() + 1));

  const Tokenizer& fast = known_tokenizer(flags, true);
  const Tokenizer& general = known_tokenizer(flags, false);
  const auto encode = [&](const Tokenizer& tokenizer, OffsetUnit unit) {
    options.offsets = unit;
    return second.empty() ? tokenizer.encode(first, options) : tokenizer.encode(first, second, options);
  };
  const Encoding plain = encode(fast, OffsetUnit::kNone);
  CHECK(plain.type_ids.size() == plain.ids.size() && plain.offsets.empty());
  CHECK(options.tokens_max < 3 || plain.ids.size() <= options.tokens_max);
  for (const OffsetUnit unit : {OffsetUnit::kBytes, OffsetUnit::kCodePoints}) {
    const Encoding encoding = encode(fast, unit);
    check_offsets(encoding, std::max(first.size(), second.size()));
    CHECK(encoding.ids == plain.ids && encoding.tokens_dropped == plain.tokens_dropped);
    const Encoding other = encode(general, unit);
    CHECK(other.ids == encoding.ids && other.offsets == encoding.offsets && other.type_ids == encoding.type_ids);
  }
}

void fuzz_file(std::string_view input) {
  const auto tokenizer = open_text(input);
  if (!tokenizer) return;
  constexpr std::string_view kText = "The Résumé [SEP] of 中文  <x>\u0301\t unbelievable,\x80 a\u1EBF\u0323 ##ing";
  const Encoding encoding = tokenizer->encode(kText, kText, {.tokens_max = 16, .offsets = OffsetUnit::kBytes});
  check_offsets(encoding, kText.size());
  for (const std::int32_t id : encoding.ids) {
    CHECK(id >= 0 && static_cast<std::size_t>(id) < tokenizer->vocabulary_size());
  }
}

}  // namespace
}  // namespace tandem

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  if (input[0] == '{') {
    tandem::fuzz_file(input);
  } else {
    tandem::fuzz_text(input);
  }
  return 0;
}
