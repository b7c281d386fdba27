// Reading vectors before a query needs them, so that damage on the disk is known early.
#pragma once

#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "index/vector_rows.h"
#include "tandem/result.h"

namespace tandem {

/// Reads all rows once, on a thread of its own, which leaves the executor's turns to queries; their blocks count as
/// checked then. Ends early when this does. Thread-safe.
class BackgroundCheck {
 public:
  /// Begins. Where the system gives no thread, nothing is checked before it is read.
  explicit BackgroundCheck(std::vector<VectorRows> segments);

  /// Success as long as nothing was found. Errors: those of VectorRows::read().
  Status found() const;

  BackgroundCheck(const BackgroundCheck&) = delete;
  BackgroundCheck& operator=(const BackgroundCheck&) = delete;
  ~BackgroundCheck() = default;

 private:
  void run(const std::stop_token& stop);

  const std::vector<VectorRows> segments_;
  mutable std::mutex mutex_;
  Status found_;  // Guarded by mutex_.
  std::jthread thread_;
};

}  // namespace tandem
