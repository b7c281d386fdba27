// A document: what is searched.
#pragma once

#include <string>
#include <string_view>

#include "tandem/export.h"

namespace tandem {

/// One document. `full_text` is what is embedded and reranked.
struct TANDEM_EXPORT Document {
  std::string id = {};
  std::string title = {};
  std::string text = {};
  std::string metadata = {};  ///< A JSON object as text, on one line; empty: none.

  /// Title, separator and text, trimmed; without a title the text alone. The blank is how BEIR joins them.
  std::string full_text(std::string_view title_separator = " ") const;
};

}  // namespace tandem
