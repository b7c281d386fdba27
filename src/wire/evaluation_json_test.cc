// The exact JSON of evaluations, sweeps and advice.
#include "wire/evaluation_json.h"

#include <gtest/gtest.h>

#include "wire/advice_json.h"
#include "wire/sweep_json.h"

namespace tandem {
namespace {

const std::vector<RankingMetric> kMetrics{{RankingMeasure::kNdcg, 10}, {RankingMeasure::kMap}};

TEST(EvaluationJson, MeansStandUnderTheNamesOfTheirMetrics) {
  const Evaluation evaluation{.query_ids = {"q1", "q2"},
                              .values = {{1, 0.5}, {0.25, 0}},
                              .means = {0.75, 0.125},
                              .counts = {.queries_missing = 1,
                                         .queries_unjudged = 2,
                                         .queries_without_relevant = 3,
                                         .results = 40,
                                         .results_unjudged = 5}};
  JsonWriter json;
  EXPECT_EQ(write_members(json.begin_object(), kMetrics, evaluation).end_object().take(),
            R"({"queries":2,"metrics":{"ndcg@10":0.75,"map":0.125},"queries_missing":1,"queries_unjudged":2,)"
            R"("queries_without_relevant":3,"results":40,"results_unjudged":5})");
  EXPECT_EQ(write_per_query(json, kMetrics, evaluation).take(),
            R"({"q1":{"ndcg@10":1,"map":0.25},"q2":{"ndcg@10":0.5,"map":0}})");
}

TEST(EvaluationJson, AComparisonWithoutATTestHasNull) {
  Comparison comparison{.difference = 0.5,
                        .interval = {.low = -0.25, .high = 1},
                        .t = {},
                        .t_test_p = {},
                        .permutation_p = 0.5,
                        .permutation_exhaustive = true,
                        .wins = 1,
                        .losses = 2,
                        .ties = 3};
  JsonWriter json;
  EXPECT_EQ(write_json(json, comparison).take(),
            R"({"difference":0.5,"interval":[-0.25,1],"t":null,"t_test_p":null,"permutation_p":0.5,)"
            R"("permutation_exhaustive":true,"wins":1,"losses":2,"ties":3})");
  comparison.t = 2.5;
  comparison.t_test_p = 0.125;
  EXPECT_NE(write_json(json, comparison).take().find(R"("t":2.5,"t_test_p":0.125,)"), std::string::npos);
}

TEST(EvaluationJson, PairsHaveTheMetricsOfTheirLabelsAndGrades) {
  const ThresholdMetrics threshold{.threshold = 0.5, .accuracy = 0.75, .precision = 1, .recall = 0.5, .f1 = 0.625};
  const std::string threshold_json = R"({"threshold":0.5,"accuracy":0.75,"precision":1,"recall":0.5,"f1":0.625})";
  PairEvaluation evaluation;
  evaluation.scores = {0.25, 0.75};
  evaluation.correlation.emplace(CorrelationMetrics{.pairs = 2, .spearman = 1, .pearson = -0.5});
  JsonWriter json;
  EXPECT_EQ(write_members(json.begin_object(), evaluation, /*with_scores=*/true).end_object().take(),
            R"({"pairs":2,"spearman":1,"pearson":-0.5,"scores":[0.25,0.75]})");
  evaluation.correlation.reset();
  evaluation.binary.emplace(BinaryPairMetrics{
      .pairs = 2, .positives = 1, .roc_auc = 0.875, .average_precision = 0.5, .fixed = threshold, .best = threshold});
  EXPECT_EQ(write_members(json.begin_object(), evaluation, /*with_scores=*/false).end_object().take(),
            R"({"pairs":2,"positives":1,"roc_auc":0.875,"average_precision":0.5,"fixed_threshold":)" + threshold_json +
                R"(,"best_threshold":)" + threshold_json + "}");
}

SweepResult swept() {
  SweepResult result;
  result.metrics = kMetrics;
  result.query_ids = {"q1"};
  const auto add = [&result](const PipelineSetting& setting) {
    SettingResult& added = result.settings.emplace_back();
    added.setting = setting;
    added.values = {{1}, {0.5}};
    added.means = {1, 0.5};
    added.intervals = {{.low = 0.5, .high = 1}, {.low = 0, .high = 0.5}};
    added.times = {{.encode_ms = 1, .retrieve_ms = 2, .rerank_ms = 3, .total_ms = 6}};
    added.total = {.mean = 6, .p50 = 5, .p95 = 8, .p99 = 9};
    added.answers = {.found = 3, .in_retrieval = 2, .in_ranking = 1};
  };
  add({.mode = SearchMode::kHybrid, .first_stage = "bi", .candidates = 50, .alpha = 0.7F});
  add({.mode = SearchMode::kBi, .first_stage = "BM25"});
  add({.mode = SearchMode::kCross});
  result.settings[1].retrieval_timed = false;
  result.ceilings.push_back({.first_stage = "bi", .depth = 50, .means = {1, 0.75}, .recall = 0.5});
  return result;
}

constexpr std::string_view kRestOfSetting =
    R"("metrics":{"ndcg@10":{"mean":1,"interval":[0.5,1]},"map":{"mean":0.5,"interval":[0,0.5]}},)"
    R"("times":{"encode":{"mean_ms":0,"p50_ms":0,"p95_ms":0,"p99_ms":0},)"
    R"("retrieve":{"mean_ms":0,"p50_ms":0,"p95_ms":0,"p99_ms":0},)"
    R"("rerank":{"mean_ms":0,"p50_ms":0,"p95_ms":0,"p99_ms":0},)"
    R"("total":{"mean_ms":6,"p50_ms":5,"p95_ms":8,"p99_ms":9}},"retrieval_timed":)";
constexpr std::string_view kAnswers = R"(,"found":3,"lost_in_retrieval":2,"lost_in_ranking":1})";

std::string setting_json(const SweepResult& result, std::size_t setting) {
  JsonWriter json;
  return write_members(json.begin_object(), result, result.settings[setting]).end_object().take();
}

TEST(SweepJson, ASettingHasWhatItsModeNeeds) {
  const SweepResult result = swept();
  const auto want = [](std::string_view begin, std::string_view timed) {
    return std::string(begin).append(kRestOfSetting).append(timed).append(kAnswers);
  };
  EXPECT_EQ(setting_json(result, 0), want(R"({"name":"bi + cross, top 50, alpha 0.7","mode":"hybrid",)"
                                          R"("first_stage":"bi","candidates":50,"alpha":0.7,)",
                                          "true"));
  EXPECT_EQ(setting_json(result, 1), want(R"({"name":"BM25","mode":"first stage","first_stage":"BM25",)", "false"));
  EXPECT_EQ(setting_json(result, 2), want(R"({"name":"cross over all","mode":"cross",)", "true"));
}

TEST(SweepJson, ValuesAndTimesOfEachQuery) {
  const SweepResult result = swept();
  JsonWriter json;
  EXPECT_EQ(write_per_query(json, result, result.settings[0]).take(),
            R"({"q1":{"ndcg@10":1,"map":0.5,)"
            R"("times":{"encode_ms":1,"retrieve_ms":2,"rerank_ms":3,"total_ms":6}}})");
}

TEST(SweepJson, CeilingsAndCounts) {
  JsonWriter json;
  EXPECT_EQ(write_ceilings(json, swept()).take(),
            R"([{"first_stage":"bi","depth":50,"metrics":{"ndcg@10":1,"map":0.75},"recall":0.5}])");
  const CacheCounts counts{.texts_computed = 1, .texts_reused = 2, .pairs_computed = 3, .pairs_reused = 4};
  EXPECT_EQ(write_json(json, counts).take(),
            R"({"texts_computed":1,"texts_reused":2,"pairs_computed":3,"pairs_reused":4})");
}

TEST(AdviceJson, AGoalHasNullForWhatItDoesNotAsk) {
  JsonWriter json;
  EXPECT_EQ(write_json(json, Goal{}, /*has_price=*/false).take(),
            R"({"metric":"ndcg@10","p95_ms_max":null,"cost_per_1000_max":null,"recall_min":null,)"
            R"("recall":"recall@10","price_per_hour":null})");
  const Goal goal{.p95_ms_max = 50, .cost_per_1000_max = 0.5, .recall_min = 0.75, .price_per_hour = 2};
  EXPECT_EQ(write_json(json, goal, /*has_price=*/true).take(),
            R"({"metric":"ndcg@10","p95_ms_max":50,"cost_per_1000_max":0.5,"recall_min":0.75,)"
            R"("recall":"recall@10","price_per_hour":2})");
}

TEST(AdviceJson, SettingsAreFollowedByTheirStanding) {
  SweepResult sweep = swept();
  sweep.settings.pop_back();
  Advice advice;
  advice.settings = {{.cost_per_1000 = 0.5, .lacks = {"time"}}, {.cost_per_1000 = 2, .dominated_by = 0}};
  std::string first = setting_json(sweep, 0);
  std::string second = setting_json(sweep, 1);
  first.pop_back();
  second.pop_back();
  JsonWriter json;
  EXPECT_EQ(
      write_advised_settings(json, sweep, advice).take(),
      "[" + first + R"(,"cost_per_1000":0.5,"on_frontier":true,"dominated_by":null,"lacks":["time"]},)" + second +
          R"(,"cost_per_1000":2,"on_frontier":false,"dominated_by":"bi + cross, top 50, alpha 0.7","lacks":[]}])");
}

TEST(AdviceJson, ADifferenceIsThereWhereTheAdvisedSettingIsNotTheBest) {
  Advice advice;
  advice.settings.resize(3);
  advice.recommended = advice.best = 1;
  advice.meets_goal = true;
  advice.reasons = {"Quick."};
  advice.losses = {"None."};
  JsonWriter json;
  EXPECT_EQ(write_members(json.begin_object(), swept(), advice).end_object().take(),
            R"({"setting":"BM25","meets_goal":true,"best":"BM25","reasons":["Quick."],"losses":["None."]})");
  advice.best = 2;
  Comparison& to_best = advice.settings[1].to_best.emplace();
  to_best.difference = -0.5;
  to_best.interval = {.low = -1, .high = 0.25};
  to_best.permutation_p = 0.25;
  EXPECT_EQ(write_members(json.begin_object(), swept(), advice).end_object().take(),
            R"({"setting":"BM25","meets_goal":true,"best":"cross over all",)"
            R"("difference":{"mean":-0.5,"interval":[-1,0.25],"permutation_p":0.25},)"
            R"("reasons":["Quick."],"losses":["None."]})");
}

TEST(AdviceJson, WithoutARecommendationThereIsACaveatAndNoSetting) {
  Advice advice;
  advice.caveat = "only 1 query was measured";
  advice.reasons = {"Only 1 query was measured."};
  JsonWriter json;
  EXPECT_EQ(write_members(json.begin_object(), swept(), advice).end_object().take(),
            R"({"setting":null,"meets_goal":false,"best":null,"caveat":"only 1 query was measured",)"
            R"("reasons":["Only 1 query was measured."],"losses":[]})");
}

TEST(AdviceJson, EverySettingButTheBestHasItsDifferenceToThat) {
  SweepResult sweep = swept();
  sweep.settings.resize(2);
  Advice advice;
  advice.settings.resize(2);
  Comparison& to_best = advice.settings[1].to_best.emplace();
  to_best.difference = -0.5;
  to_best.interval = {.low = -1, .high = -0.25};
  to_best.permutation_p = 0.125;
  JsonWriter json;
  const std::string settings = write_advised_settings(json, sweep, advice).take();
  EXPECT_TRUE(
      settings.ends_with(R"("lacks":[],"difference":{"mean":-0.5,"interval":[-1,-0.25],"permutation_p":0.125}}])"))
      << settings;
  EXPECT_EQ(settings.find("difference"), settings.rfind("difference"));
}

}  // namespace
}  // namespace tandem
