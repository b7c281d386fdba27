#include "hub/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

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
  if (const std::string home = environment_variable("HF_HOME"); !home.empty()) return home;
  return user_cache_home() / "huggingface";
}

std::filesystem::path hugging_face_cache() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {  // The second one is its older name.
    if (const std::string cache = environment_variable(name); !cache.empty()) return cache;
  }
  return hugging_face_home() / "hub";
}

}  // namespace tandem
