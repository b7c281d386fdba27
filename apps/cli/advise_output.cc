#include "advise_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <utility>

#include "base/json.h"
#include "descriptions.h"
#include "scenarios.h"
#include "sweep_output.h"
#include "tandem/encoder_costs.h"
#include "terminal.h"
#include "wire/advice_json.h"
#include "wire/compute_json.h"
#include "wire/json_parts.h"
#include "wire/sweep_json.h"

namespace tandem::cli {

namespace {

/// Settings as people read them: the quickest first.
std::vector<std::size_t> by_time(const AdviceReport& report) {
  const std::vector<SettingResult>& settings = report.sweep.settings;
  std::vector<std::size_t> order(settings.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t setting) { return settings[setting].total.mean; });
  return order;
}

std::size_t metric_place(const AdviceReport& report) {
  return static_cast<std::size_t>(std::ranges::find(report.sweep.metrics, report.goal.metric) -
                                  report.sweep.metrics.begin());
}

std::string cost_title(const AdviceReport& report) {
  return report.has_price ? "cost of 1,000 queries" : "hours of this machine for 1,000 queries";
}

/// What it has of the metric against the best setting.
std::string difference_to_best(const SettingAdvice& advice) {
  if (!advice.to_best) return "-";
  const Interval& interval = advice.to_best->interval;
  return fmt::format("{:+.4f} ({:+.4f}..{:+.4f})", advice.to_best->difference, interval.low, interval.high);
}

/// Four digits that say something, however small the price.
std::string cost(double value) { return fmt::format("{:.4g}", value); }

std::string standing(const AdviceReport& report, std::size_t setting) {
  const SettingAdvice& advice = report.advice.settings[setting];
  std::string text = "on the frontier";
  if (advice.dominated_by) {
    text = "dominated by " + report.sweep.settings[*advice.dominated_by].setting.name();
  }
  if (setting == report.advice.recommended)
    text += report.advice.meets_goal ? ", recommended" : ", nearest to the goal";
  return text;
}

TableRows setting_rows(const AdviceReport& report) {
  const std::size_t metric = metric_place(report);
  TableRows rows{{"setting", ranking_metric_name(report.goal.metric),
                  fmt::format("{:g} % interval", report.confidence * 100), "to the best (interval)", "p50 ms", "p95 ms",
                  report.has_price ? "cost/1,000" : "hours/1,000", "standing"}};
  for (const std::size_t place : by_time(report)) {
    const SettingResult& setting = report.sweep.settings[place];
    const Interval& interval = setting.intervals[metric];
    rows.push_back({setting.setting.name(), fmt::format("{:.4f}", setting.means[metric]),
                    fmt::format("{:.4f}..{:.4f}", interval.low, interval.high),
                    difference_to_best(report.advice.settings[place]), fmt::format("{:.1f}", setting.total.p50),
                    fmt::format("{:.1f}", setting.total.p95), cost(report.advice.settings[place].cost_per_1000),
                    standing(report, place)});
  }
  return rows;
}

TableRows loss_rows(const AdviceReport& report) {
  TableRows rows{{"setting", fmt::format("found in {}", report.results), "lost in retrieval", "lost in ranking"}};
  for (const std::size_t place : by_time(report)) {
    const SettingResult& setting = report.sweep.settings[place];
    rows.push_back({setting.setting.name(), fmt::format("{}", setting.answers.found),
                    fmt::format("{}", setting.answers.in_retrieval), fmt::format("{}", setting.answers.in_ranking)});
  }
  return rows;
}

std::string paragraphs(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += "  " + shown_field(sentence) + "\n";
  return text;
}

std::string describe_queries(const AdviceReport& report) {
  return count_of(report.sweep.query_ids.size(), "query", "queries");
}

std::string counts(const AdviceReport& report) {
  return fmt::format("{} over {} in {:.1f} s: {}; {}.", describe_queries(report),
                     count_of(report.sweep.documents, "document"), report.seconds, describe(report.sweep.counts),
                     describe_truncation(report.sweep));
}

std::vector<std::string> all_remarks(const AdviceReport& report) {
  std::vector<std::string> remarks = report.remarks;
  remarks.insert(remarks.end(), report.sweep.remarks.begin(), report.sweep.remarks.end());
  return remarks;
}

std::string heading_of_recommendation(const AdviceReport& report) {
  const Advice& advice = report.advice;
  if (!advice.recommended) return "No recommendation: " + advice.caveat;
  const std::string name = report.sweep.settings[*advice.recommended].setting.name();
  return fmt::format("{}{}{}", advice.meets_goal ? "Recommended: " : "Nothing meets the goal; the nearest: ", name,
                     advice.caveat.empty() ? "" : ", but " + advice.caveat);
}

// ------------------------------------------------------------------------------------------------------------ page

report::Point quality_point(const AdviceReport& report, std::size_t place) {
  const SettingResult& setting = report.sweep.settings[place];
  const std::size_t metric = metric_place(report);
  return {.x = setting.total.p95,
          .y = setting.means[metric],
          .y_low = setting.intervals[metric].low,
          .y_high = setting.intervals[metric].high,
          .label = setting.setting.name()};
}

report::XyChart quality_chart(const AdviceReport& report) {
  report::Series frontier{.name = "on the frontier", .style = report::SeriesStyle::kLine, .points = {}};
  report::Series dominated{.name = "dominated", .style = report::SeriesStyle::kPoints, .points = {}};
  for (const std::size_t place : by_time(report)) {
    const bool on_frontier = !report.advice.settings[place].dominated_by.has_value();
    std::vector<report::Point>& points = (on_frontier ? frontier : dominated).points;
    points.push_back(quality_point(report, place));
    if (place == report.advice.recommended) points.back().label.clear();  // It is drawn again, with its name.
  }
  std::vector<report::Series> series{frontier, dominated};
  if (report.advice.recommended) {
    series.push_back({.name = report.advice.meets_goal ? "recommended" : "nearest to the goal",
                      .style = report::SeriesStyle::kHighlight,
                      .points = {quality_point(report, *report.advice.recommended)}});
  }
  const std::string metric = ranking_metric_name(report.goal.metric);
  return {.id = "quality-and-time",
          .title = "Quality against time",
          .caption = fmt::format("Each point is a setting: its mean {} with its {:g} % interval, and the time in which "
                                 "95 % of the queries were answered. Up and to the left is better.",
                                 metric, report.confidence * 100),
          .x = {.title = "p95, ms", .logarithmic = true},
          .y = {.title = metric, .is_share = true},
          .series = std::move(series)};
}

report::StackedBarChart stage_chart(const AdviceReport& report) {
  report::StackedBarChart chart{.id = "time-per-stage",
                                .title = "Where the time goes",
                                .caption = "Mean time of a query in each stage, one query at a time.",
                                .value_title = "ms",
                                .bars = {},
                                .parts = {"encode the query", "retrieve", "rerank"},
                                .values = {{}, {}, {}}};
  for (const std::size_t place : by_time(report)) {
    const SettingResult& setting = report.sweep.settings[place];
    chart.bars.push_back(setting.setting.name());
    chart.values[0].push_back(setting.encode.mean);
    chart.values[1].push_back(setting.retrieve.mean);
    chart.values[2].push_back(setting.rerank.mean);
  }
  return chart;
}

/// The settings to show at other sizes: the first stages, the recommended setting, the best of those with two stages,
/// and the cross-encoder over everything, whose time is known from its pairs even where it was not measured.
std::vector<std::pair<SettingResult, bool>> settings_to_scale(const AdviceReport& report) {
  std::vector<std::pair<SettingResult, bool>> chosen;
  const auto add = [&chosen](const SettingResult& setting, bool is_measured) {
    const auto same = [&](const auto& other) { return other.first.setting.name() == setting.setting.name(); };
    if (std::ranges::none_of(chosen, same)) chosen.emplace_back(setting, is_measured);
  };
  const std::size_t metric = metric_place(report);
  const SettingResult* best = nullptr;
  for (const SettingResult& setting : report.sweep.settings) {
    if (setting.setting.mode == SearchMode::kHybrid &&
        (best == nullptr || setting.means[metric] > best->means[metric])) {
      best = &setting;
    }
  }
  bool cross = false;
  for (const std::size_t place : by_time(report)) {
    const SettingResult& setting = report.sweep.settings[place];
    const bool is_cross = setting.setting.mode == SearchMode::kCross;
    const bool is_timed_first_stage = setting.setting.mode == SearchMode::kBi && setting.encode.mean > 0;
    if (is_cross || is_timed_first_stage || &setting == best || place == report.advice.recommended) add(setting, true);
    cross = cross || is_cross;
  }
  if (!cross && report.sweep.pair_ms > 0) {
    SettingResult all;
    all.setting = {.mode = SearchMode::kCross, .first_stage = {}};
    all.total.mean = report.sweep.pair_ms * static_cast<double>(report.sweep.documents);
    add(all, false);
  }
  return chosen;
}

/// A chart over the number of documents of `value`, which is made of milliseconds.
report::XyChart size_chart(const AdviceReport& report, double factor) {
  constexpr std::array<double, 6> kSizes{100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000};
  report::XyChart chart;
  chart.x = {.title = "documents", .logarithmic = true};
  chart.y.logarithmic = true;
  for (const auto& [setting, is_measured] : settings_to_scale(report)) {
    const auto documents = static_cast<double>(report.sweep.documents);
    if (is_measured) {
      chart.series.push_back({.name = setting.setting.name(),
                              .style = report::SeriesStyle::kPoints,
                              .points = {{.x = documents, .y = setting.total.mean * factor, .label = "measured"}}});
    }
    report::Series line{.name = setting.setting.name(), .style = report::SeriesStyle::kDashedLine, .points = {}};
    for (const double size : kSizes) {
      line.points.push_back({.x = size, .y = total_ms_over(report.sweep, setting, size) * factor});
    }
    chart.series.push_back(std::move(line));
  }
  return chart;
}

report::XyChart time_chart(const AdviceReport& report) {
  report::XyChart chart = size_chart(report, 1);
  chart.id = "time-and-size";
  chart.title = "Query time against the size of the corpus";
  chart.caption =
      "Measured at one size; the dashed lines are extrapolated from there: scanning vectors and scoring every document "
      "grow with their number, encoding the query and reranking a fixed number of candidates do not.";
  chart.y.title = "ms, mean";
  chart.lines = {{.y = 100, .label = "100 ms: feels instant"}, {.y = 1000, .label = "1 s: still followed"}};
  return chart;
}

report::XyChart cost_chart(const AdviceReport& report) {
  report::XyChart chart = size_chart(report, cost_per_1000(1e-3, report.goal.price_per_hour));
  chart.id = "cost-and-size";
  chart.title = "Cost against the size of the corpus";
  chart.caption = "The same times at the price of this machine, which answers one query at a time and is never idle.";
  chart.y.title = cost_title(report);
  return chart;
}

report::Table table_of(TableRows rows) {
  report::Table table{.columns = std::move(rows.front()), .rows = {}};
  table.rows.assign(std::make_move_iterator(rows.begin() + 1), std::make_move_iterator(rows.end()));
  return table;
}

report::Table scenario_table() {
  report::Table table{.columns = {"scenario", "recommended", "reason", "measure it with"}, .rows = {}};
  for (const Scenario& scenario : scenarios()) {
    table.rows.push_back({std::string(scenario.scenario), std::string(scenario.recommended),
                          std::string(scenario.reason), std::string(scenario.command)});
  }
  return table;
}

}  // namespace

