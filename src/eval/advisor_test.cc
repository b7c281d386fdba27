#include "tandem/advisor.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace tandem {
namespace {

constexpr RankingMetric kNdcg10{RankingMeasure::kNdcg, 10};
constexpr RankingMetric kRecall10{RankingMeasure::kRecall, 10};

/// A setting with these values of nDCG@10; a p95 of twice its mean time, and as much recall as nDCG.
SettingResult measured(PipelineSetting setting, std::vector<double> values, double mean_ms) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  SettingResult result;
  result.setting = std::move(setting);
  result.values = {values, values};
  result.means = {mean, mean};
  result.intervals = {{mean, mean}, {mean, mean}};
  result.encode = {.mean = 1, .p50 = 1, .p95 = 1, .p99 = 1};
  result.retrieve = result.encode;
  result.total = {.mean = mean_ms, .p50 = mean_ms, .p95 = 2 * mean_ms, .p99 = 3 * mean_ms};
  result.answers = {.found = values.size(), .in_retrieval = 0, .in_ranking = 0};
  return result;
}

PipelineSetting first_stage() { return {.mode = SearchMode::kBi, .first_stage = "bi"}; }

PipelineSetting reranked(std::size_t candidates) {
  return {.mode = SearchMode::kHybrid, .first_stage = "bi", .candidates = candidates, .alpha = 1};
}

/// 40 queries: the first stage is right on half of them, 10 candidates help on all others but one, 100 on that too.
SweepResult sample() {
  SweepResult sweep;
  sweep.metrics = {kNdcg10, kRecall10};
  std::vector<double> bi(40);
  std::vector<double> ten(40, 1);
  for (std::size_t query = 0; query < bi.size(); ++query) {
    sweep.query_ids.push_back(std::to_string(query));
    bi[query] = query % 2 == 0 ? 1 : 0;
  }
  ten[1] = 0;
  sweep.settings = {measured(first_stage(), bi, 5), measured(reranked(10), ten, 20),
                    measured(reranked(100), std::vector<double>(40, 1), 100)};
  sweep.ceilings = {{.first_stage = "bi", .depth = 100, .means = {1, 1}, .recall = 1},
                    {.first_stage = "bi", .depth = 10, .means = {0.98, 0.98}, .recall = 0.975}};
  return sweep;
}

/// The sample with its first queries only.
SweepResult sample_of(std::size_t queries) {
  SweepResult sweep = sample();
  sweep.query_ids.resize(queries);
  for (SettingResult& setting : sweep.settings) {
    for (std::vector<double>& values : setting.values) values.resize(queries);
  }
  return sweep;
}

Advice advised(const SweepResult& sweep, const Goal& goal = {}) {
  Result<Advice> advice = advise(sweep, goal);
  EXPECT_TRUE(advice.has_value()) << advice.error().message;
  return std::move(*advice);
}

std::string all_of(const std::vector<std::string>& sentences) {
  return std::accumulate(sentences.begin(), sentences.end(), std::string());
}

