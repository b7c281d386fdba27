#include "sweep_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "report.h"

namespace tandem::cli {

namespace {

std::string_view mode_name(SearchMode mode) {
  switch (mode) {
    case SearchMode::kBi:
      return "first stage";
    case SearchMode::kCross:
      return "cross";
    case SearchMode::kHybrid:
      break;
  }
  return "hybrid";
}

void write_latency(JsonWriter& json, std::string_view stage, const Latency& latency) {
  json.key(stage).begin_object().key("mean_ms").value(latency.mean).key("p50_ms").value(latency.p50);
  json.key("p95_ms").value(latency.p95).key("p99_ms").value(latency.p99).end_object();
}

}  // namespace

std::vector<std::string> metric_names(const SweepResult& result) {
  std::vector<std::string> names;
  for (const RankingMetric& metric : result.metrics) names.push_back(ranking_metric_name(metric));
  return names;
}

TableRows ceiling_rows(const SweepResult& result) {
  TableRows rows{{"best order of the candidates"}};
  std::ranges::copy(metric_names(result), std::back_inserter(rows.front()));
  rows.front().emplace_back("recall");
  for (const PoolCeiling& ceiling : result.ceilings) {
    std::vector<std::string>& row = rows.emplace_back(1, fmt::format("{}, top {}", ceiling.first_stage, ceiling.depth));
    for (const double mean : ceiling.means) row.push_back(fmt::format("{:.4f}", mean));
    row.push_back(fmt::format("{:.4f}", ceiling.recall));
  }
  return rows;
}

std::string describe_truncation(const SweepResult& result) {
  if (result.counts.texts_reused + result.counts.pairs_reused == 0) return describe(result.truncation);
  if (result.truncation.texts == 0) return "how much of what was there already is truncated is not known";
  return describe(result.truncation) + ", of what was computed now";
}

std::string describe(const CacheCounts& counts) {
  return fmt::format("{} encoded and {} scored, none twice; {} and {} were there already",
                     count_of(counts.texts_computed, "text"), count_of(counts.pairs_computed, "pair"),
                     count_of(counts.texts_reused, "text"), count_of(counts.pairs_reused, "pair"));
}

void write_setting_members(JsonWriter& json, const SweepResult& result, const SettingResult& setting) {
  const std::vector<std::string> names = metric_names(result);
  json.key("name").value(setting.setting.name()).key("mode").value(mode_name(setting.setting.mode));
  if (setting.setting.mode != SearchMode::kCross) json.key("first_stage").value(setting.setting.first_stage);
  if (setting.setting.mode == SearchMode::kHybrid) {
    json.key("candidates").value(setting.setting.candidates);
    json.key("alpha").value(setting.setting.alpha);
  }
  json.key("metrics").begin_object();
  for (std::size_t metric = 0; metric < names.size(); ++metric) {
    const Interval& interval = setting.intervals[metric];
    json.key(names[metric]).begin_object().key("mean").value(setting.means[metric]);
    json.key("interval").begin_array().value(interval.low).value(interval.high).end_array().end_object();
  }
  json.end_object().key("times").begin_object();
  write_latency(json, "encode", setting.encode);
  write_latency(json, "retrieve", setting.retrieve);
  write_latency(json, "rerank", setting.rerank);
  write_latency(json, "total", setting.total);
  json.end_object().key("retrieval_timed").value(setting.retrieval_timed);
  json.key("found").value(setting.answers.found);
  json.key("lost_in_retrieval").value(setting.answers.in_retrieval);
  json.key("lost_in_ranking").value(setting.answers.in_ranking);
}

void write_ceilings(JsonWriter& json, const SweepResult& result) {
  const std::vector<std::string> names = metric_names(result);
  json.begin_array();
  for (const PoolCeiling& ceiling : result.ceilings) {
    json.begin_object().key("first_stage").value(ceiling.first_stage).key("depth").value(ceiling.depth);
    json.key("metrics").begin_object();
    for (std::size_t metric = 0; metric < names.size(); ++metric) {
      json.key(names[metric]).value(ceiling.means[metric]);
    }
    json.end_object().key("recall").value(ceiling.recall).end_object();
  }
  json.end_array();
}

JsonWriter& write_json(JsonWriter& json, const CacheCounts& counts) {
  json.begin_object().key("texts_computed").value(counts.texts_computed);
  json.key("texts_reused").value(counts.texts_reused).key("pairs_computed").value(counts.pairs_computed);
  return json.key("pairs_reused").value(counts.pairs_reused).end_object();
}

}  // namespace tandem::cli
