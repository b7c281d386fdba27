// The line through measured scans, what is extrapolated from it, and a measurement with tiny models.
#include "tandem/encoder_costs.h"

#include <gtest/gtest.h>

#include <stop_token>

#include "engine/testing/tiny_models.h"
#include "eval/cost_extrapolation.h"

namespace tandem {
namespace {

SizeCosts scanned(std::size_t documents, double scan_s) {
  SizeCosts size{.documents = documents};
  size.bi_stages.scan_s = scan_s;
  size.bi.seconds = {scan_s + 0.5};  // Half a second goes to encoding the query.
  return size;
}

// ---------------------------------------------------------------------------------------------------------- the line

TEST(FitScan, PointsOnALineGiveTheLine) {
  const std::vector<SizeCosts> sizes{scanned(100, 3), scanned(200, 5), scanned(400, 9)};
  const TimeLine line = fit_scan(sizes);
  EXPECT_NEAR(line.at_zero_s, 1, 1e-12);
  EXPECT_NEAR(line.per_document_s, 0.02, 1e-12);
  EXPECT_NEAR(line.at(1000), 21, 1e-9);
}

TEST(FitScan, NoisyPointsGiveTheLeastSquares) {
  // numpy.polyfit([1, 2, 3], [2, 4, 5], 1) is [1.5, 0.667].
  const std::vector<SizeCosts> sizes{scanned(1, 2), scanned(2, 4), scanned(3, 5)};
  const TimeLine line = fit_scan(sizes);
  EXPECT_NEAR(line.per_document_s, 1.5, 1e-12);
  EXPECT_NEAR(line.at_zero_s, 2.0 / 3, 1e-12);
}

TEST(FitScan, OneSizeIsALineThroughZero) {
  const std::vector<SizeCosts> sizes{scanned(100, 2)};
  EXPECT_EQ(fit_scan(sizes).at_zero_s, 0);
  EXPECT_EQ(fit_scan(sizes).at(200), 4);
}

TEST(FitScan, NoiseNeverMakesMoreDocumentsFasterNorNoneNegative) {
  const std::vector<SizeCosts> falling{scanned(100, 3), scanned(200, 2)};
  EXPECT_EQ(fit_scan(falling).at_zero_s, 0);
  EXPECT_EQ(fit_scan(falling).per_document_s, 0.01);
  const std::vector<SizeCosts> steep{scanned(100, 1), scanned(200, 4)};
  EXPECT_EQ(fit_scan(steep).at_zero_s, 0);
  EXPECT_EQ(fit_scan(steep).per_document_s, 0.02);
}

// ------------------------------------------------------------------------------------------------------ extrapolation

TEST(Extrapolate, ScansGrowWithDocumentsAndRerankingDoesNot) {
  EncoderCosts costs;
  costs.sizes = {scanned(100, 1), scanned(200, 2)};
  costs.sizes[0].two_stage.seconds = {11.5};
  costs.sizes[0].two_stage_means.rerank_s = 10;  // 50 candidates.
  extrapolate(costs, /*candidates=*/50, /*pair_s=*/0.25);
  EXPECT_EQ(costs.sizes[1].cross.mean_s(), 200 * 0.25);
  EXPECT_EQ(costs.sizes[1].two_stage.mean_s(), 2.5 + 10);
  EXPECT_EQ(costs.sizes[0].two_stage.mean_s(), 11.5);  // It was measured.
  ASSERT_EQ(costs.beyond.size(), 4U);
  for (std::size_t i = 0, documents = 1000; i < 4; ++i, documents *= 10) {
    const ExtrapolatedCosts& size = costs.beyond[i];
    EXPECT_EQ(size.documents, documents);
    EXPECT_NEAR(size.bi_s, 0.5 + 0.01 * static_cast<double>(documents), 1e-9 * static_cast<double>(documents));
    EXPECT_DOUBLE_EQ(size.cross_s, 0.25 * static_cast<double>(documents));
    EXPECT_DOUBLE_EQ(size.two_stage_s, size.bi_s + 10);
  }
}

TEST(Extrapolate, WithoutTwoStagesACandidateCostsAPair) {
  EncoderCosts costs;
  costs.sizes = {scanned(20, 1)};
  extrapolate(costs, /*candidates=*/50, /*pair_s=*/0.25);
  EXPECT_EQ(costs.sizes[0].two_stage.mean_s(), 1.5 + 20 * 0.25);  // There are no more candidates than documents.
  EXPECT_EQ(costs.beyond.front().documents, 100U);
  EXPECT_EQ(costs.beyond.front().two_stage_s, 5.5 + 50 * 0.25);
}

TEST(Extrapolate, NothingLiesBeyondAMillion) {
  EncoderCosts costs;
  costs.sizes = {scanned(1'000'000, 1)};
  extrapolate(costs, /*candidates=*/50, /*pair_s=*/0.25);
  EXPECT_TRUE(costs.beyond.empty());
}

TEST(Effort, TheShareOfThreadsThatWasBusy) {
  Effort effort{.wall_s = 1, .cpu_s = 1.5};
  effort += {.wall_s = 1, .cpu_s = 0.5};
  EXPECT_EQ(effort.cpu_share(2), 0.5);
  EXPECT_EQ(effort.cpu_share(0), 1);
  EXPECT_EQ(Effort{}.cpu_share(2), 0);
}

// -------------------------------------------------------------------------------------------------------- measurement

class MeasureCosts : public testing::Test {
 protected:
  EncoderCostInput input() const {
    return {.bi_encoder = &bi_encoder_, .cross_encoder = &cross_encoder_, .documents = documents_, .queries = queries_};
  }

