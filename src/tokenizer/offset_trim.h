// Takes the white space at a token's ends out of its offsets: `trim_offsets` of byte-level post-processors.
#pragma once

#include <string_view>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tandem/tokenizer.h"

namespace tandem {

/// `value` is the token as the model spells it, `offset` its bytes of `text`, the whole original text.
/// `is_first`: no token of the text comes before it.
Offset trim_offset(const std::vector<OffsetTrimSpec>& trims, std::string_view value, std::string_view text,
                   Offset offset, bool is_first);

}  // namespace tandem
