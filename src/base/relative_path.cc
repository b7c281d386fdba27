#include "base/relative_path.h"

#include <algorithm>

namespace tandem {

bool is_safe_relative_path(std::string_view name) {
  if (name.find_first_of(std::string_view("\\\0", 2)) != name.npos) return false;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view segment = name.substr(begin, end - begin);
    if (segment.empty() || segment == "." || segment == "..") return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace tandem
