#include "tandem/pair_metrics.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace tandem {
namespace {

using Pairs = std::vector<LabelledScore>;
using Graded = std::vector<GradedScore>;

TEST(BinaryPairMetrics, AHigherScoreForEveryPositiveIsPerfect) {
  const BinaryPairMetrics metrics =
      binary_pair_metrics(Pairs{{0.2, false}, {0.9, true}, {0.4, false}, {0.7, true}}).value();
  EXPECT_EQ(metrics.pairs, 4U);
  EXPECT_EQ(metrics.positives, 2U);
  EXPECT_EQ(metrics.roc_auc, 1);
  EXPECT_EQ(metrics.average_precision, 1);
  EXPECT_EQ(metrics.best.accuracy, 1);
  EXPECT_DOUBLE_EQ(metrics.best.threshold, 0.55);
  EXPECT_EQ(metrics.best.f1, 1);
}

TEST(BinaryPairMetrics, EqualScoresAreWorthHalf) {
  const BinaryPairMetrics metrics = binary_pair_metrics(Pairs{{1, true}, {1, false}, {1, false}}).value();
  EXPECT_EQ(metrics.roc_auc, 0.5);
  EXPECT_DOUBLE_EQ(metrics.average_precision, 1.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.best.accuracy, 2.0 / 3);
  EXPECT_GT(metrics.best.threshold, 1) << "none is called positive";
  EXPECT_EQ(metrics.best.recall, 0);
  EXPECT_EQ(metrics.best.precision, 0);
  EXPECT_EQ(metrics.best.f1, 0);
}

TEST(BinaryPairMetrics, APairAtTheThresholdIsCalledPositive) {
  const Pairs pairs{{0.5, true}, {0.25, false}};
  EXPECT_EQ(binary_pair_metrics(pairs).value().fixed.accuracy, 1);
  EXPECT_EQ(binary_pair_metrics(pairs, 0.75).value().fixed.accuracy, 0.5);
  EXPECT_EQ(binary_pair_metrics(pairs, 0.75).value().fixed.threshold, 0.75);
}

TEST(BinaryPairMetrics, OneLabelAloneHasNoAuc) {
  for (const Pairs& pairs : {Pairs{}, Pairs{{0.5, true}}, Pairs{{0.5, false}, {0.1, false}}}) {
    const Result<BinaryPairMetrics> refused = binary_pair_metrics(pairs);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(refused.error().message.find("both labels"), std::string::npos);
  }
}

TEST(BinaryPairMetrics, ScoresThatAreNotFiniteAreNamed) {
  for (const double score : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    const Result<BinaryPairMetrics> refused = binary_pair_metrics(Pairs{{0.5, true}, {score, false}});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("pair 2"), std::string::npos);
  }
}

TEST(BinaryPairMetrics, TheThresholdBetweenNeighbouringNumbersKeepsTheLowerOut) {
  const double upper = std::nextafter(1.0, 2.0);
  const BinaryPairMetrics metrics = binary_pair_metrics(Pairs{{upper, true}, {1.0, false}}).value();
  EXPECT_EQ(metrics.best.accuracy, 1);
  EXPECT_EQ(metrics.best.threshold, upper);
}

Pairs arbitrary_pairs() {
  Pairs pairs{{0.5, true}, {0.25, false}};
  const auto count = *rc::gen::inRange(0, 40);
  for (int i = 0; i < count; ++i) pairs.push_back({*rc::gen::inRange(-5, 6) / 4.0, *rc::gen::arbitrary<bool>()});
  return pairs;
}

RC_GTEST_PROP(BinaryPairMetricsProperty, AucIsHowOftenAPositiveScoresHigher, ()) {
  const Pairs pairs = arbitrary_pairs();
  double won = 0;
  double all = 0;
  for (const LabelledScore& positive : pairs) {
    for (const LabelledScore& negative : pairs) {
      if (!positive.label || negative.label) continue;
      ++all;
      won += positive.score > negative.score ? 1 : positive.score == negative.score ? 0.5 : 0;
    }
  }
  RC_ASSERT(std::abs(binary_pair_metrics(pairs).value().roc_auc - won / all) < 1e-12);
}

RC_GTEST_PROP(BinaryPairMetricsProperty, TheBestThresholdGivesWhatItPromisesAndNoOtherGivesMore, ()) {
  const Pairs pairs = arbitrary_pairs();
  const ThresholdMetrics best = binary_pair_metrics(pairs).value().best;
  const ThresholdMetrics same = binary_pair_metrics(pairs, best.threshold).value().fixed;
  RC_ASSERT(same.accuracy == best.accuracy && same.precision == best.precision && same.f1 == best.f1);
  for (const LabelledScore& pair : pairs) {
    for (const double threshold : {pair.score, std::nextafter(pair.score, 1e9)}) {
      RC_ASSERT(binary_pair_metrics(pairs, threshold).value().fixed.accuracy <= best.accuracy);
    }
  }
}

RC_GTEST_PROP(BinaryPairMetricsProperty, TheOrderOfPairsDoesNotMatter, (std::uint32_t seed)) {
  Pairs pairs = arbitrary_pairs();
  const BinaryPairMetrics before = binary_pair_metrics(pairs).value();
  std::ranges::shuffle(pairs, std::mt19937(seed));
  const BinaryPairMetrics after = binary_pair_metrics(pairs).value();
  RC_ASSERT(before.roc_auc == after.roc_auc && before.average_precision == after.average_precision);
  RC_ASSERT(before.best.threshold == after.best.threshold);
}

TEST(CorrelationMetrics, AnyRisingScoreHasSpearmanOne) {
  const CorrelationMetrics metrics = correlation_metrics(Graded{{1, 1}, {2, 2}, {4, 3}, {1000, 4}}).value();
  EXPECT_DOUBLE_EQ(metrics.spearman, 1);
  EXPECT_LT(metrics.pearson, 0.9);
  EXPECT_EQ(metrics.pairs, 4U);
}

TEST(CorrelationMetrics, AStraightLineHasPearsonOne) {
  EXPECT_DOUBLE_EQ(correlation_metrics(Graded{{1, -2}, {2, -4}, {5, -10}}).value().pearson, -1);
  EXPECT_DOUBLE_EQ(correlation_metrics(Graded{{1e-200, 1}, {2e-200, 2}, {4e-200, 4}}).value().pearson, 1);
}

TEST(CorrelationMetrics, WhatDoesNotVaryIsRefused) {
  for (const Graded& graded :
       {Graded{}, Graded{{1, 1}}, Graded{{1, 1}, {1, 2}}, Graded{{1, 5}, {2, 5}}, Graded{{1, 5}, {std::nan(""), 6}}}) {
    const Result<CorrelationMetrics> refused = correlation_metrics(graded);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace tandem
