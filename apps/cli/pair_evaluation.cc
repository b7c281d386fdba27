#include "pair_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "report.h"
#include "text_table.h"

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

Status check_alike(const std::string& path, const std::vector<LabelledPair>& pairs, const char* what,
                   bool (*has)(const LabelledPair&)) {
  const auto count = static_cast<std::size_t>(std::ranges::count_if(pairs, has));
  if (count == 0 || count == pairs.size()) return {};
  return fail(ErrorCode::kCorruptData, "{}: {} of {} pairs have a {}, expected all or none", path, count, pairs.size(),
              what);
}

Status add_metrics(const std::vector<LabelledPair>& pairs, double threshold, PairEvaluation& evaluation) {
  if (!std::isfinite(threshold)) {
    return fail(ErrorCode::kInvalidArgument, "--threshold is {}, want a finite number", threshold);
  }
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

JsonWriter& write_json(JsonWriter& json, const ThresholdMetrics& metrics) {
  json.begin_object().key("threshold").value(metrics.threshold).key("accuracy").value(metrics.accuracy);
  json.key("precision").value(metrics.precision).key("recall").value(metrics.recall);
  return json.key("f1").value(metrics.f1).end_object();
}

}  // namespace

Result<LabelledPair> read_labelled_pair(const RecordReader& record) {
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
  ASSIGN_OR_RETURN(std::vector<LabelledPair> pairs, read_all(path, read_labelled_pair));
  if (pairs.empty()) return fail(ErrorCode::kCorruptData, "{}: holds no pair", path);
  RETURN_IF_ERROR(check_alike(path, pairs, "label", [](const LabelledPair& pair) { return pair.label.has_value(); }));
  RETURN_IF_ERROR(check_alike(path, pairs, "score", [](const LabelledPair& pair) { return pair.grade.has_value(); }));
  RETURN_IF_ERROR(check_alike(path, pairs, "query", [](const LabelledPair& pair) { return pair.is_retrieval; }));
  // What could not be measured is known before anything is encoded.
  const auto positive = [](const LabelledPair& pair) { return pair.label.value_or(false); };
  if (const auto positives = std::ranges::count_if(pairs, positive);
      pairs.front().label && (positives == 0 || positives == std::ssize(pairs))) {
    return fail(ErrorCode::kCorruptData, "{}: ROC-AUC needs pairs of both labels: of {}, {} are positive", path,
                count_of(pairs.size(), "pair"), positives);
  }
  const auto& first_grade = pairs.front().grade;
  if (first_grade && std::ranges::count(pairs, first_grade, &LabelledPair::grade) == std::ssize(pairs)) {
    return fail(ErrorCode::kCorruptData, "{}: a correlation needs grades that differ: of {}, all have {}", path,
                count_of(pairs.size(), "pair"), *first_grade);
  }
  return pairs;
}

Result<PairEvaluation> evaluate_pairs(const BiEncoder& encoder, const std::string& model,
                                      const std::vector<LabelledPair>& pairs, double threshold,
                                      const ProgressCallback& progress) {
  const bool is_retrieval = !pairs.empty() && pairs.front().is_retrieval;
  PairEvaluation evaluation;
  evaluation.encoder = model + ", cosine";
  evaluation.compute = encoder.compute();
  std::span<const LabelledPair> rest(pairs);
  while (!rest.empty()) {
    const auto batch = rest.first(batch_rows(encoder.dimensions(), rest.size()));
    rest = rest.subspan(batch.size());
    const auto encode = [&](const std::string LabelledPair::*text, TextRole role) {
      std::vector<std::string_view> texts;
      for (const LabelledPair& pair : batch) texts.push_back(pair.*text);
      return encoder.encode(texts, is_retrieval ? role : TextRole::kPlain, progress);
    };
    ASSIGN_OR_RETURN(const Embeddings left, encode(&LabelledPair::first, TextRole::kQuery));
    ASSIGN_OR_RETURN(const Embeddings right, encode(&LabelledPair::second, TextRole::kDocument));
    evaluation.truncation += left.truncation;
    evaluation.truncation += right.truncation;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      evaluation.scores.push_back(cosine(left.vectors.row(i), right.vectors.row(i)));
    }
  }
  RETURN_IF_ERROR(add_metrics(pairs, threshold, evaluation));
  return evaluation;
}

Result<PairEvaluation> evaluate_pairs(const CrossEncoder& encoder, const std::vector<LabelledPair>& pairs,
                                      double threshold, const ProgressCallback& progress) {
  if (encoder.labels().size() != 1) {
    return fail(ErrorCode::kUnsupported, "{} has {} labels, want a model with one score", encoder.model(),
                encoder.labels().size());
  }
  std::vector<TextPair> views;
  for (const LabelledPair& pair : pairs) views.push_back({.query = pair.first, .document = pair.second});
  ASSIGN_OR_RETURN(const PairScores scored, encoder.predict(views, progress));
  PairEvaluation evaluation;
  evaluation.encoder = encoder.model() + ", score";
  evaluation.compute = encoder.compute();
  evaluation.truncation = scored.truncation;
  for (std::size_t i = 0; i < pairs.size(); ++i) evaluation.scores.push_back(scored.scores.row(i)[0]);
  RETURN_IF_ERROR(add_metrics(pairs, threshold, evaluation));
  return evaluation;
}

std::string to_table(const std::vector<PairEvaluation>& evaluations) {
  TableRows binary;
  TableRows correlation;
  for (const PairEvaluation& evaluation : evaluations) {
    const auto add_row = [&](TableRows& rows, std::size_t pairs, std::initializer_list<double> values) {
      rows.push_back({evaluation.encoder, fmt::format("{}", pairs)});
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

JsonWriter& write_json(JsonWriter& json, const PairEvaluation& evaluation, bool with_scores) {
  json.begin_object().key("encoder").value(evaluation.encoder).key("pairs").value(evaluation.scores.size());
  if (evaluation.binary) {
    const BinaryPairMetrics& metrics = *evaluation.binary;
    json.key("positives").value(metrics.positives).key("roc_auc").value(metrics.roc_auc);
    json.key("average_precision").value(metrics.average_precision).key("fixed_threshold");
    write_json(json, metrics.fixed).key("best_threshold");
    write_json(json, metrics.best);
  }
  if (evaluation.correlation) {
    json.key("spearman").value(evaluation.correlation->spearman).key("pearson").value(evaluation.correlation->pearson);
  }
  if (with_scores) {
    json.key("scores").begin_array();
    for (const double score : evaluation.scores) json.value(score);
    json.end_array();
  }
  json.key("compute");
  cli::write_json(json, evaluation.compute).key("truncation");
  return cli::write_json(json, evaluation.truncation).end_object();
}

double cosine(std::span<const float> left, std::span<const float> right) {
  double dot = 0;
  double left_squared = 0;
  double right_squared = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    dot += static_cast<double>(left[i]) * right[i];
    left_squared += static_cast<double>(left[i]) * left[i];
    right_squared += static_cast<double>(right[i]) * right[i];
  }
  const double lengths = std::sqrt(left_squared * right_squared);
  return lengths > 0 ? dot / lengths : 0;
}

}  // namespace tandem::cli
