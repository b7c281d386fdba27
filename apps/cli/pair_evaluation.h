// How well the scores of an encoder agree with the labels of text pairs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "input.h"
#include "tandem/bi_encoder.h"
#include "tandem/cross_encoder.h"
#include "tandem/pair_metrics.h"
#include "tandem/progress.h"

namespace tandem::cli {

/// A pair and what people say about it.
struct LabelledPair {
  std::string first;
  std::string second;
  bool is_retrieval = false;    ///< A query and a document, which a bi-encoder may encode with different prompts.
  std::optional<bool> label;    ///< Whether they belong together,
  std::optional<double> grade;  ///< or how much.
};

/// The current line: {"query", "document"} or {"text_a", "text_b"} with "label" (true, false, 1, 0), "score" (any
/// number), or both.
Result<LabelledPair> read_labelled_pair(const RecordReader& record);

/// Every pair of a file. Errors also: kCorruptData where only some lines have a label, or a score, or a query.
Result<std::vector<LabelledPair>> read_labelled_pairs(const std::string& path);

struct PairEvaluation {
  std::string encoder;         ///< "all-MiniLM-L6-v2, cosine".
  std::vector<double> scores;  ///< [pairs]
  std::optional<BinaryPairMetrics> binary;
  std::optional<CorrelationMetrics> correlation;
  ComputeInfo compute;
  Truncation truncation;
};

/// Where the metrics draw the line between pairs that belong together and others, by default.
inline constexpr double kThreshold = 0.5;

/// With the cosine of both vectors as score. `model` names the encoder in the result.
Result<PairEvaluation> evaluate_pairs(const BiEncoder& encoder, const std::string& model,
                                      const std::vector<LabelledPair>& pairs, double threshold = kThreshold,
                                      const ProgressCallback& progress = {});
/// With the score of a cross-encoder, which must have one label.
Result<PairEvaluation> evaluate_pairs(const CrossEncoder& encoder, const std::vector<LabelledPair>& pairs,
                                      double threshold = kThreshold, const ProgressCallback& progress = {});

/// A line for each encoder, below one that names the columns; of one kind of labels, then of the other.
std::string to_table(const std::vector<PairEvaluation>& evaluations);
/// An object; `with_scores` adds those of the pairs.
JsonWriter& write_json(JsonWriter& json, const PairEvaluation& evaluation, bool with_scores);

/// The cosine of two vectors, of whose lengths nothing is assumed; 0 where one is all zeros.
double cosine(std::span<const float> left, std::span<const float> right);

}  // namespace tandem::cli
