#include "tokenizer/offset_trim.h"

#include <cstddef>

#include "base/unicode.h"
#include "base/utf8.h"
#include "tokenizer/byte_level.h"

namespace tandem {
namespace {

bool is_space(char32_t c) { return c == kByteSpace || code_point_class(c).has(kWhitespace); }

std::size_t count_leading_spaces(std::string_view value) {
  std::size_t count = 0;
  for (std::size_t position = 0; position < value.size(); ++count) {
    const Utf8Step step = decode_utf8(value, position);
    if (!is_space(step.code_point)) break;
    position += step.bytes;
  }
  return count;
}

std::size_t count_trailing_spaces(std::string_view value) {
  std::size_t count = 0;
  while (!value.empty()) {
    std::size_t last = value.size() - 1;
    while (last > 0 && (value[last] & 0xC0) == 0x80) --last;
    if (!is_space(decode_utf8(value, last).code_point)) break;
    value = value.substr(0, last);
    ++count;
  }
  return count;
}

bool is_inside_character(std::string_view text, std::uint32_t position) {
  return position < text.size() && (text[position] & 0xC0) == 0x80;
}

}  // namespace

// The reference counts in characters: as many are taken out of the original text as the token has spaces, whatever
// they are there.
Offset trim_offset(const std::vector<OffsetTrimSpec>& trims, std::string_view value, std::string_view text,
                   Offset offset, bool is_first) {
  const std::size_t leading = count_leading_spaces(value);
  const std::size_t trailing = count_trailing_spaces(value);
  if (leading == 0 && trailing == 0) return offset;
  for (const OffsetTrimSpec& trim : trims) {
    const bool was_added = (is_first || offset.begin == 0) && trim.add_prefix_space && leading == 1;
    for (std::size_t count = was_added ? 0 : leading; count > 0 && offset.begin < offset.end; --count) {
      do {
        ++offset.begin;
      } while (offset.begin < offset.end && is_inside_character(text, offset.begin));
    }
    // Nothing is taken from the end of a text that has fewer characters before it.
    std::uint32_t end = offset.end;
    std::size_t count = trailing;
    for (; count > 0 && end > 0; --count) {
      do {
        --end;
      } while (end > 0 && is_inside_character(text, end));
    }
    if (count == 0) offset.end = end < offset.begin ? offset.begin : end;
  }
  return offset;
}

}  // namespace tandem
