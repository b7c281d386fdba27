#include "base/relative_path.h"

#include <algorithm>

namespace tandem {

bool is_safe_relative_path(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const auto next = static_cast<unsigned char>(i + 1 < name.size() ? name[i + 1] : 0);
    if (byte == '\\' || byte < 0x20 || byte == 0x7f) return false;
    if (byte == 0xc2 && next >= 0x80 && next < 0xa0) return false;  // U+0080 to U+009F in UTF-8.
  }
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view segment = name.substr(begin, end - begin);
    if (segment.empty() || segment == "." || segment == "..") return false;
    begin = end + 1;
  }
  return true;
}

std::optional<std::string> to_safe_relative_path(std::string_view name) {
  if (name.starts_with('/')) return std::nullopt;
  std::string path;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view segment = name.substr(begin, end - begin);
    if (!segment.empty() && segment != ".") path.append(path.empty() ? "" : "/").append(segment);
    begin = end + 1;
  }
  if (!path.empty() && !is_safe_relative_path(path)) return std::nullopt;
  return path;
}

}  // namespace tandem
