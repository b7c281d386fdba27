#include "pair_evaluation.h"

#include <fmt/format.h>

#include <initializer_list>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "text_table.h"
#include "wire/compute_json.h"
#include "wire/evaluation_json.h"

namespace tandem::cli {

namespace {

Result<bool> as_label(JsonValue value) {
  if (value.kind() == JsonKind::kBool) return value.as_bool("label");
  ASSIGN_OR_RETURN(const double number, value.as_double("label"));
  if (number == 0 || number == 1) return number == 1;
  return fail(ErrorCode::kCorruptData, "label: expected true, false, 1 or 0, got {}; a grade is called \"score\"",
              number);
}

Result<std::pair<std::string, std::string>> texts_of(JsonValue record, const char* first, const char* second) {
  ASSIGN_OR_RETURN(const std::string_view one, record.get_string(first));
  ASSIGN_OR_RETURN(const std::string_view other, record.get_string(second));
  return std::pair(std::string(one), std::string(other));
}

}  // namespace

Result<LabelledPair> read_labelled_pair(const TextReader& record) {
  if (!record.json()) {
    return fail(ErrorCode::kInvalidArgument, "labelled pairs are read from JSON lines, in a file named *.jsonl");
  }
  const JsonValue line = *record.json();
  LabelledPair pair;
  pair.is_retrieval = line.find("query").has_value();
  ASSIGN_OR_RETURN(auto texts,
                   pair.is_retrieval ? texts_of(line, "query", "document") : texts_of(line, "text_a", "text_b"));
  std::tie(pair.first, pair.second) = std::move(texts);
  if (const std::optional<JsonValue> label = line.find("label")) {
    ASSIGN_OR_RETURN(pair.label, as_label(*label));
  }
  ASSIGN_OR_RETURN(pair.grade, line.find_double("score"));
  if (!pair.label && !pair.grade) return fail(ErrorCode::kCorruptData, "expected a label or a score, got neither");
  return pair;
}

Result<std::vector<LabelledPair>> read_labelled_pairs(const std::string& path) {
  const RecordKind kind{.noun = "line", .lines_hold_tabs = true};
  ASSIGN_OR_RETURN(std::vector<LabelledPair> pairs,
                   read_all<LabelledPair>(path, {.kind = kind, .read = read_labelled_pair}));
  const Status status = check_labelled_pairs(pairs);
  if (!status) return fail(ErrorCode::kCorruptData, "{}: {}", path, status.error().message);
  return pairs;
}

Result<MeasuredEncoder> measure_on_pairs(const BiEncoder& encoder, const std::string& model,
                                         const std::vector<LabelledPair>& pairs, double threshold,
                                         const CallOptions& call) {
  ASSIGN_OR_RETURN(PairEvaluation evaluation, evaluate_pairs(encoder, pairs, threshold, call));
  return MeasuredEncoder{.name = model + ", cosine", .evaluation = std::move(evaluation), .compute = encoder.compute()};
}

Result<MeasuredEncoder> measure_on_pairs(const CrossEncoder& encoder, const std::vector<LabelledPair>& pairs,
                                         double threshold, const CallOptions& call) {
  ASSIGN_OR_RETURN(PairEvaluation evaluation, evaluate_pairs(encoder, pairs, threshold, call));
  return MeasuredEncoder{
      .name = encoder.model() + ", score", .evaluation = std::move(evaluation), .compute = encoder.compute()};
}

std::string to_table(const std::vector<MeasuredEncoder>& encoders) {
  TableRows binary;
  TableRows correlation;
  for (const MeasuredEncoder& encoder : encoders) {
    const PairEvaluation& evaluation = encoder.evaluation;
    const auto add_row = [&](TableRows& rows, std::size_t pairs, std::initializer_list<double> values) {
      rows.push_back({encoder.name, fmt::format("{}", pairs)});
      for (const double value : values) rows.back().push_back(fmt::format("{:.4f}", value));
    };
    if (evaluation.binary) {
      const BinaryPairMetrics& metrics = *evaluation.binary;
      if (binary.empty()) {
        binary.push_back({"", "pairs", "ROC-AUC", "avg.prec.", fmt::format("acc@{}", metrics.fixed.threshold),
                          "best acc.", "threshold", "precision", "recall", "F1"});
      }
      add_row(binary, metrics.pairs,
              {metrics.roc_auc, metrics.average_precision, metrics.fixed.accuracy, metrics.best.accuracy,
               metrics.best.threshold, metrics.best.precision, metrics.best.recall, metrics.best.f1});
    }
    if (evaluation.correlation) {
      if (correlation.empty()) correlation.push_back({"", "pairs", "Spearman", "Pearson"});
      add_row(correlation, evaluation.correlation->pairs,
              {evaluation.correlation->spearman, evaluation.correlation->pearson});
    }
  }
  return to_table(binary) + to_table(correlation);
}

JsonWriter& write_json(JsonWriter& json, const MeasuredEncoder& encoder, bool with_scores) {
  write_members(json.begin_object().key("encoder").value(encoder.name), encoder.evaluation, with_scores);
  write_json(json.key("compute"), encoder.compute);
  return write_json(json.key("truncation"), encoder.evaluation.truncation).end_object();
}

}  // namespace tandem::cli
