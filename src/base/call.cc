#include "base/call.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/error.h"

namespace tandem {

Status check_call(const CallOptions& call) {
  if (call.stop.stop_requested()) return fail(ErrorCode::kCancelled, "cancelled");
  if (call.deadline && std::chrono::steady_clock::now() >= *call.deadline) {
    return fail(ErrorCode::kDeadlineExceeded, "the deadline has passed");
  }
  return {};
}

CallOptions without_progress(const CallOptions& call) {
  return {.progress = {}, .stop = call.stop, .deadline = call.deadline};
}

Status wait_while(const CallOptions& call, std::chrono::milliseconds time) {
  auto end = std::chrono::steady_clock::now() + time;
  if (call.deadline) end = std::min(end, *call.deadline);
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_until(lock, call.stop, end, [] { return false; });
  return check_call(call);
}

}  // namespace tandem
