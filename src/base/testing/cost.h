// For tests: what running something costs, measured in a process of its own.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>

#include "base/error.h"

namespace tandem {

struct Cost {
  bool succeeded = false;  ///< It ended without a signal, with true.
  double cpu_ms = 0;
  double memory_mib = 0;  ///< The most that the process held, its program and its threads' share included.
};

/// Runs `work` in a child process. What it changes stays there.
inline Cost cost_of(const std::function<bool()>& work) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  CHECK(child >= 0);
  if (child == 0) ::_exit(work() ? 0 : 1);
  int status = 0;
  rusage usage{};
  CHECK(::wait4(child, &status, 0, &usage) == child);
  const auto ms = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return {.succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0,
          .cpu_ms = ms(usage.ru_utime) + ms(usage.ru_stime),
          .memory_mib = static_cast<double>(usage.ru_maxrss) / 1024};
}

}  // namespace tandem
