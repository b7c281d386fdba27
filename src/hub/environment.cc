#include "hub/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/ascii.h"

namespace tandem {

namespace {

std::filesystem::path home_folder() {
  if (const std::string home = environment_variable("HOME"); !home.empty()) return home;
  // Services and containers run without HOME.
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(std::size_t{1} << 14);
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_dir;
  }
  return ".";
}

/// A path with the values of "$NAME" and "${NAME}" in it, as Python's os.path.expandvars() has them: what is not set
/// stays.
std::string with_variables(std::string_view path) {
  constexpr std::string_view kNameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  std::string result;
  for (std::size_t begin = 0; begin < path.size();) {
    std::string_view whole = path.substr(begin, 1);
    if (whole == "$") {
      const std::string_view rest = path.substr(begin + 1);
      const bool has_braces = rest.starts_with('{') && rest.find('}') != rest.npos;
      const std::string_view name =
          has_braces ? rest.substr(1, rest.find('}') - 1) : rest.substr(0, rest.find_first_not_of(kNameCharacters));
      whole = path.substr(begin, 1 + name.size() + (has_braces ? 2 : 0));
      const char* const value = std::getenv(std::string(name).c_str());
      result += value == nullptr ? std::string(whole) : value;
    } else {
      result += whole;
    }
    begin += whole.size();
  }
  return result;
}

/// A path that a variable holds, "~" standing for the home folder and variables for their values, as Hugging Face's
/// libraries read it; empty where it is not set.
std::filesystem::path environment_path(const char* name) {
  const std::string path = environment_variable(name);
  if (path == "~" || path.starts_with("~/")) {
    return home_folder() / with_variables(path.substr(std::min<std::size_t>(path.size(), 2)));
  }
  return with_variables(path);
}

}  // namespace

std::string environment_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::filesystem::path user_cache_home() {
  if (std::filesystem::path cache = environment_path("XDG_CACHE_HOME"); !cache.empty()) return cache;
  return home_folder() / ".cache";
}

std::filesystem::path hugging_face_home() {
  if (std::filesystem::path home = environment_path("HF_HOME"); !home.empty()) return home;
  return user_cache_home() / "huggingface";
}

std::filesystem::path hugging_face_cache() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {  // The second one is its older name.
    if (std::filesystem::path cache = environment_path(name); !cache.empty()) return cache;
  }
  return hugging_face_home() / "hub";
}

bool hugging_face_is_offline() {
  for (const char* name : {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"}) {  // The second one is its older name.
    const std::string value = in_lower_case(environment_variable(name));
    if (value.empty()) continue;
    return value == "1" || value == "on" || value == "yes" || value == "true";
  }
  return false;
}

}  // namespace tandem
