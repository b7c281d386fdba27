#include "wire/advice_json.h"

#include <optional>
#include <string>

#include "wire/json_parts.h"
#include "wire/sweep_json.h"

namespace tandem {

JsonWriter& write_json(JsonWriter& json, const Goal& goal, bool has_price) {
  json.begin_object().key("metric").value(ranking_metric_name(goal.metric));
  write_or_null(json, "p95_ms_max", goal.p95_ms_max);
  write_or_null(json, "cost_per_1000_max", goal.cost_per_1000_max);
  write_or_null(json, "recall_min", goal.recall_min);
  json.key("recall").value(ranking_metric_name(goal.recall));
  write_or_null(json, "price_per_hour", has_price ? std::optional(goal.price_per_hour) : std::nullopt);
  return json.end_object();
}

JsonWriter& write_advised_settings(JsonWriter& json, const SweepResult& sweep, const Advice& advice) {
  json.begin_array();
  for (std::size_t i = 0; i < sweep.settings.size(); ++i) {
    const SettingAdvice& setting = advice.settings[i];
    write_members(json.begin_object(), sweep, sweep.settings[i]);
    json.key("cost_per_1000").value(setting.cost_per_1000).key("on_frontier").value(!setting.dominated_by.has_value());
    json.key("dominated_by");
    setting.dominated_by ? json.value(sweep.settings[*setting.dominated_by].setting.name()) : json.null();
    write_json(json.key("lacks"), setting.lacks).end_object();
  }
  return json.end_array();
}

JsonWriter& write_members(JsonWriter& json, const SweepResult& sweep, const Advice& advice) {
  json.key("setting").value(sweep.settings[advice.recommended].setting.name());
  json.key("meets_goal").value(advice.meets_goal);
  json.key("best").value(sweep.settings[advice.best].setting.name());
  if (advice.to_best) {
    json.key("difference").begin_object().key("mean").value(advice.to_best->difference);
    write_json(json.key("interval"), advice.to_best->interval);
    json.key("permutation_p").value(advice.to_best->permutation_p).end_object();
  }
  write_json(json.key("reasons"), advice.reasons);
  return write_json(json.key("losses"), advice.losses);
}

}  // namespace tandem
