#include "base/strip.h"

#include "base/unicode.h"
#include "base/utf8.h"

namespace tandem {
namespace {

// Python counts the four information separators as white space, Unicode's White_Space does not.
bool is_space(char32_t code_point) {
  return (code_point >= 0x1C && code_point <= 0x1F) || code_point_class(code_point).has(kWhitespace);
}

/// The last code point of a text that is not empty.
Utf8Step decode_last(std::string_view text) {
  std::size_t start = text.size() - 1;
  while (start > 0 && text.size() - start < 4 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
  const Utf8Step step = decode_utf8(text, start);
  return start + step.bytes == text.size() ? step : Utf8Step{0xFFFD, 1, false};
}

}  // namespace

std::string_view strip(std::string_view text) {
  while (!text.empty()) {
    const Utf8Step step = decode_utf8(text, 0);
    if (!is_space(step.code_point)) break;
    text.remove_prefix(step.bytes);
  }
  while (!text.empty()) {
    const Utf8Step step = decode_last(text);
    if (!is_space(step.code_point)) break;
    text.remove_suffix(step.bytes);
  }
  return text;
}

}  // namespace tandem
