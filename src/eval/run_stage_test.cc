#include "eval/run_stage.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace tandem {
namespace {

TEST(RunStage, GivesWhatIsThereInTheOrderOfTheRun) {
  tandem::Run run;
  for (const auto& [id, score] : {std::pair("a", 3.0F), {"gone", 2.5F}, {"b", 2.0F}, {"c", 1.0F}}) {
    ASSERT_TRUE(run.add("q1", id, score));
  }
  const RunStage stage(run, [](std::string_view id) -> std::optional<RowId> {
    if (id == "gone") return std::nullopt;
    return RowId{.row = static_cast<std::uint32_t>(id[0] - 'a')};
  });
  const std::vector<StageQuery> queries{{.id = "q1", .text = "x"}, {.id = "q2", .text = "y"}};
  const auto found = stage.retrieve(queries, 2, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->at(0).hits, (std::vector<VectorHit>{{{.row = 0}, 3.0F}, {{.row = 1}, 2.0F}}));
  EXPECT_TRUE(found->at(1).hits.empty());
}

}  // namespace
}  // namespace tandem
