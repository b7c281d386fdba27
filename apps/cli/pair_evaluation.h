// Labelled pairs as they are read, and how encoders that were measured on them are shown.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "input.h"
#include "tandem/pair_evaluation.h"

namespace tandem::cli {

/// A JSON line: {"query", "document"} or {"text_a", "text_b"} with "label" (true, false, 1, 0), "score" (any
/// number), or both.
Result<LabelledPair> read_labelled_pair(const TextReader& record);

/// Every pair of a file. Errors also: kCorruptData for pairs that cannot be measured together, see
/// check_labelled_pairs().
Result<std::vector<LabelledPair>> read_labelled_pairs(const std::string& path);

struct MeasuredEncoder {
  std::string name;  ///< "all-MiniLM-L6-v2, cosine".
  PairEvaluation evaluation;
  ComputeInfo compute;
};

/// As evaluate_pairs(). `model` names a bi-encoder in the result.
Result<MeasuredEncoder> measure_on_pairs(const BiEncoder& encoder, const std::string& model,
                                         const std::vector<LabelledPair>& pairs, double threshold = kPairThreshold,
                                         const CallOptions& call = {});
Result<MeasuredEncoder> measure_on_pairs(const CrossEncoder& encoder, const std::vector<LabelledPair>& pairs,
                                         double threshold = kPairThreshold, const CallOptions& call = {});

/// A line for each encoder, below one that names the columns; of one kind of labels, then of the other.
std::string to_table(const std::vector<MeasuredEncoder>& encoders);
/// An object; `with_scores` adds those of the pairs.
JsonWriter& write_json(JsonWriter& json, const MeasuredEncoder& encoder, bool with_scores);

}  // namespace tandem::cli
