// White space at the ends of a text.
#pragma once

#include <string_view>

namespace tandem {

/// What Python's str.strip() leaves of a text. Bytes that are not UTF-8 are no white space.
std::string_view strip(std::string_view text);

}  // namespace tandem
