// A fixed set of threads that share out the parts of one job at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace tandem {

/// How many processors this process may run on (its affinity mask), at least 1.
std::size_t available_processors();

/// Thread-safe: jobs from several callers run one after another.
class ThreadPool {
 public:
  /// `threads` counts the caller, who works too: ThreadPool(1) starts none. 0: available_processors().
  explicit ThreadPool(std::size_t threads);
  ~ThreadPool();

  std::size_t threads() const;

  /// Runs work(part, worker) for each part in [0, parts), each once, `worker` in [0, threads()), and returns when all
  /// are done. Parts start in order. `work` must not call run() of the same pool. `on_progress`, if given, is called in
  /// the caller's thread between its own parts with the number of parts that are done. When either throws, as running
  /// out of memory does, no further part starts, and the exception leaves from here once no part is running any more.
  void run(std::size_t parts, const std::function<void(std::size_t part, std::size_t worker)>& work,
           const std::function<void(std::size_t done)>& on_progress = {});

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tandem
