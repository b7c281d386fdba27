// Labelled pairs through both kinds of encoders.
#include "tandem/pair_evaluation.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "engine/testing/tiny_models.h"

namespace tandem {
namespace {

std::vector<LabelledPair> labelled() {
  return {{.first = "the cat", .second = "the cat sat", .label = true},
          {.first = "fast boat", .second = "slow night", .label = false},
          {.first = "red water", .second = "water", .label = true}};
}

std::vector<LabelledPair> graded() {
  std::vector<LabelledPair> pairs = labelled();
  double grade = 0;
  for (LabelledPair& pair : pairs) {
    pair.label.reset();
    pair.grade = grade += 1.5;
  }
  return pairs;
}

void expect_refused(const std::vector<LabelledPair>& pairs, const std::string& message) {
  const Status status = check_labelled_pairs(pairs);
  ASSERT_FALSE(status.has_value()) << message;
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(status.error().message, message);
}

TEST(CosineSimilarity, IsTheAngleWhateverTheLengths) {
  const std::array<float, 2> east{1, 0};
  const std::array<float, 2> far_north_east{1e20F, 1e20F};
  const std::array<float, 2> west{-1e-20F, 0};
  EXPECT_DOUBLE_EQ(cosine_similarity(east, far_north_east), std::sqrt(0.5));
  EXPECT_DOUBLE_EQ(cosine_similarity(east, west), -1);
  EXPECT_EQ(cosine_similarity(east, std::array<float, 2>{0, 0}), 0);
}

TEST(LabelledPairs, WhatCannotBeMeasuredIsRefused) {
  EXPECT_TRUE(check_labelled_pairs(labelled()));
  EXPECT_TRUE(check_labelled_pairs(graded()));
  expect_refused({}, "holds no pair");
  std::vector<LabelledPair> pairs = labelled();
  pairs[1].label.reset();
  expect_refused(pairs, "2 of 3 pairs have a label, expected all or none");
  pairs = labelled();
  pairs[1].grade = 1;
  expect_refused(pairs, "1 of 3 pairs have a score, expected all or none");
  pairs = labelled();
  pairs[0].is_retrieval = true;
  expect_refused(pairs, "1 of 3 pairs have a query, expected all or none");
  pairs = labelled();
  pairs[1].label = true;
  expect_refused(pairs, "ROC-AUC needs pairs of both labels: of 3 pairs, 3 are positive");
  pairs = graded();
  for (LabelledPair& pair : pairs) pair.grade = 2;
  expect_refused(pairs, "a correlation needs grades that differ: of 3 pairs, all have 2");
  expect_refused({{.first = "a", .second = "b"}}, "expected a label or a score, got neither");
}

class EvaluatePairs : public testing::Test {
 protected:
  TinyModels models_;
};

TEST_F(EvaluatePairs, ABiEncodersScoresAreCosines) {
  const BiEncoder encoder = models_.bi_encoder();
  const std::vector<LabelledPair> pairs = labelled();
  const PairEvaluation evaluation = must(evaluate_pairs(encoder, pairs));
  ASSERT_EQ(evaluation.scores.size(), 3U);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::array<std::string_view, 2> texts{pairs[i].first, pairs[i].second};
    const Embeddings embeddings = must(encoder.encode(texts));
    EXPECT_EQ(evaluation.scores[i], cosine_similarity(embeddings.vectors.row(0), embeddings.vectors.row(1)));
  }
  EXPECT_EQ(evaluation.binary->positives, 2U);
  EXPECT_EQ(evaluation.binary->fixed.threshold, kPairThreshold);
  EXPECT_FALSE(evaluation.correlation.has_value());
  EXPECT_EQ(evaluation.truncation.texts, 6U);
}

TEST_F(EvaluatePairs, ACrossEncodersScoresAreItsOwn) {
  const CrossEncoder encoder = models_.cross_encoder();
  const std::vector<LabelledPair> pairs = graded();
  const PairEvaluation evaluation = must(evaluate_pairs(encoder, pairs));
  const TextPair pair{.query = pairs[1].first, .document = pairs[1].second};
  EXPECT_EQ(evaluation.scores[1], must(encoder.predict({&pair, 1})).scores.row(0)[0]);
  EXPECT_EQ(evaluation.correlation->pairs, 3U);
  EXPECT_FALSE(evaluation.binary.has_value());
  EXPECT_EQ(evaluation.truncation.texts, 3U);
}

TEST_F(EvaluatePairs, AModelWithSeveralLabelsIsRefused) {
  const Result<PairEvaluation> evaluation = evaluate_pairs(models_.classifier(), labelled());
  ASSERT_FALSE(evaluation.has_value());
  EXPECT_EQ(evaluation.error().code, ErrorCode::kUnsupported);
}

TEST_F(EvaluatePairs, AThresholdIsANumber) {
  const Result<PairEvaluation> evaluation =
      evaluate_pairs(models_.bi_encoder(), labelled(), std::numeric_limits<double>::quiet_NaN());
  ASSERT_FALSE(evaluation.has_value());
  EXPECT_EQ(evaluation.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tandem
