#include "tokenizer/word_regex.h"

#include <array>
#include <cstdint>

#include "base/unicode.h"
#include "base/utf8.h"

namespace tandem {
namespace {

/// What the expressions tell apart; every code point is exactly one of these.
enum class Kind : std::uint8_t { kLetter, kNumber, kSpace, kOther };

struct Character {
  Kind kind;
  std::uint8_t bytes;
};

Kind kind_of(char32_t c) {
  const CodePointClass c_class = code_point_class(c);
  return c_class.has(kLetter)   ? Kind::kLetter
         : c_class.has(kNumber) ? Kind::kNumber
         : c_class.has(kSpace)  ? Kind::kSpace
                                : Kind::kOther;
}

constexpr std::array<Kind, 128> make_ascii() {
  std::array<Kind, 128> kinds{};
  for (unsigned c = 0; c < 128; ++c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    kinds[c] = is_letter                              ? Kind::kLetter
               : c >= '0' && c <= '9'                 ? Kind::kNumber
               : c == ' ' || (c >= '\t' && c <= '\r') ? Kind::kSpace
                                                      : Kind::kOther;
  }
  return kinds;
}

constexpr std::array<Kind, 128> kAscii = make_ascii();

Character character_at(std::string_view text, std::size_t position) {
  const auto byte = static_cast<std::uint8_t>(text[position]);
  if (byte < 0x80) return {kAscii[byte], 1};
  const Utf8Step step = decode_utf8(text, position);
  return {kind_of(step.code_point), step.bytes};
}

bool is_line_end(char c) { return c == '\r' || c == '\n'; }

/// The end of the run of one kind that begins at `begin`.
std::size_t run_end(Kind kind, std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    const Character character = character_at(text, begin);
    if (character.kind != kind) break;
    begin += character.bytes;
  }
  return begin;
}

/// `\s+(?!\S)|\s+`: white space up to the last one before a word, which belongs to the word.
std::size_t space_end(std::string_view text, std::size_t begin) {
  const std::size_t end = run_end(Kind::kSpace, text, begin);
  if (end == text.size()) return end;
  std::size_t last = end - 1;
  while ((text[last] & 0xC0) == 0x80) --last;
  return last > begin ? last : end;
}

/// `'s|'t|'re|'ve|'m|'ll|'d` after the apostrophe: how many bytes it is long, 0 where it is none of these.
std::size_t suffix_bytes(std::string_view text, bool any_case) {
  const auto letter = [&](std::size_t index) {
    const char c = index < text.size() ? text[index] : '\0';
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  switch (letter(0)) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return 1;
    case 'r':
    case 'v':
      return letter(1) == 'e' ? 2 : 0;
    case 'l':
      return letter(1) == 'l' ? 2 : 0;
    default:
      // The long s is an s in another case.
      return any_case && text.starts_with("\u017F") ? 2 : 0;
  }
}

std::size_t gpt2_end(std::string_view text, std::size_t begin) {
  const Character first = character_at(text, begin);
  if (text[begin] == '\'') {
    if (const std::size_t bytes = suffix_bytes(text.substr(begin + 1), false)) return begin + 1 + bytes;
  }
  if (first.kind != Kind::kSpace) return run_end(first.kind, text, begin + first.bytes);
  if (text[begin] == ' ' && begin + 1 < text.size()) {
    const Character next = character_at(text, begin + 1);
    if (next.kind != Kind::kSpace) return run_end(next.kind, text, begin + 1 + next.bytes);
  }
  return space_end(text, begin);
}

/// Punctuation, and the ends of lines that follow it.
std::size_t other_end(std::string_view text, std::size_t begin) {
  std::size_t end = run_end(Kind::kOther, text, begin);
  while (end < text.size() && is_line_end(text[end])) ++end;
  return end;
}

/// `\p{N}{1,numbers_max}`.
std::size_t number_end(std::string_view text, std::size_t begin, int numbers_max) {
  for (int count = 0; count < numbers_max && begin < text.size(); ++count) {
    const Character character = character_at(text, begin);
    if (character.kind != Kind::kNumber) break;
    begin += character.bytes;
  }
  return begin;
}

std::size_t llama_end(std::string_view text, std::size_t begin, int numbers_max) {
  const Character first = character_at(text, begin);
  if (text[begin] == '\'') {
    if (const std::size_t bytes = suffix_bytes(text.substr(begin + 1), true)) return begin + 1 + bytes;
  }
  // `[^\r\n\p{L}\p{N}]?\p{L}+`: one character may lead letters.
  if (first.kind == Kind::kLetter) return run_end(Kind::kLetter, text, begin + first.bytes);
  const std::size_t second = begin + first.bytes;
  const Kind second_kind = second < text.size() ? character_at(text, second).kind : Kind::kSpace;
  if (first.kind != Kind::kNumber && !is_line_end(text[begin]) && second_kind == Kind::kLetter) {
    return run_end(Kind::kLetter, text, second);
  }
  if (first.kind == Kind::kNumber) return number_end(text, begin, numbers_max);
  if (first.kind == Kind::kOther) return other_end(text, begin);
  if (text[begin] == ' ' && second < text.size() && second_kind == Kind::kOther) return other_end(text, second);

  // `\s*[\r\n]+`: up to the last end of a line in this white space.
  const std::size_t end = run_end(Kind::kSpace, text, begin);
  for (std::size_t last = end; last > begin; --last) {
    if (is_line_end(text[last - 1])) return last;
  }
  return space_end(text, begin);
}

}  // namespace

std::size_t word_end(WordRegex regex, std::string_view text, std::size_t begin) {
  switch (regex) {
    case WordRegex::kGpt2:
      return gpt2_end(text, begin);
    case WordRegex::kLlama3:
      return llama_end(text, begin, 3);
    case WordRegex::kQwen2:
      return llama_end(text, begin, 1);
  }
  return text.size();
}

}  // namespace tandem
