#include "wire/encoder_costs_json.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/quantile.h"

namespace tandem {
namespace {

/// A way to answer a query.
struct Way {
  std::string_view key;
  QueryCost SizeCosts::*cost;
  double ExtrapolatedCosts::*beyond_s;
  std::size_t CostsMachine::*threads;
};

constexpr std::array kWays{
    Way{"bi_encoder", &SizeCosts::bi, &ExtrapolatedCosts::bi_s, &CostsMachine::bi_threads},
    Way{"cross_encoder", &SizeCosts::cross, &ExtrapolatedCosts::cross_s, &CostsMachine::cross_threads},
    Way{"two_stage", &SizeCosts::two_stage, &ExtrapolatedCosts::two_stage_s, &CostsMachine::cross_threads},
};

void write_price(JsonWriter& json, double seconds_per_query, const CostsMachine& machine) {
  if (!machine.price_per_hour) return;
  json.key("cost_per_1000_queries").value(cost_per_1000(seconds_per_query, *machine.price_per_hour));
}

void write_cost(JsonWriter& json, const SizeCosts& size, const Way& way, const CostsMachine& machine) {
  const QueryCost& cost = size.*way.cost;
  json.key("measured").value(cost.measured()).key("mean_ms").value(cost.mean_s() * 1e3);
  json.key("queries_per_second").value(1 / cost.mean_s());
  json.key("times_the_bi_encoder").value(cost.mean_s() / size.bi.mean_s());
  write_price(json, cost.mean_s(), machine);
  if (!cost.measured()) return;
  json.key("cpu_share").value(cost.effort.cpu_share(machine.*way.threads));
  write_durations(json.key("total"), cost.seconds);
}

void write_stages(JsonWriter& json, const StageMeans& means) {
  json.key("stage_means").begin_object().key("encode_ms").value(means.encode_s * 1e3);
  json.key("scan_ms").value(means.scan_s * 1e3).key("rerank_ms").value(means.rerank_s * 1e3).end_object();
}

void write_size(JsonWriter& json, const SizeCosts& size, const CostsMachine& machine) {
  json.begin_object().key("documents").value(size.documents).key("copies").value(size.copies);
  json.key("encoding").begin_object().key("measured").value(!size.copies).key("seconds").value(size.encode_s);
  json.key("per_document_ms").value(size.encode_s / static_cast<double>(size.documents) * 1e3);
  json.key("cpu_share").value(size.encode_effort.cpu_share(machine.bi_threads)).end_object();
  json.key("index").begin_object().key("size_bytes").value(size.index_bytes);
  json.key("write_seconds").value(size.write_s).end_object();
  json.key("memory_peak_bytes").value(size.memory_peak_bytes);
  for (const Way& way : kWays) {
    json.key(way.key).begin_object();
    write_cost(json, size, way, machine);
    if (way.cost == &SizeCosts::bi) write_stages(json, size.bi_stages);
    if (way.cost == &SizeCosts::two_stage && size.two_stage.measured()) write_stages(json, size.two_stage_means);
    json.end_object();
  }
  json.end_object();
}

}  // namespace

JsonWriter& write_members(JsonWriter& json, const EncoderCosts& costs, const CostsMachine& machine) {
  json.key("documents").value(costs.documents).key("queries").value(costs.queries).key("sizes").begin_array();
  for (const SizeCosts& size : costs.sizes) write_size(json, size, machine);
  json.end_array().key("extrapolated").begin_array();
  for (const ExtrapolatedCosts& beyond : costs.beyond) {
    json.begin_object().key("documents").value(beyond.documents);
    for (const Way& way : kWays) {
      json.key(way.key).begin_object().key("mean_ms").value(beyond.*way.beyond_s * 1e3);
      write_price(json, beyond.*way.beyond_s, machine);
      json.end_object();
    }
    json.end_object();
  }
  return json.end_array();
}

JsonWriter& write_durations(JsonWriter& json, std::span<const double> seconds) {
  std::vector<double> sorted(seconds.begin(), seconds.end());
  const auto ms_at = [&sorted](double share) { return quantile(sorted, share) * 1e3; };
  json.begin_object().key("runs").value(seconds.size());
  json.key("min_ms").value(std::ranges::min(seconds) * 1e3).key("p50_ms").value(ms_at(0.5));
  json.key("p95_ms").value(ms_at(0.95)).key("p99_ms").value(ms_at(0.99));
  return json.key("max_ms").value(std::ranges::max(seconds) * 1e3).end_object();
}

}  // namespace tandem
