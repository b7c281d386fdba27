// Takes the white space at a token's ends out of its offsets: `trim_offsets` of byte-level post-processors.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tandem/tokenizer.h"
#include "tokenizer/code_point_index.h"
#include "tokenizer/text_pattern.h"

namespace tandem {

/// How many characters of white space a token begins and ends with, as the model spells it.
struct EdgeSpaces {
  std::size_t leading = 0;
  std::size_t trailing = 0;
};

EdgeSpaces count_edge_spaces(std::string_view token);

/// Counts those of tokens that are spans of one text, whose begins never go back. A token of white space that takes
/// what follows of it may match at every place of a run: such spans share their end, which is looked at once.
class EdgeSpaceCounter {
 public:
  explicit EdgeSpaceCounter(std::string_view text) : text_(text) {}

  EdgeSpaces count(TextSpan token);

 private:
  std::string_view text_;
  TextSpan blank_;               // The white space that the last token ended with, from where that token began.
  std::size_t blank_count_ = 0;  // Its characters.
};

/// `offset` is a token's bytes of `text`, the whole original text. `is_first`: no token of the text comes before it.
Offset trim_offset(const std::vector<OffsetTrimSpec>& trims, EdgeSpaces spaces, const CodePointIndex& text,
                   Offset offset, bool is_first);

}  // namespace tandem
