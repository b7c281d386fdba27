#include "eval/id_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/testing/colliding_strings.h"
#include "base/testing/cost.h"

namespace tandem {
namespace {

/// Gives numbers to all of them and finds each.
bool intern_all(const std::vector<std::string>& ids) {
  TextArena arena;
  IdTable table{StringHash()};
  for (const std::string& id : ids) table.intern(id, arena);
  bool found = table.size() == ids.size();
  for (std::uint32_t number = 0; number < ids.size(); ++number) found = found && table.find(ids[number]) == number;
  return found;
}

TEST(IdTable, NumbersIdsInTheOrderInWhichTheyCome) {
  TextArena arena;
  IdTable table{StringHash()};
  for (std::uint32_t round = 0; round < 2; ++round) {
    for (std::uint32_t number = 0; number < 1000; ++number) {
      ASSERT_EQ(table.intern("id " + std::to_string(number), arena), number);
    }
  }
  EXPECT_EQ(table[999], "id 999");
  EXPECT_EQ(table.find("id 999"), 999U);
  EXPECT_EQ(table.find("id 1000"), std::nullopt);
}

// Eight times as many may take no more than eight times the time, with what sorting would add.
TEST(IdTable, IdsThatWereMadeToCollideTakeNoLonger) {
  constexpr std::size_t kIds = 1024;
  constexpr double kGrowthMax = 8 * 1.3 * 1.5;
  constexpr double kCpuFloorMs = 10;
  const std::vector<std::string> large = colliding_strings(8 * kIds);
  const std::vector<std::string> small(large.begin(), large.begin() + kIds);
  const Cost cost_small = cost_of([&] { return intern_all(small); });
  const Cost cost_large = cost_of([&] { return intern_all(large); });
  ASSERT_TRUE(cost_small.succeeded && cost_large.succeeded);
  EXPECT_LT(cost_large.cpu_ms, std::max(cost_small.cpu_ms, kCpuFloorMs) * kGrowthMax);
}

}  // namespace
}  // namespace tandem
