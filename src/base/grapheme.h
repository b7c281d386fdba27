// Grapheme clusters: what a reader takes for one character.
#pragma once

#include <cstddef>
#include <string_view>

namespace tandem {

/// Where the extended grapheme cluster that begins at `begin` ends (UAX #29, Unicode 17). `text` must be UTF-8, and
/// `begin` inside it and the boundary of a cluster.
std::size_t grapheme_end(std::string_view text, std::size_t begin);

}  // namespace tandem
