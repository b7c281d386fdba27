#include "base/call.h"

#include "base/error.h"

namespace tandem {

Status check_call(const CallOptions& call) {
  if (call.stop.stop_requested()) return fail(ErrorCode::kCancelled, "cancelled");
  if (call.deadline && std::chrono::steady_clock::now() >= *call.deadline) {
    return fail(ErrorCode::kDeadlineExceeded, "the deadline has passed");
  }
  return {};
}

}  // namespace tandem
