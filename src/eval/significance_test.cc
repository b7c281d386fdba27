#include "tandem/significance.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "eval/student_t.h"

namespace tandem {
namespace {

using Values = std::vector<double>;

Values normal(std::size_t count, double mean, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> distribution(mean, 1);
  Values values(count);
  for (double& value : values) value = distribution(random);
  return values;
}

// Values of 2 * scipy.stats.t.sf(t, df), scipy 1.17.1.
TEST(StudentT, AgreesWithScipy) {
  const struct {
    double t, degrees, p;
  } kCases[] = {{0, 5, 1},
                {1, 1, 0.5},
                {2.5, 9, 0.033861827682985735},
                {-2.5, 9, 0.033861827682985735},
                {0.001, 42, 0.9992068503347822},
                {6, 42, 3.971998802908173e-07},
                {1.96, 1e6, 0.04999606758526985},
                {40, 3, 3.4380680789158506e-05}};
  for (const auto& [t, degrees, p] : kCases) {
    EXPECT_NEAR(student_t_two_sided_p(t, degrees), p, 1e-9) << t << ' ' << degrees;
    EXPECT_NEAR(student_t_two_sided_p(t, degrees) / p, 1, 1e-7) << t << ' ' << degrees;
  }
}

TEST(ComparePaired, CountsWinsLossesAndTies) {
  const Result<Comparison> comparison = compare_paired(Values{0, 0.5, 1, 1}, Values{1, 0.5, 0.25, 0.5});
  ASSERT_TRUE(comparison);
  EXPECT_EQ(comparison->wins, 1U);
  EXPECT_EQ(comparison->losses, 2U);
  EXPECT_EQ(comparison->ties, 1U);
  EXPECT_DOUBLE_EQ(comparison->difference, -0.0625);
}

TEST(ComparePaired, EqualSystemsDoNotDiffer) {
  const Values values{0.1, 0.2, 0.3};
  const Result<Comparison> comparison = compare_paired(values, values);
  ASSERT_TRUE(comparison);
  EXPECT_EQ(comparison->permutation_p, 1);
  EXPECT_FALSE(comparison->t || comparison->t_test_p) << "0 / 0 is no t";
  EXPECT_EQ(comparison->interval.low, 0);
  EXPECT_EQ(comparison->interval.high, 0);
}

TEST(ComparePaired, OneQueryHasNoT) {
  const Result<Comparison> comparison = compare_paired(Values{0.25}, Values{0.75});
  ASSERT_TRUE(comparison);
  EXPECT_FALSE(comparison->t);
  EXPECT_EQ(comparison->permutation_p, 1) << "both signs are as far from 0";
  EXPECT_DOUBLE_EQ(comparison->interval.low, 0.5);
  EXPECT_DOUBLE_EQ(comparison->interval.high, 0.5);
}

// Of the 2^5 patterns, all differences of one sign is the furthest, on each side once.
TEST(ComparePaired, ExhaustivePermutationsAreCounted) {
  const Result<Comparison> comparison = compare_paired(Values(5, 0.0), Values{1, 2, 3, 4, 5});
  ASSERT_TRUE(comparison);
  EXPECT_TRUE(comparison->permutation_exhaustive);
  EXPECT_DOUBLE_EQ(comparison->permutation_p, 2.0 / 32);
}

// In tenths, which have no exact binary form, sums that ought to be equal differ in their last bits.
TEST(ComparePaired, SumsThatDifferByRoundingTie) {
  const Result<Comparison> comparison = compare_paired(Values(4, 0.0), Values{0.1, 0.2, 0.3, -0.6});
  ASSERT_TRUE(comparison);
  EXPECT_EQ(comparison->permutation_p, 1) << "the sum is 0, as far from nothing as can be";
}

TEST(ComparePaired, QueriesThatTieDoNotKeepThePermutationsFromBeingExhaustive) {
  Values baseline(1000, 0.5);
  Values other(1000, 0.5);
  other[7] = 0.75;
  other[8] = 1;
  const Result<Comparison> comparison = compare_paired(baseline, other);
  ASSERT_TRUE(comparison);
  EXPECT_TRUE(comparison->permutation_exhaustive);
  EXPECT_DOUBLE_EQ(comparison->permutation_p, 0.5);
}

TEST(ComparePaired, TheSeedDecidesAndNothingElse) {
  const Values baseline = normal(100, 0, 1);
  const Values other = normal(100, 0.2, 2);
  const ComparisonOptions options{.bootstrap = {.seed = 3}, .permutations = 500, .seed = 3};
  const Comparison once = compare_paired(baseline, other, options).value();
  const Comparison again = compare_paired(baseline, other, options).value();
  EXPECT_EQ(once.permutation_p, again.permutation_p);
  EXPECT_EQ(once.interval.low, again.interval.low);
  EXPECT_FALSE(once.permutation_exhaustive);
  const Comparison another =
      compare_paired(baseline, other, {.bootstrap = {.seed = 4}, .permutations = 500, .seed = 4}).value();
  EXPECT_NE(once.interval.low, another.interval.low);
}

// Under the normal distribution the t-test is exact, and the permutation test and the bootstrap approach it. Their
// standard errors at p = 0.1 and 10,000 repetitions are 0.003.
TEST(ComparePaired, RandomTestsApproachTheTTest) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    const Comparison comparison = compare_paired(normal(400, 0, seed), normal(400, 0.1, seed + 100)).value();
    EXPECT_NEAR(comparison.permutation_p, *comparison.t_test_p, 0.03);
    const double error = comparison.difference / *comparison.t;
    EXPECT_NEAR(comparison.interval.low, comparison.difference - 1.966 * error, 0.15 * error);
    EXPECT_NEAR(comparison.interval.high, comparison.difference + 1.966 * error, 0.15 * error);
  }
}

TEST(ComparePaired, WhatCannotBeComparedIsRefused) {
  const double infinite = std::numeric_limits<double>::infinity();
  const Values one{1};
  for (const Result<Comparison>& refused :
       {compare_paired(Values{}, Values{}), compare_paired(one, Values{1, 2}), compare_paired(one, Values{infinite}),
        compare_paired(Values{std::nan("")}, one), compare_paired(one, one, {.permutations = 0}),
        compare_paired(one, one, {.bootstrap = {.resamples = 0}}),
        compare_paired(one, one, {.bootstrap = {.confidence = 1}}),
        compare_paired(one, one, {.bootstrap = {.confidence = std::nan("")}})}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  }
}

RC_GTEST_PROP(ComparePairedProperty, ExchangingTheSystemsTurnsTheSigns, (std::uint32_t seed)) {
  const std::size_t count = *rc::gen::inRange<std::size_t>(2, 12);
  const Values baseline = normal(count, 0, seed);
  const Values other = normal(count, 1, seed + 1);
  const Comparison there = compare_paired(baseline, other).value();
  const Comparison back = compare_paired(other, baseline).value();
  RC_ASSERT(there.difference == -back.difference);
  RC_ASSERT(there.wins == back.losses && there.ties == back.ties);
  RC_ASSERT(std::abs(*there.t + *back.t) < 1e-9 && std::abs(*there.t_test_p - *back.t_test_p) < 1e-12);
  RC_ASSERT(there.permutation_p == back.permutation_p);
  RC_ASSERT(there.interval.low <= there.difference && there.difference <= there.interval.high);
}

}  // namespace
}  // namespace tandem
