#include "base/trec.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/controls.h"
#include "base/error.h"
#include "base/unicode.h"
#include "base/utf8.h"

namespace tandem {

bool is_one_word(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    const bool ends_a_column = code_point_class(step.code_point).has(kWhitespace);
    if (!step.valid || ends_a_column || acts_unseen(step.code_point)) return false;
    position += step.bytes;
  }
  return !text.empty();
}

bool can_begin_line(std::string_view text) {
  constexpr std::array<std::string_view, 4> kOther{"#", "\xEF\xBB\xBF", "\xFF\xFE", "\xFE\xFF"};
  return std::ranges::none_of(kOther, [text](std::string_view mark) { return text.starts_with(mark); });
}

Status append_run_line(std::string& text, const RunLine& line) {
  for (const std::string_view word : {line.query_id, line.document_id, line.tag}) {
    if (!is_one_word(word)) {
      return fail(
          ErrorCode::kUnsupported,
          "a TREC run cannot hold '{}', which is empty, is not UTF-8, or has white space, control characters or "
          "marks of the writing direction in it",
          word);
    }
  }
  if (!can_begin_line(line.query_id)) {
    return fail(ErrorCode::kUnsupported, "a TREC run cannot hold the query id '{}': its line would be no result",
                line.query_id);
  }
  fmt::format_to(std::back_inserter(text), "{} Q0 {} {} {} {}\n", line.query_id, line.document_id, line.rank,
                 line.score, line.tag);
  return {};
}

}  // namespace tandem
