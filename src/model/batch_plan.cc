#include "model/batch_plan.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace tandem {
namespace {

// A batch smaller than this is not worth a thread of its own.
constexpr std::size_t kTokensMin = 32;

}  // namespace

std::vector<std::size_t> plan_batches(std::span<const std::size_t> lengths, const BatchLimits& limits) {
  CHECK(limits.tokens_max > 0 && limits.sessions > 0);
  const std::size_t tokens = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
  const std::size_t share = (tokens + limits.sessions - 1) / limits.sessions;
  const std::size_t tokens_max = std::min(limits.tokens_max, std::max(share, kTokensMin));
  std::vector<std::size_t> ends;
  std::size_t batch = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (batch > 0 && batch + lengths[i] > tokens_max) {
      ends.push_back(i);
      batch = 0;
    }
    batch += lengths[i];
  }
  if (!lengths.empty()) ends.push_back(lengths.size());
  return ends;
}

}  // namespace tandem
