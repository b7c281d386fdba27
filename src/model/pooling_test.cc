#include "model/pooling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace tandem {
namespace {

// Three tokens of two components.
const std::vector<float> kHidden{1, -4, 3, 8, 5, 2};
const MatrixView kTokens{kHidden.data(), 3, 2};

std::vector<float> pooled(Pooling pooling, std::size_t skipped = 0, MatrixView hidden = kTokens) {
  std::vector<float> out(2, NAN);
  pool(hidden, skipped, pooling, out);
  return out;
}

TEST(Pooling, GivesWhatItsNameSays) {
  EXPECT_EQ(pooled(Pooling::kCls), (std::vector<float>{1, -4}));
  EXPECT_EQ(pooled(Pooling::kMean), (std::vector<float>{3, 2}));
  EXPECT_EQ(pooled(Pooling::kMax), (std::vector<float>{5, 8}));
  EXPECT_EQ(pooled(Pooling::kLastToken), (std::vector<float>{5, 2}));
  EXPECT_FLOAT_EQ(pooled(Pooling::kMeanSqrtLength)[0], 9 / std::sqrt(3.0F));
  EXPECT_FLOAT_EQ(pooled(Pooling::kWeightedMean)[0], (1 * 1 + 2 * 3 + 3 * 5) / 6.0F);
}

TEST(Pooling, LeavesAPromptOut) {
  EXPECT_EQ(pooled(Pooling::kMean, 1), (std::vector<float>{4, 5}));
  EXPECT_EQ(pooled(Pooling::kMax, 2), (std::vector<float>{5, 2}));
  EXPECT_EQ(pooled(Pooling::kCls, 1), (std::vector<float>{3, 8}));
  EXPECT_FLOAT_EQ(pooled(Pooling::kWeightedMean, 1)[0], (2 * 3 + 3 * 5) / 5.0F);
}

TEST(Pooling, OfNothingIsZero) {
  for (const Pooling pooling :
       {Pooling::kMean, Pooling::kMax, Pooling::kMeanSqrtLength, Pooling::kWeightedMean, Pooling::kLastToken}) {
    EXPECT_EQ(pooled(pooling, 3), (std::vector<float>{0, 0})) << name_of(pooling);
  }
}

TEST(Pooling, NormalizesToLengthOneAndLeavesZeroAlone) {
  std::vector<float> vector{3, -4};
  normalize(vector);
  EXPECT_FLOAT_EQ(vector[0], 0.6F);
  EXPECT_FLOAT_EQ(vector[1], -0.8F);
  std::vector<float> zero{0, 0};
  normalize(zero);
  EXPECT_EQ(zero, (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace tandem
