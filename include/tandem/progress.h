// How long work tells its caller how far it has come.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace tandem {

/// One report of progress.
struct Progress {
  std::string_view what;  ///< What is being done, e.g. "embedding".
  std::string_view unit;  ///< What is counted, e.g. "texts", "bytes".
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: not known.
};

/// Called now and then from the thread that started the work; must not throw. Empty: nobody listens.
using ProgressCallback = std::function<void(const Progress&)>;

}  // namespace tandem
