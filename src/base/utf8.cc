#include "base/utf8.h"

namespace tandem {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

}  // namespace

// Table 3-7 of the Unicode standard: the first byte decides how many follow and what range the second may have.
Utf8Step decode_utf8(std::string_view text, std::size_t position) {
  const auto byte = [&](std::size_t index) { return static_cast<std::uint8_t>(text[position + index]); };
  const std::size_t left = text.size() - position;
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {first, 1, true};

  std::size_t length = 0;
  std::uint8_t second_min = 0x80;
  std::uint8_t second_max = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) second_min = 0xA0;
    if (first == 0xED) second_max = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) second_min = 0x90;
    if (first == 0xF4) second_max = 0x8F;
  } else {
    return {kReplacement, 1, false};
  }

  char32_t code_point = first & (0x7FU >> length);
  for (std::size_t index = 1; index < length; ++index) {
    const std::uint8_t low = index == 1 ? second_min : 0x80;
    const std::uint8_t high = index == 1 ? second_max : 0xBF;
    if (index >= left || byte(index) < low || byte(index) > high) {
      return {kReplacement, static_cast<std::uint8_t>(index), false};
    }
    code_point = code_point << 6 | (byte(index) & 0x3FU);
  }
  return {code_point, static_cast<std::uint8_t>(length), true};
}

void append_utf8(std::string& text, char32_t code_point) {
  const auto push = [&](char32_t value) { text.push_back(static_cast<char>(value)); };
  if (code_point < 0x80) {
    push(code_point);
  } else if (code_point < 0x800) {
    push(0xC0 | code_point >> 6);
    push(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    push(0xE0 | code_point >> 12);
    push(0x80 | (code_point >> 6 & 0x3F));
    push(0x80 | (code_point & 0x3F));
  } else {
    push(0xF0 | code_point >> 18);
    push(0x80 | (code_point >> 12 & 0x3F));
    push(0x80 | (code_point >> 6 & 0x3F));
    push(0x80 | (code_point & 0x3F));
  }
}

bool is_utf8(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    if (!step.valid) return false;
    position += step.bytes;
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    append_utf8(result, step.code_point);
    position += step.bytes;
  }
  return result;
}

}  // namespace tandem
