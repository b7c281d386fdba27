#include "eval/text_pieces.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "base/strip.h"
#include "base/unicode.h"
#include "base/utf8.h"

namespace tandem {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

/// Sentence_Terminal (PropList.txt of Unicode 17), but for what also stands inside numbers and names: ! . ? and the
/// full stops that are compatible with it. Ascending.
constexpr Range kSentenceTerminals[] = {
    {0x0589, 0x0589},   {0x061D, 0x061F},   {0x06D4, 0x06D4},   {0x0700, 0x0702},   {0x07F9, 0x07F9},
    {0x0837, 0x0837},   {0x0839, 0x0839},   {0x083D, 0x083E},   {0x0964, 0x0965},   {0x104A, 0x104B},
    {0x1362, 0x1362},   {0x1367, 0x1368},   {0x166E, 0x166E},   {0x1735, 0x1736},   {0x17D4, 0x17D5},
    {0x1803, 0x1803},   {0x1809, 0x1809},   {0x1944, 0x1945},   {0x1AA8, 0x1AAB},   {0x1B4E, 0x1B4F},
    {0x1B5A, 0x1B5B},   {0x1B5E, 0x1B5F},   {0x1B7D, 0x1B7F},   {0x1C3B, 0x1C3C},   {0x1C7E, 0x1C7F},
    {0x203C, 0x203D},   {0x2047, 0x2049},   {0x2CF9, 0x2CFB},   {0x2E2E, 0x2E2E},   {0x2E3C, 0x2E3C},
    {0x2E53, 0x2E54},   {0x2E60, 0x2E61},   {0x3002, 0x3002},   {0xA4FF, 0xA4FF},   {0xA60E, 0xA60F},
    {0xA6F3, 0xA6F3},   {0xA6F7, 0xA6F7},   {0xA876, 0xA877},   {0xA8CE, 0xA8CF},   {0xA92F, 0xA92F},
    {0xA9C8, 0xA9C9},   {0xAA5D, 0xAA5F},   {0xAAF0, 0xAAF1},   {0xABEB, 0xABEB},   {0xFE12, 0xFE12},
    {0xFE15, 0xFE16},   {0xFE56, 0xFE57},   {0xFF01, 0xFF01},   {0xFF1F, 0xFF1F},   {0xFF61, 0xFF61},
    {0x10A56, 0x10A57}, {0x10F55, 0x10F59}, {0x10F86, 0x10F89}, {0x11047, 0x11048}, {0x110BE, 0x110C1},
    {0x11141, 0x11143}, {0x111C5, 0x111C6}, {0x111CD, 0x111CD}, {0x111DE, 0x111DF}, {0x11238, 0x11239},
    {0x1123B, 0x1123C}, {0x112A9, 0x112A9}, {0x113D4, 0x113D5}, {0x1144B, 0x1144C}, {0x115C2, 0x115C3},
    {0x115C9, 0x115D7}, {0x11641, 0x11642}, {0x1173C, 0x1173E}, {0x11944, 0x11944}, {0x11946, 0x11946},
    {0x11A42, 0x11A43}, {0x11A9B, 0x11A9C}, {0x11C41, 0x11C42}, {0x11EF7, 0x11EF8}, {0x11F43, 0x11F44},
    {0x16A6E, 0x16A6F}, {0x16AF5, 0x16AF5}, {0x16B37, 0x16B38}, {0x16B44, 0x16B44}, {0x16D6E, 0x16D6F},
    {0x16E98, 0x16E98}, {0x1BC9F, 0x1BC9F}, {0x1DA88, 0x1DA88}};

bool is_in(std::span<const Range> ranges, char32_t code_point) {
  const auto after = std::ranges::upper_bound(ranges, code_point, {}, &Range::first);
  return after != ranges.begin() && code_point <= std::prev(after)->last;
}

bool is_any_of(char32_t code_point, std::u32string_view set) { return set.find(code_point) != set.npos; }

bool is_white_space(char32_t code_point) { return code_point_class(code_point).has(kWhitespace); }

/// Ends a sentence where white space follows: it also stands inside numbers and names.
bool ends_before_blank(char32_t code_point) { return is_any_of(code_point, U".!?…\uFE52\uFF0E"); }
/// Ends a sentence wherever it stands.
bool ends_anywhere(char32_t code_point) { return is_in(kSentenceTerminals, code_point); }
/// Belongs to the sentence that ended before it.
bool closes(char32_t code_point) { return is_any_of(code_point, U"\"')]}»”’」』）】"); }

bool is_written_without_blanks(char32_t code_point) {
  constexpr Range kScripts[] = {
      {0x0E00, 0x0EFF},   // Thai, Lao.
      {0x1000, 0x109F},   // Myanmar.
      {0x1780, 0x17FF},   // Khmer.
      {0x2E80, 0x9FFF},   // Kana and Chinese characters,
      {0xF900, 0xFAFF},   // those for compatibility,
      {0x20000, 0x3FFFF}  // and the rarer ones.
  };
  return is_in(kScripts, code_point);
}

}  // namespace

std::vector<std::string_view> split_sentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  std::size_t begin = 0;
  const auto end_at = [&](std::size_t end) {
    const std::string_view sentence = strip(text.substr(begin, end - begin));
    if (!sentence.empty()) sentences.push_back(sentence);
    begin = end;
  };
  bool ended = false;      // A mark that ends a sentence came, and nothing since but marks that close.
  bool anywhere = false;   // It needs no white space behind it.
  bool line_feed = false;  // The last line so far is empty.
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    const bool blank = is_white_space(step.code_point);
    const bool empty_line = step.code_point == '\n' && line_feed;
    if (ends_before_blank(step.code_point) || ends_anywhere(step.code_point)) {
      anywhere = ends_anywhere(step.code_point) || (ended && anywhere);
      ended = true;
    } else if (!ended || !closes(step.code_point)) {
      if (empty_line || (ended && (anywhere || blank))) end_at(position);
      ended = false;
    }
    line_feed = step.code_point == '\n' || (line_feed && blank);
    position += step.bytes;
  }
  end_at(text.size());
  return sentences;
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    position += step.bytes;
    if (!step.valid || !code_point_class(step.code_point).has(kWord)) {
      inside = false;
      continue;
    }
    const bool alone = is_written_without_blanks(step.code_point);
    if (!inside || alone) words.emplace_back();
    for (const char32_t lower : lowercase(step.code_point)) append_utf8(words.back(), lower);
    inside = !alone;
  }
  return words;
}

std::size_t count_words(std::string_view text) {
  const auto has_letter = [](std::string_view word) {
    for (std::size_t position = 0; position < word.size();) {
      const Utf8Step step = decode_utf8(word, position);
      if (code_point_class(step.code_point).has(kLetter)) return true;
      position += step.bytes;
    }
    return false;
  };
  return static_cast<std::size_t>(std::ranges::count_if(split_words(text), has_letter));
}

std::string fold_case_and_blanks(std::string_view text) {
  std::string folded;
  bool blank = false;
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    position += step.bytes;
    if (is_white_space(step.code_point)) {
      blank = !folded.empty();
      continue;
    }
    if (blank) folded += ' ';
    blank = false;
    for (const char32_t lower : lowercase(step.code_point)) append_utf8(folded, lower);
  }
  return folded;
}

}  // namespace tandem
