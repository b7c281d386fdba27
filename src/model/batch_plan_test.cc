#include "model/batch_plan.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

namespace tandem {
namespace {

using Sizes = std::vector<std::size_t>;

TEST(BatchPlan, FillsBatchesWithNeighbours) {
  EXPECT_EQ(plan_batches(Sizes{100, 100, 56, 1, 255}, {.tokens_max = 256}), (Sizes{3, 5}));
  EXPECT_EQ(plan_batches(Sizes{}, {.tokens_max = 256}), Sizes());
}

TEST(BatchPlan, ALongSequenceIsABatchOfItsOwn) {
  EXPECT_EQ(plan_batches(Sizes{10, 512, 10}, {.tokens_max = 256}), (Sizes{1, 2, 3}));
}

TEST(BatchPlan, SharesFewTokensOut) {
  EXPECT_EQ(plan_batches(Sizes{50, 50, 50, 50}, {.tokens_max = 256, .sessions = 2}), (Sizes{2, 4}));
  EXPECT_EQ(plan_batches(Sizes{8, 8, 8, 8}, {.tokens_max = 256, .sessions = 4}), (Sizes{4})) << "not worth sharing";
}

RC_GTEST_PROP(BatchPlan, HoldsEverySequenceOnceAndKeepsTheLimit, ()) {
  const auto lengths = *rc::gen::container<Sizes>(rc::gen::inRange<std::size_t>(1, 600));
  const auto tokens_max = *rc::gen::inRange<std::size_t>(1, 600);
  const auto sessions = *rc::gen::inRange<std::size_t>(1, 9);
  const Sizes ends = plan_batches(lengths, {.tokens_max = tokens_max, .sessions = sessions});
  RC_ASSERT(ends.empty() == lengths.empty());
  RC_ASSERT((ends.empty() ? 0 : ends.back()) == lengths.size());
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    RC_ASSERT(end > begin);
    const auto first = lengths.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = lengths.begin() + static_cast<std::ptrdiff_t>(end);
    const bool is_alone = end == begin + 1;
    RC_ASSERT((is_alone || std::accumulate(first, last, std::size_t{0}) <= tokens_max));
    begin = end;
  }
}

}  // namespace
}  // namespace tandem
