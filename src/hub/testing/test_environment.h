// For tests: variables of the environment that are put back at the end.
#pragma once

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

namespace tandem {

/// Sets variables of the environment and puts them back.
class Environment {
 public:
  void set(const char* name, const std::string& value) {
    const char* const before = std::getenv(name);
    before_.emplace(name, before == nullptr ? std::nullopt : std::optional<std::string>(before));
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() {
    for (const auto& [name, value] : before_) {
      if (value) {
        ::setenv(name.c_str(), value->c_str(), 1);
      } else {
        ::unsetenv(name.c_str());
      }
    }
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

}  // namespace tandem