std::string to_text(const AdviceReport& report) {
  std::string text = "The test\n" + paragraphs(report.trust) + paragraphs(all_remarks(report));
  text += "\n" + to_table(setting_rows(report));
  text += "\n" + heading_of_recommendation(report) + "\n" + paragraphs(report.advice.reasons);
  text += "\nLost answers\n" + paragraphs(report.advice.losses) + "\n" + to_table(loss_rows(report));
  if (!report.commands.empty()) text += "\nTo run it\n" + paragraphs(report.commands);
  return text + "\n" + counts(report) + "\n";
}

std::string to_json(const AdviceReport& report) {
  JsonWriter json;
  write_json(json.begin_object().key("corpus"), report.files);
  json.key("documents").value(report.sweep.documents).key("queries").value(report.sweep.query_ids.size());
  json.key("test").value(report.test);
  write_json(json.key("trust"), report.trust);
  write_json(json.key("remarks"), all_remarks(report));
  write_json(json.key("first_stages"), report.models);
  json.key("cross_model");
  report.cross_model.empty() ? json.null() : json.value(report.cross_model);
  if (report.compute) write_json(json.key("compute"), *report.compute);
  write_json(json.key("goal"), report.goal, report.has_price);
  json.key("results").value(report.results).key("confidence").value(report.confidence);
  json.key("seed").value(static_cast<std::uint64_t>(report.seed));
  write_advised_settings(json.key("settings"), report.sweep, report.advice);
  write_ceilings(json.key("ceilings"), report.sweep);
  write_members(json.key("recommendation").begin_object(), report.sweep, report.advice);
  write_json(json.key("commands"), report.commands).end_object();
  json.key("documents_encode_ms").value(report.sweep.documents_encode_ms).key("pair_ms").value(report.sweep.pair_ms);
  write_json(json.key("counts"), report.sweep.counts);
  write_json(json.key("truncation"), report.sweep.truncation);
  return json.key("seconds").value(report.seconds).end_object().take() + "\n";
}

