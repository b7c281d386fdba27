// Which sequences go through an encoder together.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tandem {

struct BatchLimits {
  std::size_t tokens_max = 0;  ///< Of a batch; a sequence that has more is a batch of its own.
  std::size_t sessions = 1;    ///< How many batches can run at a time.
};

/// Cuts sequences of these lengths, in tokens and each at least 1, into batches of neighbours: the ends of the batches,
/// the last of which is lengths.size(). Their order needs no change, as batches hold no padding. Few tokens are shared
/// out evenly over the sessions, down to what is worth a batch.
std::vector<std::size_t> plan_batches(std::span<const std::size_t> lengths, const BatchLimits& limits);

}  // namespace tandem
