#include "tandem/pair_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/cosine.h"
#include "base/error.h"
#include "eval/wording.h"

namespace tandem {
namespace {

Status check_alike(std::span<const LabelledPair> pairs, const char* what, bool (*has)(const LabelledPair&)) {
  const auto count = static_cast<std::size_t>(std::ranges::count_if(pairs, has));
  if (count == 0 || count == pairs.size()) return {};
  return fail(ErrorCode::kInvalidArgument, "{} of {} pairs have a {}, expected all or none", count, pairs.size(), what);
}

Status check_threshold(double threshold) {
  if (std::isfinite(threshold)) return {};
  return fail(ErrorCode::kInvalidArgument, "the threshold is {}, want a finite number", threshold);
}

Status add_metrics(std::span<const LabelledPair> pairs, double threshold, PairEvaluation& evaluation) {
  if (pairs.front().label) {
    std::vector<LabelledScore> labelled;
    for (std::size_t i = 0; i < pairs.size(); ++i) labelled.push_back({evaluation.scores[i], *pairs[i].label});
    ASSIGN_OR_RETURN(evaluation.binary, binary_pair_metrics(labelled, threshold));
  }
  if (pairs.front().grade) {
    std::vector<GradedScore> graded;
    for (std::size_t i = 0; i < pairs.size(); ++i) graded.push_back({evaluation.scores[i], *pairs[i].grade});
    ASSIGN_OR_RETURN(evaluation.correlation, correlation_metrics(graded));
  }
  return {};
}

}  // namespace

Status check_labelled_pairs(std::span<const LabelledPair> pairs) {
  if (pairs.empty()) return fail(ErrorCode::kInvalidArgument, "holds no pair");
  RETURN_IF_ERROR(check_alike(pairs, "label", [](const LabelledPair& pair) { return pair.label.has_value(); }));
  RETURN_IF_ERROR(check_alike(pairs, "score", [](const LabelledPair& pair) { return pair.grade.has_value(); }));
  RETURN_IF_ERROR(check_alike(pairs, "query", [](const LabelledPair& pair) { return pair.is_retrieval; }));
  const std::optional<bool>& label = pairs.front().label;
  const std::optional<double>& grade = pairs.front().grade;
  if (!label && !grade) return fail(ErrorCode::kInvalidArgument, "expected a label or a score, got neither");
  const std::string count = count_of(pairs.size(), "pair", "pairs");
  const auto positives = std::ranges::count(pairs, std::optional(true), &LabelledPair::label);
  if (label && (positives == 0 || positives == std::ssize(pairs))) {
    return fail(ErrorCode::kInvalidArgument, "ROC-AUC needs pairs of both labels: of {}, {} are positive", count,
                positives);
  }
  if (grade && std::ranges::count(pairs, grade, &LabelledPair::grade) == std::ssize(pairs)) {
    return fail(ErrorCode::kInvalidArgument, "a correlation needs grades that differ: of {}, all have {}", count,
                *grade);
  }
  return {};
}

Result<PairEvaluation> evaluate_pairs(const BiEncoder& encoder, std::span<const LabelledPair> pairs, double threshold,
                                      const CallOptions& call) {
  RETURN_IF_ERROR(check_labelled_pairs(pairs));
  RETURN_IF_ERROR(check_threshold(threshold));
  const bool is_retrieval = pairs.front().is_retrieval;
  PairEvaluation evaluation;
  std::span<const LabelledPair> rest = pairs;
  while (!rest.empty()) {
    const auto batch = rest.first(batch_rows(encoder.dimensions(), rest.size()));
    rest = rest.subspan(batch.size());
    const auto encode = [&](const std::string LabelledPair::*text, TextRole role) {
      std::vector<std::string_view> texts;
      for (const LabelledPair& pair : batch) texts.push_back(pair.*text);
      return encoder.encode(texts, is_retrieval ? role : TextRole::kPlain, call);
    };
    ASSIGN_OR_RETURN(const Embeddings left, encode(&LabelledPair::first, TextRole::kQuery));
    ASSIGN_OR_RETURN(const Embeddings right, encode(&LabelledPair::second, TextRole::kDocument));
    evaluation.truncation += left.truncation;
    evaluation.truncation += right.truncation;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      evaluation.scores.push_back(cosine_similarity(left.vectors.row(i), right.vectors.row(i)));
    }
  }
  RETURN_IF_ERROR(add_metrics(pairs, threshold, evaluation));
  return evaluation;
}

Result<PairEvaluation> evaluate_pairs(const CrossEncoder& encoder, std::span<const LabelledPair> pairs,
                                      double threshold, const CallOptions& call) {
  RETURN_IF_ERROR(check_labelled_pairs(pairs));
  RETURN_IF_ERROR(check_threshold(threshold));
  if (encoder.labels().size() != 1) {
    return fail(ErrorCode::kUnsupported, "{} has {} labels, want a model with one score", encoder.model(),
                encoder.labels().size());
  }
  std::vector<TextPair> views;
  for (const LabelledPair& pair : pairs) views.push_back({.query = pair.first, .document = pair.second});
  ASSIGN_OR_RETURN(const PairScores scored, encoder.predict(views, call));
  PairEvaluation evaluation;
  evaluation.truncation = scored.truncation;
  for (std::size_t i = 0; i < pairs.size(); ++i) evaluation.scores.push_back(scored.scores.row(i)[0]);
  RETURN_IF_ERROR(add_metrics(pairs, threshold, evaluation));
  return evaluation;
}

double cosine_similarity(std::span<const float> left, std::span<const float> right) { return cosine_of(left, right); }

}  // namespace tandem
