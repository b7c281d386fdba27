#include "wire/advice_json.h"

#include <optional>
#include <string>
#include <string_view>

#include "wire/json_parts.h"
#include "wire/sweep_json.h"

namespace tandem {

namespace {

/// To the best setting; nothing where there is none.
void write_difference(JsonWriter& json, const std::optional<Comparison>& to_best) {
  if (!to_best) return;
  json.key("difference").begin_object().key("mean").value(to_best->difference);
  write_json(json.key("interval"), to_best->interval);
  json.key("permutation_p").value(to_best->permutation_p).end_object();
}

void write_setting(JsonWriter& json, std::string_view key, const SweepResult& sweep,
                   const std::optional<std::size_t>& setting) {
  json.key(key);
  setting ? json.value(sweep.settings[*setting].setting.name()) : json.null();
}

}  // namespace

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
    write_setting(json, "dominated_by", sweep, setting.dominated_by);
    write_json(json.key("lacks"), setting.lacks);
    write_difference(json, setting.to_best);
    json.end_object();
  }
  return json.end_array();
}

JsonWriter& write_members(JsonWriter& json, const SweepResult& sweep, const Advice& advice) {
  write_setting(json, "setting", sweep, advice.recommended);
  json.key("meets_goal").value(advice.meets_goal);
  write_setting(json, "best", sweep, advice.best);
  if (advice.recommended) write_difference(json, advice.settings[*advice.recommended].to_best);
  if (!advice.caveat.empty()) json.key("caveat").value(advice.caveat);
  write_json(json.key("reasons"), advice.reasons);
  return write_json(json.key("losses"), advice.losses);
}

}  // namespace tandem
