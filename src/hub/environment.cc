#include "hub/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
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

/// A path that a variable holds, "~" standing for the home folder as Hugging Face's libraries read it; empty where it
/// is not set.
std::filesystem::path environment_path(const char* name) {
  const std::string path = environment_variable(name);
  if (path == "~" || path.starts_with("~/")) return home_folder() / path.substr(std::min<std::size_t>(path.size(), 2));
  return path;
}

}  // namespace

std::string environment_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::filesystem::path user_cache_home() {
  if (const std::string cache = environment_variable("XDG_CACHE_HOME"); !cache.empty()) return cache;
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