  void expect_refused(const EncoderCostInput& input, const EncoderCostOptions& options) const {
    const Result<EncoderCosts> costs = measure_encoder_costs(input, options);
    ASSERT_FALSE(costs.has_value());
    EXPECT_EQ(costs.error().code, ErrorCode::kInvalidArgument) << costs.error().message;
  }

  TinyModels models_;
  BiEncoder bi_encoder_ = models_.bi_encoder();
  CrossEncoder cross_encoder_ = models_.cross_encoder();
  std::vector<Document> documents_ = tiny_documents(20);
  std::vector<std::string> queries_{"the cat", "fast boat"};
};

TEST_F(MeasureCosts, WhatIsMeasuredAndWhatIsNot) {
  const EncoderCosts costs = must(measure_encoder_costs(
      input(), {.sizes = {10, 20, 50}, .top_k = 3, .candidates = 5, .repeat = 2, .cross_pairs_max = 20}));
  EXPECT_EQ(costs.documents, 20U);
  EXPECT_EQ(costs.queries, 2U);
  EXPECT_EQ(costs.truncation.texts, 20U);  // Each is encoded once.
  ASSERT_EQ(costs.sizes.size(), 3U);
  EXPECT_EQ(costs.sizes[0].bi.seconds.size(), 4U);  // Two rounds of two queries.
  EXPECT_EQ(costs.sizes[0].cross.seconds.size(), 2U);
  EXPECT_EQ(costs.sizes[1].cross.seconds.size(), 1U);  // 20 pairs are one query over 20 documents.
  EXPECT_EQ(costs.sizes[0].two_stage.seconds.size(), 2U);
  EXPECT_FALSE(costs.sizes[1].copies);
  EXPECT_TRUE(costs.sizes[2].copies);
  EXPECT_FALSE(costs.sizes[2].cross.measured());
  EXPECT_GT(costs.sizes[2].cross.mean_s(), costs.sizes[1].cross.mean_s());
  EXPECT_FALSE(costs.sizes[2].two_stage.measured());
  EXPECT_GT(costs.sizes[2].index_bytes, costs.sizes[0].index_bytes);
  EXPECT_EQ(costs.beyond.front().documents, 100U);
}

TEST_F(MeasureCosts, StopsWhereItIsTold) {
  std::stop_source stop;
  const auto stop_at_once = [&](const Progress&) { stop.request_stop(); };
  const Result<EncoderCosts> costs =
      measure_encoder_costs(input(), {.sizes = {10}}, {.progress = stop_at_once, .stop = stop.get_token()});
  ASSERT_FALSE(costs.has_value());
  EXPECT_EQ(costs.error().code, ErrorCode::kCancelled);
}

TEST_F(MeasureCosts, InputAndOptionsThatMeasureNothingAreRefused) {
  const EncoderCostOptions options{.sizes = {10}};
  EncoderCostInput without = input();
  without.documents = {};
  expect_refused(without, options);
  without = input();
  without.queries = {};
  expect_refused(without, options);
  without = input();
  without.cross_encoder = nullptr;
  expect_refused(without, options);
  const CrossEncoder classifier = models_.classifier();
  without.cross_encoder = &classifier;
  expect_refused(without, options);
  expect_refused(input(), {.sizes = {}});
  expect_refused(input(), {.sizes = {0, 10}});
  expect_refused(input(), {.sizes = {20, 10}});
  expect_refused(input(), {.sizes = {10, 10}});
  expect_refused(input(), {.sizes = {10}, .repeat = 0});
}

}  // namespace
}  // namespace tandem
