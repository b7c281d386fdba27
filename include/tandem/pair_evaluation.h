// How well the scores of an encoder agree with what people say about pairs of texts.
//
//   std::vector<tandem::LabelledPair> pairs{{.first = "How old are you?", .second = "What is your age?", .label =
//   true}, …}; auto evaluation = tandem::evaluate_pairs(*bi_encoder, pairs); evaluation->binary->roc_auc;
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tandem/bi_encoder.h"
#include "tandem/call.h"
#include "tandem/compute.h"
#include "tandem/cross_encoder.h"
#include "tandem/export.h"
#include "tandem/pair_metrics.h"
#include "tandem/result.h"

namespace tandem {

/// A pair and what people say about it: a label, a grade, or both. Pairs that are evaluated together are of one kind:
/// all of them have a label or none, and so with the grade and with `is_retrieval`.
struct LabelledPair {
  std::string first = {};
  std::string second = {};
  bool is_retrieval = false;         ///< A query and a document, which a bi-encoder may encode with different prompts.
  std::optional<bool> label = {};    ///< Whether they belong together,
  std::optional<double> grade = {};  ///< or how much: called "score" in files and errors.
};

/// Whether pairs can be evaluated, which shows before anything is encoded. Errors: kInvalidArgument for no pairs, pairs
/// of several kinds, without label and grade, with labels that are all the same, or with grades that are.
TANDEM_EXPORT Status check_labelled_pairs(std::span<const LabelledPair> pairs);

struct PairEvaluation {
  std::vector<double> scores;                     ///< [pairs]
  std::optional<BinaryPairMetrics> binary;        ///< Where the pairs have labels.
  std::optional<CorrelationMetrics> correlation;  ///< Where they have grades.
  Truncation truncation;
};

/// From which score on a pair is called positive, see BinaryPairMetrics::fixed.
inline constexpr double kPairThreshold = 0.5;

/// With the cosine of both vectors as score. Errors: those of check_labelled_pairs() and of encoding; kInvalidArgument
/// for a threshold that is not finite, and where grades are to be compared with scores that are all equal. May be
/// called from many threads at once, as the other function here.
TANDEM_EXPORT Result<PairEvaluation> evaluate_pairs(const BiEncoder& encoder, std::span<const LabelledPair> pairs,
                                                    double threshold = kPairThreshold, const CallOptions& call = {});
/// With the score of a cross-encoder. Errors: also kUnsupported for a model with several labels.
TANDEM_EXPORT Result<PairEvaluation> evaluate_pairs(const CrossEncoder& encoder, std::span<const LabelledPair> pairs,
                                                    double threshold = kPairThreshold, const CallOptions& call = {});

/// The cosine of two vectors of one length in numbers, of whose lengths in space nothing is assumed; 0 where one is all
/// zeros.
TANDEM_EXPORT double cosine_similarity(std::span<const float> left, std::span<const float> right);

}  // namespace tandem
