#include "eval/text_pieces.h"

#include <algorithm>
#include <utility>

#include "base/strip.h"
#include "base/unicode.h"
#include "base/utf8.h"

namespace tandem {
namespace {

bool is_any_of(char32_t code_point, std::u32string_view set) { return set.find(code_point) != set.npos; }

bool is_white_space(char32_t code_point) { return code_point_class(code_point).has(kWhitespace); }

/// Ends a sentence where white space follows: it also stands inside numbers and names.
bool ends_before_blank(char32_t code_point) { return is_any_of(code_point, U".!?…"); }
/// Ends a sentence wherever it stands.
bool ends_anywhere(char32_t code_point) { return is_any_of(code_point, U"。！？｡"); }
/// Belongs to the sentence that ended before it.
bool closes(char32_t code_point) { return is_any_of(code_point, U"\"')]}»”’」』）】"); }

bool is_written_without_blanks(char32_t code_point) {
  constexpr std::pair<char32_t, char32_t> kScripts[] = {
      {0x0E00, 0x0EFF},   // Thai, Lao.
      {0x1000, 0x109F},   // Myanmar.
      {0x1780, 0x17FF},   // Khmer.
      {0x2E80, 0x9FFF},   // Kana and Chinese characters,
      {0xF900, 0xFAFF},   // those for compatibility,
      {0x20000, 0x3FFFF}  // and the rarer ones.
  };
  return std::ranges::any_of(
      kScripts, [=](const auto& script) { return code_point >= script.first && code_point <= script.second; });
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
