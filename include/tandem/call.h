// What a caller may say about one call that takes long: who hears how far it has come, and when it is to end.
//
//   std::stop_source stop;
//   auto embeddings = model->encode(texts, role, {.stop = stop.get_token(),
//                                                 .deadline = std::chrono::steady_clock::now() + 2s});
//   // elsewhere: stop.request_stop();
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

#include "tandem/progress.h"

namespace tandem {

/// A call that was told to stop ends soon, within what one layer of a model takes for one batch at most, with
/// kCancelled; after its deadline likewise, with kDeadlineExceeded. What it did until then is worth nothing, unless it
/// says otherwise.
struct CallOptions {
  ProgressCallback progress = {};
  std::stop_token stop = {};
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
};

}  // namespace tandem
