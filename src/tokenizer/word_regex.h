// The regular expressions of byte-level models, written out by hand over our own tables.
#pragma once

#include <cstddef>
#include <string_view>

#include "formats/tokenizer_spec.h"

namespace tandem {

/// Where the match that begins at `begin` ends. They match at every place, so what one leaves begins the next.
std::size_t word_end(WordRegex regex, std::string_view text, std::size_t begin);

}  // namespace tandem
