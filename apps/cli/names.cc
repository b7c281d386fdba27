#include "names.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace tandem::cli {

namespace {

std::vector<std::string> shortest(std::vector<std::string> short_names, const std::vector<std::string>& long_names) {
  const bool tell_apart = std::ranges::all_of(short_names, [&](const std::string& name) {
    return !name.empty() && std::ranges::count(short_names, name) == 1;
  });
  return tell_apart ? std::move(short_names) : long_names;
}

}  // namespace

std::vector<std::string> stems_of(const std::vector<std::string>& files) {
  std::vector<std::string> stems;
  for (const std::string& file : files) stems.push_back(std::filesystem::path(file).stem().string());
  return shortest(std::move(stems), files);
}

std::vector<std::string> last_parts_of(const std::vector<std::string>& names) {
  std::vector<std::string> parts;
  for (const std::string& name : names) {
    const std::filesystem::path path(name);
    parts.push_back((path.has_filename() ? path : path.parent_path()).filename().string());
  }
  return shortest(std::move(parts), names);
}

}  // namespace tandem::cli