void expect_refused(const SweepResult& sweep, const Goal& goal, std::string_view word) {
  const Result<Advice> advice = advise(sweep, goal);
  ASSERT_FALSE(advice.has_value()) << word;
  EXPECT_EQ(advice.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(advice.error().message.find(word), std::string::npos) << advice.error().message;
}

TEST(Advisor, OnlyTheScanAndTheScoringOfEverythingGrowWithTheDocuments) {
  SweepResult sweep;
  sweep.documents = 1000;
  SettingResult setting;
  setting.setting = reranked(10);
  setting.encode.mean = 2;
  setting.retrieve.mean = 3;
  setting.rerank.mean = 50;
  setting.total.mean = 55;
  EXPECT_EQ(total_ms_over(sweep, setting, 1000), 55);
  EXPECT_EQ(total_ms_over(sweep, setting, 100'000), 2 + 300 + 50);
  setting.setting = {.mode = SearchMode::kCross};
  EXPECT_EQ(total_ms_over(sweep, setting, 100'000), 5500);
}

TEST(Advisor, FewQueriesExcuseNoCheaperSetting) { EXPECT_EQ(advised(sample_of(6)).recommended, 2U); }

TEST(Advisor, ARunOfUnknownTimeIsNotCheaper) {
  SweepResult sweep = sample();
  sweep.settings[1].setting = {.mode = SearchMode::kBi, .first_stage = "BM25"};
  sweep.settings[1].retrieval_timed = false;
  sweep.settings[1].total = {};
  EXPECT_EQ(advised(sweep).recommended, 2U);
}

TEST(Advisor, ARunOfUnknownTimeNeitherDominatesNorMeetsAGoalOfTime) {
  SweepResult sweep = sample();
  // As good as the best, and all of its time unknown.
  sweep.settings.push_back(measured({.mode = SearchMode::kBi, .first_stage = "BM25"}, sweep.settings[2].values[0], 0));
  sweep.settings.back().retrieval_timed = false;
  const Advice free = advised(sweep);
  EXPECT_FALSE(free.settings[2].dominated_by.has_value());
  EXPECT_NE(free.recommended, 3U);
  EXPECT_EQ(free.best, 2U);
  for (const Goal& goal : {Goal{.p95_ms_max = 20}, Goal{.cost_per_1000_max = 0.002}}) {
    const Advice advice = advised(sweep, goal);
    EXPECT_TRUE(advice.meets_goal);
    EXPECT_EQ(advice.recommended, 0U);
    EXPECT_NE(all_of(advice.settings[3].lacks).find("not known, as the time of BM25 itself"), std::string::npos);
  }
  EXPECT_NE(advised(sweep, {.p95_ms_max = 0.001}).recommended, 3U) << "nothing is known of how near it is";
}

TEST(Advisor, WhereEveryFirstStageIsARunTheRestIsCompared) {
  SweepResult sweep = sample();
  for (SettingResult& setting : sweep.settings) {
    setting.setting.first_stage = "BM25";
    setting.retrieval_timed = false;
  }
  const Advice advice = advised(sweep, {.p95_ms_max = 50});
  EXPECT_TRUE(advice.meets_goal);
  EXPECT_EQ(advice.recommended, 1U);
  EXPECT_NE(all_of(advice.reasons).find("counts as 0"), std::string::npos);
}

TEST(Advisor, TheCheapestThatChanceCannotTellFromTheBestIsRecommended) {
  const Advice advice = advised(sample());
  EXPECT_EQ(advice.best, 2U);
  EXPECT_EQ(advice.recommended, 1U);
  EXPECT_TRUE(advice.meets_goal);
  ASSERT_TRUE(advice.settings[1].to_best.has_value());
  EXPECT_DOUBLE_EQ(advice.settings[1].to_best->difference, -1.0 / 40);
  const std::string reasons = all_of(advice.reasons);
  EXPECT_NE(reasons.find("0.025 ndcg@10 less, which chance may explain"), std::string::npos) << reasons;
  EXPECT_NE(reasons.find("a fifth of the time"), std::string::npos) << reasons;
}

TEST(Advisor, WhereTheBestIsRecommendedTheReasonSaysWhyNothingCheaperIs) {
  SweepResult sweep = sample();
  sweep.settings.erase(sweep.settings.begin() + 1);
  EXPECT_NE(all_of(advised(sweep).reasons).find("Every cheaper setting is worse by more than chance explains."),
            std::string::npos);
  sweep.settings[1].total = {.mean = 1, .p50 = 1, .p95 = 1, .p99 = 1};
  EXPECT_NE(all_of(advised(sweep).reasons).find("No other setting is cheaper."), std::string::npos);
  EXPECT_NE(
      all_of(advised(sweep, {.p95_ms_max = 1000}).reasons).find("No other setting that meets the goal is cheaper."),
      std::string::npos);
}

TEST(Advisor, AGoalLeavesOutWhatIsTooSlow) {
  const Advice advice = advised(sample(), {.p95_ms_max = 15});
  EXPECT_EQ(advice.recommended, 0U);
  EXPECT_TRUE(advice.meets_goal);
  EXPECT_TRUE(advice.settings[0].lacks.empty());
  EXPECT_EQ(advice.settings[1].lacks, std::vector<std::string>{"a p95 of 40.0 ms, 25.0 ms more than 15.0 ms"});
}

TEST(Advisor, WhereNothingMeetsTheGoalTheNearestSaysWhatItLacks) {
  const Advice advice = advised(sample(), {.p95_ms_max = 8, .recall_min = 0.5});
  EXPECT_FALSE(advice.meets_goal);
  EXPECT_EQ(advice.recommended, 0U);
  EXPECT_NE(all_of(advice.reasons).find("a p95 of 10.0 ms, 2.0 ms more than 8.0 ms"), std::string::npos);
  EXPECT_FALSE(advised(sample(), {.p95_ms_max = 15, .recall_min = 0.9}).meets_goal);
}

TEST(Advisor, CostIsThePriceOfTheTimeThatAThousandQueriesTake) {
  const Advice advice = advised(sample(), {.cost_per_1000_max = 0.1, .price_per_hour = 3.6});
  EXPECT_DOUBLE_EQ(advice.settings[2].cost_per_1000, 0.1);  // 100 s at 0.001 each.
  EXPECT_TRUE(advice.settings[2].lacks.empty());
}

TEST(Advisor, WhatIsWorseAndSlowerIsDominatedByTheFrontier) {
  SweepResult sweep = sample();
  sweep.settings.push_back(measured(reranked(50), std::vector<double>(40, 0.9), 50));
  const Advice advice = advised(sweep);
  EXPECT_EQ(advice.settings[3].dominated_by, std::optional<std::size_t>(1));
  for (std::size_t setting = 0; setting < 3; ++setting) EXPECT_FALSE(advice.settings[setting].dominated_by);
}

TEST(Advisor, LossesSayWhichStageLostTheAnswersAndWhatWouldHelp) {
  SweepResult sweep = sample();
  sweep.settings[1].answers = {.found = 36, .in_retrieval = 1, .in_ranking = 3};
  const std::string losses = all_of(advised(sweep).losses);
  for (const char* part :
       {"Of 40 queries", "36 found", "1 was lost in retrieval", "3 in ranking", "ranking is where to begin",
        "would have ndcg@10 0.980 where 0.975", "100 instead of 10 would raise that limit by 0.020",
        "they changed it by +0.025", "97.5 % of the relevant", "0.020 ndcg@10 is out of reach"}) {
    EXPECT_NE(losses.find(part), std::string::npos) << part << ": " << losses;
  }
}

TEST(Advisor, FewQueriesAreSaidToTellLittle) {
  SweepResult sweep;
  sweep.metrics = {kNdcg10};
  sweep.query_ids = {"a"};
  sweep.settings = {measured(first_stage(), {0.5}, 5)};
  EXPECT_NE(all_of(advised(sweep).reasons).find("Only 1 query was measured"), std::string::npos);
}

TEST(Advisor, TooFewQueriesToTellSettingsApartRecommendNothing) {
  for (const std::size_t queries : {1U, 4U, 5U}) {
    const Advice advice = advised(sample_of(queries));
    EXPECT_FALSE(advice.recommended.has_value());
    EXPECT_FALSE(advice.best.has_value());
    EXPECT_FALSE(advice.meets_goal);
    EXPECT_NE(advice.caveat.find("measured"), std::string::npos);
    EXPECT_NE(all_of(advice.reasons).find("with fewer than 6 no difference"), std::string::npos);
    EXPECT_TRUE(advice.losses.empty());
  }
  EXPECT_TRUE(advised(sample_of(6)).recommended.has_value());
  const Result<Advice> surer = advise(sample_of(6), {}, {.bootstrap = {.confidence = 0.99}});
  ASSERT_TRUE(surer.has_value());
  EXPECT_FALSE(surer->recommended.has_value()) << "2 / 2^6 is more than 0.01";
}

TEST(Advisor, AMetricThatIsZeroEverywhereRecommendsNothing) {
  SweepResult sweep = sample();
  for (SettingResult& setting : sweep.settings) setting = measured(setting.setting, std::vector<double>(40), 5);
  const Advice advice = advised(sweep);
  EXPECT_FALSE(advice.recommended.has_value());
  EXPECT_EQ(advice.caveat, "ndcg@10 is 0 everywhere");
  EXPECT_NE(all_of(advice.reasons).find("No setting has found anything: ndcg@10 is 0 for each of 40 queries"),
            std::string::npos);
  EXPECT_FALSE(advised(sweep, {.p95_ms_max = 0.1}).recommended.has_value()) << "no goal makes it better";
}

TEST(Advisor, AWeakRecommendationSaysSoInAFewWords) {
  EXPECT_EQ(advised(sample()).caveat, "");
  EXPECT_EQ(advised(sample_of(12)).caveat, "only 12 queries were measured");
}

TEST(Advisor, EverySettingIsComparedWithTheBest) {
  const Advice advice = advised(sample());
  ASSERT_EQ(advice.best, 2U);
  EXPECT_FALSE(advice.settings[2].to_best.has_value());
  ASSERT_TRUE(advice.settings[0].to_best.has_value());
  EXPECT_DOUBLE_EQ(advice.settings[0].to_best->difference, -0.5);
  EXPECT_LT(advice.settings[0].to_best->interval.high, 0);
}

TEST(Advisor, GoalsThatMakeNoSenseAreRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double bad : {0.0, -1.0, nan, std::numeric_limits<double>::infinity()}) {
    expect_refused(sample(), {.p95_ms_max = bad}, "p95");
    expect_refused(sample(), {.cost_per_1000_max = bad}, "cost");
    expect_refused(sample(), {.recall_min = bad}, "recall");
    expect_refused(sample(), {.price_per_hour = bad}, "price");
  }
  expect_refused(sample(), {.recall_min = 1.5}, "at most 1");
  expect_refused(sample(), {.metric = {RankingMeasure::kMap}}, "map was not measured");
  expect_refused({}, {}, "no setting");
}

/// Settings with values and times from few numbers, so that there are ties; enough queries, and not all values 0.
SweepResult arbitrary_sweep() {
  SweepResult sweep;
  sweep.metrics = {kNdcg10, kRecall10};
  const int queries = *rc::gen::inRange(6, 12);
  for (int query = 0; query < queries; ++query) sweep.query_ids.push_back(std::to_string(query));
  for (int setting = *rc::gen::inRange(1, 12); setting > 0; --setting) {
    std::vector<double> values;
    for (int query = 0; query < queries; ++query) values.push_back(*rc::gen::inRange(query == 0 ? 1 : 0, 4) / 3.0);
    SettingResult result = measured(reranked(static_cast<std::size_t>(setting)), values, *rc::gen::inRange(1, 6));
    result.total.p95 = *rc::gen::inRange(1, 6);
    result.means[1] = *rc::gen::inRange(0, 5) / 4.0;
    sweep.settings.push_back(std::move(result));
  }
  return sweep;
}

bool dominates(const SettingResult& one, const SettingResult& other) {
  return one.means[0] >= other.means[0] && one.total.p95 <= other.total.p95 && one.total.mean <= other.total.mean &&
         (one.means[0] > other.means[0] || one.total.p95 < other.total.p95 || one.total.mean < other.total.mean);
}

RC_GTEST_PROP(Advisor, FrontierAndDominatorsAgree, ()) {
  const SweepResult sweep = arbitrary_sweep();
  const Advice advice = advised(sweep);
  for (std::size_t i = 0; i < sweep.settings.size(); ++i) {
    const std::optional<std::size_t> dominator = advice.settings[i].dominated_by;
    if (dominator) {
      RC_ASSERT(dominates(sweep.settings[*dominator], sweep.settings[i]));
      RC_ASSERT(!advice.settings[*dominator].dominated_by);
    } else {
      for (const SettingResult& other : sweep.settings) RC_ASSERT(!dominates(other, sweep.settings[i]));
    }
  }
}

RC_GTEST_PROP(Advisor, TheRecommendationMeetsTheGoalIfAnySettingDoes, ()) {
  const SweepResult sweep = arbitrary_sweep();
  const Goal goal{.p95_ms_max = *rc::gen::inRange(1, 6),
                  .cost_per_1000_max = *rc::gen::inRange(1, 6) / 3600.0,
                  .recall_min = *rc::gen::inRange(1, 5) / 4.0};
  const Advice advice = advised(sweep, goal);
  RC_ASSERT(advice.recommended.has_value());
  const auto meets = [&](const SettingResult& setting) {
    return setting.total.p95 <= *goal.p95_ms_max && setting.total.mean / 3600 <= *goal.cost_per_1000_max &&
           setting.means[1] >= *goal.recall_min;
  };
  RC_ASSERT(advice.meets_goal == std::ranges::any_of(sweep.settings, meets));
  RC_ASSERT(advice.meets_goal == meets(sweep.settings[*advice.recommended]));
  RC_ASSERT(advice.meets_goal == advice.settings[*advice.recommended].lacks.empty());
  for (const SettingResult& other : sweep.settings) {
    if (advice.meets_goal && meets(other)) {
      RC_ASSERT(!dominates(other, sweep.settings[*advice.recommended]));
      RC_ASSERT(other.means[0] <= sweep.settings[*advice.best].means[0]);
    }
  }
}

}  // namespace
}  // namespace tandem
