// The threads that everything computes on. A process needs one: encoders and collections share it.
//
//   tandem::Executor executor(8);
//   auto bi_encoder = tandem::BiEncoder::open(folder, {.compute = {.executor = executor}});
//   auto cross_encoder = tandem::CrossEncoder::open(other_folder, {.compute = {.executor = executor}});
//   auto collection = tandem::Collection::open("faq.tandem", {.executor = executor});
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "tandem/call.h"
#include "tandem/export.h"
#include "tandem/result.h"

namespace tandem {

/// How many processors this process may run on (its affinity mask), at least 1.
TANDEM_EXPORT std::size_t available_processors();

/// A handle: copies share the threads, which end with the last of them. Thread-safe.
///
/// So many threads compute at a time, the callers' own among them: a caller works on its own job, and the executor's
/// threads help. Where several callers have jobs, their parts take turns: the job goes on next whose last part began
/// first.
class TANDEM_EXPORT Executor {
 public:
  /// `threads` counts the caller: Executor(1) starts none, another one with the first job that can use them. 0:
  /// available_processors(). At most kThreadsMax.
  explicit Executor(std::size_t threads);
  Executor() : Executor(0) {}

  // Not inline: GCC 12 would see options that hold one as perhaps not initialised.
  Executor(const Executor&);
  Executor(Executor&&) noexcept;
  Executor& operator=(const Executor&);
  Executor& operator=(Executor&&) noexcept;
  ~Executor();

  static constexpr std::size_t kThreadsMax = 1024;

  std::size_t threads() const;

  /// One part of a job. `slot`, below threads(), is nobody else's while the part runs: memory may be kept for each.
  using Work = std::function<Status(std::size_t part, std::size_t slot)>;

  /// Runs work(part, slot) for each part in [0, parts), each once, and returns when all are done. Parts start in order.
  /// `work` must not call run() of the same executor. `on_part`, if given, is called in the caller's thread now and
  /// then with the number of parts that are done.
  ///
  /// After the first error, or exception, of a part no other one starts; it leaves from here when no part is running
  /// any more. Errors: those of `work`; kCancelled and kDeadlineExceeded as `call` says, whose progress is not
  /// reported.
  Status run(std::size_t parts, const Work& work, const CallOptions& call = {},
             const std::function<void(std::size_t done)>& on_part = {}) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tandem
