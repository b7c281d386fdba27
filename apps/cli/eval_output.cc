#include "eval_output.h"

#include <fmt/format.h>

#include <functional>

#include "descriptions.h"
#include "names.h"
#include "terminal.h"
#include "text_table.h"
#include "wire/evaluation_json.h"

namespace tandem::cli {

namespace {

std::string queries(std::size_t count) { return count_of(count, "query", "queries"); }

std::string p_value(double p) { return p < 0.0001 ? "<0.0001" : fmt::format("{:.4f}", p); }

/// The rows below a run that say what it is against the first.
struct ComparisonRow {
  std::string title;
  std::function<std::string(const Comparison&)> cell;
};

std::vector<ComparisonRow> comparison_rows(double confidence) {
  return {
      {"  difference", [](const Comparison& c) { return fmt::format("{:+.4f}", c.difference); }},
      {fmt::format("  {:g} % interval", confidence * 100),
       [](const Comparison& c) { return fmt::format("{:+.4f}..{:+.4f}", c.interval.low, c.interval.high); }},
      {"  p, t-test", [](const Comparison& c) { return c.t_test_p ? p_value(*c.t_test_p) : "-"; }},
      {"  p, permutation", [](const Comparison& c) { return p_value(c.permutation_p); }},
      {"  won/lost/tied", [](const Comparison& c) { return fmt::format("{}/{}/{}", c.wins, c.losses, c.ties); }},
  };
}

}  // namespace

std::string to_table(std::span<const RankingMetric> metrics, std::span<const MeasuredRun> runs, double confidence) {
  std::vector<std::string> names;
  for (const MeasuredRun& run : runs) names.push_back(run.name);
  const std::vector<std::string> titles = last_parts_of(names);
  TableRows rows{{""}};
  for (const RankingMetric& metric : metrics) rows.front().push_back(ranking_metric_name(metric));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    rows.push_back({titles[i]});
    for (const double mean : runs[i].evaluation.means) rows.back().push_back(fmt::format("{:.4f}", mean));
    if (runs[i].comparisons.empty()) continue;
    for (const ComparisonRow& row : comparison_rows(confidence)) {
      rows.push_back({row.title});
      for (const Comparison& comparison : runs[i].comparisons) rows.back().push_back(row.cell(comparison));
    }
  }
  return to_table(rows);
}

std::string per_query_lines(std::span<const RankingMetric> metrics, const MeasuredRun& run) {
  std::string lines;
  for (std::size_t query = 0; query < run.evaluation.query_ids.size(); ++query) {
    for (std::size_t metric = 0; metric < metrics.size(); ++metric) {
      lines += fmt::format("{}\t{}\t{}\t{:.6f}\n", shown_field(run.name), run.evaluation.query_ids[query],
                           ranking_metric_name(metrics[metric]), run.evaluation.values[metric][query]);
    }
  }
  return lines;
}

std::vector<std::string> remarks_on(const MeasuredRun& run, bool answered_only) {
  const EvaluationCounts& counts = run.evaluation.counts;
  std::vector<std::string> remarks;
  const auto remark = [&](std::size_t count, const std::string& text) {
    if (count > 0) remarks.push_back(fmt::format("{}: {}", run.name, text));
  };
  remark(counts.queries_missing,
         fmt::format("{} of the qrels without results, which count {}", queries(counts.queries_missing),
                     answered_only ? "not at all" : "as 0 (--answered-only leaves them out)"));
  remark(counts.queries_unjudged, fmt::format("{} not in the qrels, left out", queries(counts.queries_unjudged)));
  remark(counts.queries_without_relevant,
         fmt::format("{} without a relevant document, which count as 0", queries(counts.queries_without_relevant)));
  remark(counts.results_unjudged, fmt::format("{} of {} not judged, which count as not relevant",
                                              counts.results_unjudged, count_of(counts.results, "result")));
  return remarks;
}

JsonWriter& write_json(JsonWriter& json, std::span<const RankingMetric> metrics, const MeasuredRun& run,
                       bool per_query) {
  write_members(json.begin_object().key("run").value(run.name), metrics, run.evaluation);
  if (!run.comparisons.empty()) {
    json.key("against_first").begin_object();
    for (std::size_t metric = 0; metric < metrics.size(); ++metric) {
      write_json(json.key(ranking_metric_name(metrics[metric])), run.comparisons[metric]);
    }
    json.end_object();
  }
  if (per_query) write_per_query(json.key("per_query"), metrics, run.evaluation);
  return json.end_object();
}

}  // namespace tandem::cli
