// Whether a call goes on: long loops ask between their steps.
#pragma once

#include <chrono>

#include "tandem/call.h"
#include "tandem/result.h"

namespace tandem {

/// Success while the call is to go on. Costs an atomic load, and reads the clock where there is a deadline. Errors:
/// kCancelled, kDeadlineExceeded.
Status check_call(const CallOptions& call);

/// The same call, for steps whose progress nobody follows.
CallOptions without_progress(const CallOptions& call);

/// Waits so long, or until the call is to end. Errors: those of check_call().
Status wait_while(const CallOptions& call, std::chrono::milliseconds time);

}  // namespace tandem
