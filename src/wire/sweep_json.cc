#include "wire/sweep_json.h"

#include <string_view>

#include "wire/evaluation_json.h"
#include "wire/json_parts.h"
#include "wire/search_json.h"

namespace tandem {
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

JsonWriter& write_json(JsonWriter& json, const Latency& latency) {
  json.begin_object().key("mean_ms").value(latency.mean).key("p50_ms").value(latency.p50);
  return json.key("p95_ms").value(latency.p95).key("p99_ms").value(latency.p99).end_object();
}

}  // namespace

JsonWriter& write_members(JsonWriter& json, const SweepResult& result, const SettingResult& setting) {
  const PipelineSetting& pipeline = setting.setting;
  json.key("name").value(pipeline.name()).key("mode").value(mode_name(pipeline.mode));
  if (pipeline.mode != SearchMode::kCross) json.key("first_stage").value(pipeline.first_stage);
  if (pipeline.mode == SearchMode::kHybrid) {
    json.key("candidates").value(pipeline.candidates).key("alpha").value(pipeline.alpha);
  }
  json.key("metrics").begin_object();
  for (std::size_t metric = 0; metric < result.metrics.size(); ++metric) {
    json.key(ranking_metric_name(result.metrics[metric])).begin_object().key("mean").value(setting.means[metric]);
    write_json(json.key("interval"), setting.intervals[metric]).end_object();
  }
  json.end_object().key("times").begin_object();
  write_json(json.key("encode"), setting.encode);
  write_json(json.key("retrieve"), setting.retrieve);
  write_json(json.key("rerank"), setting.rerank);
  write_json(json.key("total"), setting.total);
  json.end_object().key("retrieval_timed").value(setting.retrieval_timed);
  json.key("found").value(setting.answers.found);
  json.key("lost_in_retrieval").value(setting.answers.in_retrieval);
  return json.key("lost_in_ranking").value(setting.answers.in_ranking);
}

JsonWriter& write_per_query(JsonWriter& json, const SweepResult& result, const SettingResult& setting) {
  json.begin_object();
  for (std::size_t query = 0; query < result.query_ids.size(); ++query) {
    json.key(result.query_ids[query]).begin_object();
    for (std::size_t metric = 0; metric < result.metrics.size(); ++metric) {
      json.key(ranking_metric_name(result.metrics[metric])).value(setting.values[metric][query]);
    }
    write_json(json.key("times"), setting.times[query]).end_object();
  }
  return json.end_object();
}

JsonWriter& write_ceilings(JsonWriter& json, const SweepResult& result) {
  json.begin_array();
  for (const PoolCeiling& ceiling : result.ceilings) {
    json.begin_object().key("first_stage").value(ceiling.first_stage).key("depth").value(ceiling.depth);
    write_by_metric(json.key("metrics"), result.metrics, ceiling.means);
    json.key("recall").value(ceiling.recall).end_object();
  }
  return json.end_array();
}

JsonWriter& write_json(JsonWriter& json, const CacheCounts& counts) {
  json.begin_object().key("texts_computed").value(counts.texts_computed);
  json.key("texts_reused").value(counts.texts_reused).key("pairs_computed").value(counts.pairs_computed);
  return json.key("pairs_reused").value(counts.pairs_reused).end_object();
}

}  // namespace tandem
