#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "base/error.h"
#include "tandem/evaluation.h"

namespace tandem {
namespace {

using Relevances = std::vector<std::int32_t>;

double metric(const char* name, const Relevances& ranked, const Relevances& judged, std::int32_t level = 1) {
  return ranking_metric(parse_ranking_metric(name).value(), ranked, judged, level);
}

const char* const kAll[] = {"ndcg",        "ndcg@5", "ndcg_exp", "ndcg_exp@3", "map", "map@4",
                            "mrr",         "mrr@2",  "recall@5", "recall",     "f1",  "precision@5",
                            "precision@1", "f1@3",   "rprec",    "success@2"};

TEST(RankingMetric, NamesAreReadAndWritten) {
  const std::pair<const char*, const char*> names[] = {{"ndcg@10", "ndcg@10"},
                                                       {"ndcg_cut_10", "ndcg@10"},
                                                       {"ndcg_cut.10", "ndcg@10"},
                                                       {"NDCG", "ndcg"},
                                                       {"ndcg_exp@5", "ndcg_exp@5"},
                                                       {"map", "map"},
                                                       {"map_cut_100", "map@100"},
                                                       {"mrr@10", "mrr@10"},
                                                       {"recip_rank", "mrr"},
                                                       {"P_5", "precision@5"},
                                                       {"p@5", "precision@5"},
                                                       {"R@100", "recall@100"},
                                                       {"RR@10", "mrr@10"},
                                                       {"AP", "map"},
                                                       {"hit@10", "success@10"},
                                                       {"recall_1000", "recall@1000"},
                                                       {"f1@3", "f1@3"},
                                                       {"set_F", "f1"},
                                                       {"Rprec", "rprec"},
                                                       {"success_1", "success@1"}};
  for (const auto& [spelled, name] : names) {
    const Result<RankingMetric> parsed = parse_ranking_metric(spelled);
    ASSERT_TRUE(parsed) << spelled;
    EXPECT_EQ(ranking_metric_name(*parsed), name);
    EXPECT_EQ(parse_ranking_metric(name).value(), *parsed);
  }
}

TEST(RankingMetric, OtherNamesAreRefused) {
  for (const char* name : {"", "@", "@10", "ndgc@10", "ndcg@", "ndcg@0", "ndcg@-1", "ndcg@ten", "ndcg@10x", "rprec@5",
                           "ndcg@99999999999999999999999", "ndcg@10@10"}) {
    const Result<RankingMetric> parsed = parse_ranking_metric(name);
    ASSERT_FALSE(parsed) << name;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(parsed.error().message.find(fmt::format("'{}'", name)), std::string::npos);
  }
}

TEST(RankingMetric, ValuesFollowTheDefinitions) {
  const Relevances ranked{0, 2, 1, 0, 3};
  const Relevances judged{3, 0, 2, 1, 1, 0, -1};
  const double ideal3 = 3 + 2 / std::log2(3) + 1 / std::log2(4);
  EXPECT_DOUBLE_EQ(metric("ndcg@3", ranked, judged), (2 / std::log2(3) + 1 / std::log2(4)) / ideal3);
  const double exponential = (3 / std::log2(3) + 1 / std::log2(4)) / (7 + 3 / std::log2(3) + 1 / std::log2(4));
  EXPECT_DOUBLE_EQ(metric("ndcg_exp@3", ranked, judged), exponential);
  EXPECT_DOUBLE_EQ(metric("map", ranked, judged), (1.0 / 2 + 2.0 / 3 + 3.0 / 5) / 4);
  EXPECT_DOUBLE_EQ(metric("map@3", ranked, judged), (1.0 / 2 + 2.0 / 3) / 4);
  EXPECT_DOUBLE_EQ(metric("mrr", ranked, judged), 0.5);
  EXPECT_DOUBLE_EQ(metric("mrr@1", ranked, judged), 0);
  EXPECT_DOUBLE_EQ(metric("recall@3", ranked, judged), 0.5);
  EXPECT_DOUBLE_EQ(metric("precision@3", ranked, judged), 2.0 / 3);
  EXPECT_DOUBLE_EQ(metric("precision@10", ranked, judged), 0.3);
  EXPECT_DOUBLE_EQ(metric("precision", ranked, judged), 0.6);
  EXPECT_DOUBLE_EQ(metric("f1@3", ranked, judged), 2 * (2.0 / 3) * 0.5 / (2.0 / 3 + 0.5));
  EXPECT_DOUBLE_EQ(metric("rprec", ranked, judged), 0.5);
  EXPECT_DOUBLE_EQ(metric("success@1", ranked, judged), 0);
  EXPECT_DOUBLE_EQ(metric("success@2", ranked, judged), 1);
}

TEST(RankingMetric, TheRelevanceLevelCountsForAllButGains) {
  const Relevances ranked{1, 2};
  const Relevances judged{1, 2};
  EXPECT_DOUBLE_EQ(metric("mrr", ranked, judged, 2), 0.5);
  EXPECT_DOUBLE_EQ(metric("recall@1", ranked, judged, 2), 0);
  EXPECT_DOUBLE_EQ(metric("ndcg", ranked, judged, 2), metric("ndcg", ranked, judged, 1));
}

TEST(RankingMetric, NothingRelevantOrNothingFoundIsZero) {
  for (const char* name : kAll) {
    EXPECT_EQ(metric(name, {0, 0}, {0, -1}), 0) << name;
    EXPECT_EQ(metric(name, {}, {1, 2}), 0) << name;
    EXPECT_EQ(metric(name, {}, {}), 0) << name;
  }
}

/// Judged documents of which at least one is relevant, and a ranking of some of them among others.
struct Ranked {
  Relevances judged;
  Relevances ranked;
};

Ranked arbitrary_ranked() {
  Ranked made;
  made.judged = *rc::gen::container<Relevances>(rc::gen::inRange(-1, 4));
  made.judged.push_back(*rc::gen::inRange(1, 4));
  made.ranked = made.judged;
  for (std::int32_t& relevance : made.ranked) relevance = std::max(relevance, 0);
  made.ranked.resize(made.ranked.size() + *rc::gen::inRange<std::size_t>(0, 10), 0);
  const auto seed = *rc::gen::arbitrary<std::uint32_t>();
  std::ranges::shuffle(made.ranked, std::mt19937(seed));
  made.ranked.resize(*rc::gen::inRange<std::size_t>(1, made.ranked.size() + 1));
  return made;
}

RC_GTEST_PROP(RankingMetricProperty, EveryValueIsBetweenZeroAndOne, ()) {
  const Ranked made = arbitrary_ranked();
  for (const char* name : kAll) {
    const double value = metric(name, made.ranked, made.judged);
    RC_ASSERT(value >= 0 && value <= 1 + 1e-12);
  }
}

RC_GTEST_PROP(RankingMetricProperty, ThePerfectRankingIsOne, ()) {
  Ranked made = arbitrary_ranked();
  std::erase_if(made.judged, [](std::int32_t relevance) { return relevance <= 0; });
  std::ranges::sort(made.judged, std::greater<>());
  for (const char* name : kAll) {
    // Cutoffs keep recall from 1 where there is more to find, and precision where there is less.
    const Relevances& judged = made.judged;
    const Result<RankingMetric> parsed = parse_ranking_metric(name);
    const bool by_gain =
        parsed->measure == RankingMeasure::kNdcg || parsed->measure == RankingMeasure::kNdcgExponential;
    const bool first = parsed->measure == RankingMeasure::kMrr || parsed->measure == RankingMeasure::kSuccess;
    if (by_gain || first || parsed->cutoff == 0 || parsed->cutoff == judged.size()) {
      RC_ASSERT(std::abs(metric(name, judged, judged) - 1) < 1e-12);
    }
  }
}

RC_GTEST_PROP(RankingMetricProperty, MovingARelevantResultUpNeverHurts, ()) {
  Ranked made = arbitrary_ranked();
  made.ranked.push_back(0);
  const std::size_t place = *rc::gen::inRange<std::size_t>(1, made.ranked.size());
  Relevances better = made.ranked;
  std::ranges::sort(std::span(better).subspan(place - 1, 2), std::greater<>());
  Relevances worse = better;
  std::swap(worse[place], worse[place - 1]);
  for (const char* name : kAll) {
    RC_ASSERT(metric(name, better, made.judged) >= metric(name, worse, made.judged) - 1e-12);
  }
}

RC_GTEST_PROP(RankingMetricProperty, TheOrderOfJudgementsDoesNotMatter, ()) {
  Ranked made = arbitrary_ranked();
  Relevances shuffled = made.judged;
  std::ranges::shuffle(shuffled, std::mt19937(*rc::gen::arbitrary<std::uint32_t>()));
  for (const char* name : kAll) {
    RC_ASSERT(metric(name, made.ranked, made.judged) == metric(name, made.ranked, shuffled));
  }
}

}  // namespace
}  // namespace tandem
