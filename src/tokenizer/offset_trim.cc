#include "tokenizer/offset_trim.h"

#include <algorithm>

#include "base/unicode.h"
#include "base/utf8.h"
#include "tokenizer/byte_level.h"

namespace tandem {
namespace {

bool is_space(char32_t c) { return c == kByteSpace || code_point_class(c).has(kWhitespace); }

std::size_t count_leading_spaces(std::string_view token) {
  std::size_t count = 0;
  for (std::size_t position = 0; position < token.size(); ++count) {
    const Utf8Step step = decode_utf8(token, position);
    if (!is_space(step.code_point)) break;
    position += step.bytes;
  }
  return count;
}

/// White space at the end of a token: where it begins, and how many characters it has.
struct BlankEnd {
  std::size_t begin = 0;
  std::size_t count = 0;
};

BlankEnd find_blank_end(std::string_view token) {
  BlankEnd blank{.begin = token.size()};
  while (blank.begin > 0) {
    std::size_t last = blank.begin - 1;
    while (last > 0 && !begins_code_point(token[last])) --last;
    if (!is_space(decode_utf8(token, last).code_point)) break;
    blank = {last, blank.count + 1};
  }
  return blank;
}

}  // namespace

EdgeSpaces count_edge_spaces(std::string_view token) {
  return {count_leading_spaces(token), find_blank_end(token).count};
}

EdgeSpaces EdgeSpaceCounter::count(TextSpan token) {
  if (token.end != blank_.end || token.begin < blank_.begin) {
    const BlankEnd blank = find_blank_end(token.of(text_));
    blank_ = {token.begin + blank.begin, token.end};
    blank_count_ = blank.count;
  }
  if (token.begin < blank_.begin) return {count_leading_spaces(token.of(text_)), blank_count_};
  for (; blank_.begin < token.begin; ++blank_.begin) blank_count_ -= begins_code_point(text_[blank_.begin]) ? 1 : 0;
  return {blank_count_, blank_count_};
}

// The reference counts in characters: as many are taken out of the original text as the token has spaces, whatever
// they are there.
Offset trim_offset(const std::vector<OffsetTrimSpec>& trims, EdgeSpaces spaces, const CodePointIndex& text,
                   Offset offset, bool is_first) {
  if (spaces.leading == 0 && spaces.trailing == 0) return offset;
  for (const OffsetTrimSpec& trim : trims) {
    const bool was_added = (is_first || offset.begin == 0) && trim.add_prefix_space && spaces.leading == 1;
    if (!was_added) {
      offset.begin = std::min(text.position_of(text.count_before(offset.begin) + spaces.leading), offset.end);
    }
    // Nothing is taken from the end of a text that has fewer characters before it.
    const std::size_t before_end = text.count_before(offset.end);
    if (spaces.trailing <= before_end) {
      offset.end = std::max(text.position_of(before_end - spaces.trailing), offset.begin);
    }
  }
  return offset;
}

}  // namespace tandem