report::Page to_page(const AdviceReport& report) {
  std::string files;
  for (const std::string& file : report.files) files += (files.empty() ? "" : ", ") + file;
  report::Page page{.title = heading_of_recommendation(report),
                    .subtitle = fmt::format("{}: {}, {}", files, describe_queries(report), report.test),
                    .sections = {},
                    .footer = counts(report)};
  if (report.compute) page.footer += fmt::format(" Computed in {}.", describe(*report.compute));
  page.sections.push_back({.heading = "Why",
                           .paragraphs = report.advice.reasons,
                           .commands = report.commands,
                           .xy_charts = {quality_chart(report)}});
  std::vector<std::string> test = report.trust;
  const std::vector<std::string> remarks = all_remarks(report);
  test.insert(test.end(), remarks.begin(), remarks.end());
  page.sections.push_back({.heading = "The test", .paragraphs = std::move(test)});
  page.sections.push_back(
      {.heading = "Every setting", .table = table_of(setting_rows(report)), .bar_charts = {stage_chart(report)}});
  page.sections.push_back(
      {.heading = "Lost answers", .paragraphs = report.advice.losses, .table = table_of(loss_rows(report))});
  page.sections.push_back({.heading = "What a perfect reranker would make of the candidates",
                           .table = table_of(ceiling_rows(report.sweep))});
  page.sections.push_back({.heading = "Other sizes", .xy_charts = {time_chart(report), cost_chart(report)}});
  page.sections.push_back({.heading = "Which encoder for what",
                           .paragraphs = {"Rules of thumb; the commands show whether they hold."},
                           .table = scenario_table()});
  return page;
}

}  // namespace tandem::cli
