#include "tandem/document.h"

#include <fmt/format.h>

#include "base/strip.h"

namespace tandem {

std::string Document::full_text(std::string_view title_separator) const {
  if (title.empty()) return std::string(strip(text));
  return std::string(strip(fmt::format("{}{}{}", title, title_separator, text)));
}

}  // namespace tandem
