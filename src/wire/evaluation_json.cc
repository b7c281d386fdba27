#include "wire/evaluation_json.h"

#include "wire/json_parts.h"

namespace tandem {

JsonWriter& write_members(JsonWriter& json, std::span<const RankingMetric> metrics, const Evaluation& evaluation) {
  const EvaluationCounts& counts = evaluation.counts;
  json.key("queries").value(evaluation.query_ids.size());
  write_by_metric(json.key("metrics"), metrics, evaluation.means);
  json.key("queries_missing").value(counts.queries_missing);
  json.key("queries_unjudged").value(counts.queries_unjudged);
  json.key("queries_without_relevant").value(counts.queries_without_relevant);
  return json.key("results").value(counts.results).key("results_unjudged").value(counts.results_unjudged);
}

JsonWriter& write_json(JsonWriter& json, const Comparison& comparison) {
  json.begin_object().key("difference").value(comparison.difference);
  write_json(json.key("interval"), comparison.interval);
  write_or_null(json, "t", comparison.t);
  write_or_null(json, "t_test_p", comparison.t_test_p);
  json.key("permutation_p").value(comparison.permutation_p);
  json.key("permutation_exhaustive").value(comparison.permutation_exhaustive);
  json.key("wins").value(comparison.wins).key("losses").value(comparison.losses);
  return json.key("ties").value(comparison.ties).end_object();
}

JsonWriter& write_by_metric(JsonWriter& json, std::span<const RankingMetric> metrics, std::span<const double> values) {
  json.begin_object();
  for (std::size_t metric = 0; metric < metrics.size(); ++metric) {
    json.key(ranking_metric_name(metrics[metric])).value(values[metric]);
  }
  return json.end_object();
}

JsonWriter& write_per_query(JsonWriter& json, std::span<const RankingMetric> metrics, const Evaluation& evaluation) {
  json.begin_object();
  for (std::size_t query = 0; query < evaluation.query_ids.size(); ++query) {
    std::vector<double> values;
    for (const std::vector<double>& of_metric : evaluation.values) values.push_back(of_metric[query]);
    write_by_metric(json.key(evaluation.query_ids[query]), metrics, values);
  }
  return json.end_object();
}

JsonWriter& write_json(JsonWriter& json, const ThresholdMetrics& metrics) {
  json.begin_object().key("threshold").value(metrics.threshold).key("accuracy").value(metrics.accuracy);
  json.key("precision").value(metrics.precision).key("recall").value(metrics.recall);
  return json.key("f1").value(metrics.f1).end_object();
}

JsonWriter& write_members(JsonWriter& json, const PairEvaluation& evaluation, bool with_scores) {
  json.key("pairs").value(evaluation.scores.size());
  if (evaluation.binary) {
    const BinaryPairMetrics& metrics = *evaluation.binary;
    json.key("positives").value(metrics.positives).key("roc_auc").value(metrics.roc_auc);
    json.key("average_precision").value(metrics.average_precision);
    write_json(json.key("fixed_threshold"), metrics.fixed);
    write_json(json.key("best_threshold"), metrics.best);
  }
  if (evaluation.correlation) {
    json.key("spearman").value(evaluation.correlation->spearman).key("pearson").value(evaluation.correlation->pearson);
  }
  if (with_scores) write_json(json.key("scores"), std::span(evaluation.scores));
  return json;
}

}  // namespace tandem
