#include "pipeline/reranker.h"

#include <gtest/gtest.h>

#include <vector>

namespace tandem {
namespace {

std::vector<VectorHit> candidates() { return {{{.row = 7}, 0.9F}, {{.row = 3}, 0.5F}, {{.row = 5}, 0.1F}}; }

const std::vector<bool> kNoneBlank(3, false);

TEST(Reranker, ReadsTheBestCandidatesOnly) {
  const std::vector<VectorHit> hits = candidates();
  EXPECT_EQ(Reranker().pool(hits).size(), 3U);
  EXPECT_EQ(Reranker{.depth = 2}.pool(hits).size(), 2U);
  EXPECT_EQ(Reranker{.depth = 9}.pool(hits).size(), 3U);
  EXPECT_TRUE(Reranker{.depth = 2}.pool({}).empty());
}

TEST(Reranker, FusesBothStages) {
  const std::vector<VectorHit> hits = candidates();
  const std::vector<float> scores{0, 4, 2};
  const std::vector<RankedCandidate> by_cross = Reranker{.alpha = 1}.rank(hits, scores, kNoneBlank, 2);
  ASSERT_EQ(by_cross.size(), 2U);
  EXPECT_EQ(by_cross[0].position, 1U);
  EXPECT_EQ(by_cross[1].position, 2U);
  EXPECT_EQ(by_cross[0].final_score, 4);
  // min-max makes 1, 0.5 and 0 of the first stage's scores.
  const std::vector<RankedCandidate> fused = Reranker{.alpha = 0.5F}.rank(hits, scores, kNoneBlank, 3);
  EXPECT_EQ(fused[0].final_score, 2.25F);
  EXPECT_EQ(fused[0].score, 4);
  EXPECT_EQ(fused[1].position, 2U);
  EXPECT_EQ(fused[2].final_score, 0.5F);
}

TEST(Reranker, BlankDocumentsStandLastWhateverTheirScores) {
  const std::vector<VectorHit> hits = candidates();
  const std::vector<float> scores{9, -4, 2};
  const std::vector<RankedCandidate> ranked = Reranker().rank(hits, scores, {true, false, false}, 3);
  EXPECT_EQ(ranked[0].position, 2U);
  EXPECT_EQ(ranked[1].position, 1U);
  EXPECT_EQ(ranked[2].position, 0U);
  EXPECT_EQ(ranked[2].score, 9);  // What the model says stays to be seen.
  EXPECT_LT(ranked[2].final_score, -4);
  EXPECT_GT(ranked[2].final_score, -4.001F);
  EXPECT_EQ(Reranker().rank(hits, scores, {true, false, false}, 2)[1].position, 1U);
  const std::vector<RankedCandidate> all_blank = Reranker().rank(hits, scores, {true, true, true}, 3);
  for (const RankedCandidate& each : all_blank) EXPECT_EQ(each.final_score, -4);
}

TEST(Reranker, EqualScoresStayInTheOrderOfTheFirstStage) {
  const std::vector<VectorHit> hits = candidates();
  const std::vector<float> scores{1, 1, 1};
  const std::vector<RankedCandidate> ranked = Reranker().rank(hits, scores, kNoneBlank, 9);
  ASSERT_EQ(ranked.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(ranked[i].position, i);
}

}  // namespace
}  // namespace tandem
