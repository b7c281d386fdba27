#include "encoder_costs_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "descriptions.h"
#include "durations.h"
#include "terminal.h"
#include "text_table.h"
#include "wire/compute_json.h"
#include "wire/encoder_costs_json.h"
#include "wire/json_parts.h"

namespace tandem::cli {

namespace {

struct Way {
  std::string_view name;
  std::string_view key;  ///< In ids of charts.
  QueryCost SizeCosts::*cost;
  double ExtrapolatedCosts::*beyond_s;
};

constexpr Way kBi{"bi-encoder", "bi_encoder", &SizeCosts::bi, &ExtrapolatedCosts::bi_s};
constexpr Way kCross{"cross-encoder", "cross_encoder", &SizeCosts::cross, &ExtrapolatedCosts::cross_s};
constexpr Way kTwoStage{"two stages", "two_stage", &SizeCosts::two_stage, &ExtrapolatedCosts::two_stage_s};
constexpr std::array kWays{kBi, kCross, kTwoStage};

constexpr std::string_view kEstimateMark = "~";
constexpr std::string_view kCopiesMark = "*";

/// "12,500"
std::string with_separators(std::size_t count) {
  std::string text = fmt::format("{}", count);
  for (std::size_t position = text.size(); position > 3;) text.insert(position -= 3, ",");
  return text;
}

/// Three digits and a unit: "2.31 ms", "512 ms", "5.21 s", "3.4 h".
std::string format_seconds(double seconds) {
  const auto digits = [](double value) { return value < 10 ? 2 : value < 100 ? 1 : 0; };
  const double ms = seconds * 1e3;
  if (ms < 1000) return fmt::format("{:.{}f} ms", ms, digits(ms));
  if (seconds < 120) return fmt::format("{:.{}f} s", seconds, digits(seconds));
  if (seconds < 7200) return fmt::format("{:.1f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

/// Three significant digits without an exponent, and none after the point from a hundred on.
std::string format_plain(double value) {
  if (value >= 100) return with_separators(static_cast<std::size_t>(std::llround(value)));
  const double magnitude = value > 0 ? std::floor(std::log10(value)) : 0;
  std::string text = fmt::format("{:.{}f}", value, std::clamp(2 - static_cast<int>(magnitude), 0, 9));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string percent(double share) { return fmt::format("{:.0f} %", share * 100); }

std::string documents_of(const SizeCosts& size) {
  return with_separators(size.documents) + std::string(size.copies ? kCopiesMark : "");
}

std::string estimate_if(bool estimate, const std::string& text) {
  return (estimate ? std::string(kEstimateMark) : std::string()) + text;
}

std::size_t threads_of(const CompareSetting& setting, const Way& way) {
  return way.cost == &SizeCosts::bi ? setting.compute.threads : setting.cross_compute.threads;
}

std::string candidates_of(const CompareSetting& setting) {
  return fmt::format("the {} best", with_separators(setting.options.candidates));
}

// --------------------------------------------------------------------------------------------------------- tables

report::Table indexing_table(const EncoderCosts& costs, const CompareSetting& setting) {
  report::Table table{.columns = {"documents", "encoding", "per document", "writing", "on disk", "CPU", "peak memory"},
                      .rows = {}};
  if (setting.price_per_hour) table.columns.emplace_back("cost");
  for (const SizeCosts& size : costs.sizes) {
    table.rows.push_back({documents_of(size), estimate_if(size.copies, format_seconds(size.encode_s)),
                          format_seconds(size.encode_s / static_cast<double>(size.documents)),
                          format_seconds(size.write_s), format_bytes(size.index_bytes),
                          percent(size.encode_effort.cpu_share(setting.compute.threads)),
                          format_bytes(size.memory_peak_bytes)});
    if (setting.price_per_hour) {
      const double cost = (size.encode_s + size.write_s) / 3600 * *setting.price_per_hour;
      table.rows.back().push_back(estimate_if(size.copies, format_plain(cost)));
    }
  }
  return table;
}

report::Table query_table(const EncoderCosts& costs, const CompareSetting& setting) {
  report::Table table{
      .columns = {"documents", "method", "mean", "p50", "p95", "p99", "queries/s", "CPU", "vs. bi-encoder"},
      .rows = {}};
  if (setting.price_per_hour) table.columns.emplace_back("cost/1,000");
  for (const SizeCosts& size : costs.sizes) {
    for (const Way& way : kWays) {
      const QueryCost& cost = size.*way.cost;
      const Durations durations(cost.seconds);
      const bool estimate = !cost.measured();
      std::vector<std::string> row{documents_of(size), std::string(way.name),
                                   estimate_if(estimate, format_seconds(cost.mean_s()))};
      for (const double share : {0.5, 0.95, 0.99}) {
        row.push_back(estimate ? "–" : format_seconds(durations.percentile(share)));
      }
      row.push_back(estimate_if(estimate, format_plain(1 / cost.mean_s())));
      row.push_back(estimate ? "–" : percent(cost.effort.cpu_share(threads_of(setting, way))));
      row.push_back(estimate_if(estimate, format_plain(cost.mean_s() / size.bi.mean_s()) + "×"));
      if (setting.price_per_hour) {
        row.push_back(estimate_if(estimate, format_plain(cost_per_1000(cost.mean_s(), *setting.price_per_hour))));
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

report::Table beyond_table(const EncoderCosts& costs) {
  report::Table table{.columns = {"documents"}, .rows = {}};
  for (const Way& way : kWays) table.columns.emplace_back(way.name);
  for (const ExtrapolatedCosts& beyond : costs.beyond) {
    std::vector<std::string> row{with_separators(beyond.documents)};
    for (const Way& way : kWays) row.push_back(estimate_if(true, format_seconds(beyond.*way.beyond_s)));
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// What the marks in the tables mean, as far as they are used.
std::vector<std::string> legend_of(const EncoderCosts& costs, const CompareSetting& setting) {
  std::vector<std::string> legend;
  if (std::ranges::any_of(costs.sizes, &SizeCosts::copies)) {
    legend.push_back(fmt::format("{} filled up with copies of the {}, whose vectors are scanned as any others are.",
                                 kCopiesMark,
                                 costs.documents == 1 ? "document" : with_separators(costs.documents) + " documents"));
  }
  legend.push_back(
      fmt::format("{} extrapolated: scanning from a line through the sizes that were searched, the "
                  "cross-encoder from its time per pair.",
                  kEstimateMark));
  if (setting.price_per_hour) {
    legend.push_back(
        fmt::format("Costs at {} per hour for this machine, one query after another.", *setting.price_per_hour));
  }
  return legend;
}

/// As text: all columns are aligned to the right but the one named "method".
std::string as_text(const report::Table& table) {
  TableRows rows{table.columns};
  rows.insert(rows.end(), table.rows.begin(), table.rows.end());
  const auto method = std::ranges::find(table.columns, "method");
  if (method == table.columns.end()) return to_table(rows, std::nullopt);
  return to_table(rows, static_cast<std::size_t>(method - table.columns.begin()));
}

std::string describe_machine(const Machine& machine) {
  return fmt::format("{}, {}, {} of memory", machine.processor, count_of(machine.processors, "processor"),
                     format_bytes(machine.memory_bytes));
}

std::string describe_compute(const CompareSetting& setting) {
  return fmt::format("bi-encoder: {}; cross-encoder: {}", describe(setting.compute), describe(setting.cross_compute));
}

// ----------------------------------------------------------------------------------------------------------- page

/// A value per way against the corpus's size: measured where it was, dashed beyond.
template <class Value>
std::vector<report::Series> series_of(const EncoderCosts& costs, const Value& value) {
  std::vector<report::Series> series;
  for (const Way& way : kWays) {
    report::Series measured{.name = std::string(way.name), .style = report::SeriesStyle::kLine, .points = {}};
    report::Series beyond{.name = measured.name, .style = report::SeriesStyle::kDashedLine, .points = {}};
    for (const SizeCosts& size : costs.sizes) {
      const QueryCost& cost = size.*way.cost;
      const report::Point point{.x = static_cast<double>(size.documents), .y = value(cost.mean_s())};
      (cost.measured() ? measured : beyond).points.push_back(point);
      if (!cost.measured()) continue;
      measured.points.back().label = format_seconds(cost.mean_s());
    }
    for (const ExtrapolatedCosts& size : costs.beyond) {
      beyond.points.push_back({.x = static_cast<double>(size.documents), .y = value(size.*way.beyond_s)});
    }
    // The dashed line goes on where the measured one ends.
    if (!measured.points.empty() && !beyond.points.empty()) {
      report::Point joint = measured.points.back();
      joint.label.clear();
      beyond.points.insert(beyond.points.begin(), joint);
    }
    series.push_back(std::move(measured));
    series.push_back(std::move(beyond));
  }
  std::erase_if(series, [](const report::Series& one) { return one.points.empty(); });
  return series;
}

report::XyChart time_chart(const EncoderCosts& costs) {
  return {.id = "query_time",
          .title = "Time per query against the number of documents",
          .caption =
              "Means. The bi-encoder compares one vector with all others; the cross-encoder reads every document "
              "again with each query; two stages read the best candidates only, however many documents there "
              "are.",
          .x = {.title = "documents", .logarithmic = true},
          .y = {.title = "milliseconds per query", .logarithmic = true},
          .series = series_of(costs, [](double seconds) { return seconds * 1e3; }),
          .lines = {{.y = 100, .label = "100 ms"}, {.y = 1000, .label = "1 s"}}};
}

report::XyChart cost_chart(const EncoderCosts& costs, double price_per_hour) {
  report::XyChart chart{
      .id = "query_cost",
      .title = "Cost of 1,000 queries against the number of documents",
      .caption = fmt::format("At {} per hour for this machine, one query after another.", price_per_hour),
      .x = {.title = "documents", .logarithmic = true},
      .y = {.title = "cost of 1,000 queries", .logarithmic = true},
      .series = series_of(costs, [&](double seconds) { return cost_per_1000(seconds, price_per_hour); })};
  for (report::Series& series : chart.series) {
    for (report::Point& point : series.points) point.label.clear();
  }
  return chart;
}

/// One bar per size at which the way was measured.
report::StackedBarChart stage_chart(const EncoderCosts& costs, const Way& way, StageMeans SizeCosts::*stage_means) {
  report::StackedBarChart chart{
      .id = fmt::format("{}_stages", way.key),
      .title = fmt::format("Time of each stage: {}", way.name),
      .caption = "Means. The rest is reading the documents that are shown.",
      .value_title = "milliseconds per query",
      .bars = {},
      .parts = {"encode the query", "scan the vectors", "read and rerank candidates", "the rest"},
      .values = std::vector<std::vector<double>>(4)};
  for (const SizeCosts& size : costs.sizes) {
    const QueryCost& cost = size.*way.cost;
    if (!cost.measured()) continue;
    const StageMeans& means = size.*stage_means;
    const double rest_s = cost.mean_s() - means.encode_s - means.scan_s - means.rerank_s;
    chart.bars.push_back(documents_of(size) + " documents");
    chart.values[0].push_back(means.encode_s * 1e3);
    chart.values[1].push_back(means.scan_s * 1e3);
    chart.values[2].push_back(means.rerank_s * 1e3);
    chart.values[3].push_back(std::max(rest_s, 0.0) * 1e3);
  }
  return chart;
}

/// What the figures say in a sentence, at the largest size that has all documents.
std::string summary_of(const EncoderCosts& costs, const CompareSetting& setting) {
  const auto copies = std::ranges::find_if(costs.sizes, &SizeCosts::copies);
  const SizeCosts& size = copies == costs.sizes.begin() ? costs.sizes.front() : *std::prev(copies);
  return fmt::format(
      "Over {} documents, a query takes the bi-encoder {} and the cross-encoder {}{}, {} times as long. The bi-encoder "
      "has "
      "encoded every document before, in {}. Two stages, which rerank {}, take {}.",
      with_separators(size.documents), format_seconds(size.bi.mean_s()), size.cross.measured() ? "" : "about ",
      format_seconds(size.cross.mean_s()), format_plain(size.cross.mean_s() / size.bi.mean_s()),
      format_seconds(size.encode_s), candidates_of(setting), format_seconds(size.two_stage.mean_s()));
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[sizeof("9999-12-31")];
  return std::string(text, std::strftime(text, sizeof(text), "%F", &parts));
}

}  // namespace

std::string to_text(const EncoderCosts& costs, const CompareSetting& setting) {
  std::string text = fmt::format("{} against {}\n  {}\n  {}\n", setting.model, setting.cross_model,
                                 describe_compute(setting), describe_machine(setting.machine));
  text += "\nOnce, for all documents:\n" + as_text(indexing_table(costs, setting));
  text += fmt::format("\nFor every query ({} results; two stages rerank {}):\n", setting.options.top_k,
                      candidates_of(setting));
  text += as_text(query_table(costs, setting));
  if (!costs.beyond.empty()) text += "\nWith more documents:\n" + as_text(beyond_table(costs));
  text += '\n';
  for (const std::string& line : legend_of(costs, setting)) text += "  " + line + '\n';
  return text;
}

std::string to_json(const EncoderCosts& costs, const CompareSetting& setting) {
  JsonWriter json;
  json.begin_object().key("benchmark").value("compare").key("model").value(setting.model);
  json.key("cross_model").value(setting.cross_model);
  json.key("machine").begin_object().key("processor").value(setting.machine.processor);
  json.key("processors").value(setting.machine.processors);
  json.key("memory_bytes").value(setting.machine.memory_bytes).end_object();
  write_json(json.key("compute"), setting.compute);
  write_json(json.key("cross_compute"), setting.cross_compute);
  json.key("top_k").value(setting.options.top_k).key("candidates").value(setting.options.candidates);
  json.key("cross_pairs_max").value(setting.options.cross_pairs_max);
  write_or_null(json, "price_per_hour", setting.price_per_hour);
  write_members(json, costs,
                {.bi_threads = setting.compute.threads,
                 .cross_threads = setting.cross_compute.threads,
                 .price_per_hour = setting.price_per_hour});
  write_json(json.key("truncation"), costs.truncation);
  return json.end_object().take() + "\n";
}

report::Page to_page(const EncoderCosts& costs, const CompareSetting& setting) {
  report::Page page{
      .title = "Bi-encoder against cross-encoder",
      .subtitle = fmt::format("{} and {} on {} and {}", setting.model, setting.cross_model,
                              with_separators(costs.documents) + (costs.documents == 1 ? " document" : " documents"),
                              count_of(costs.queries, "query", "queries")),
      .sections = {},
      .footer = fmt::format("tandem bench compare · {} · {} · {}", describe_compute(setting),
                            describe_machine(setting.machine), today())};
  page.sections.push_back({.heading = "What a query takes",
                           .paragraphs = {summary_of(costs, setting)},
                           .table = query_table(costs, setting),
                           .xy_charts = {time_chart(costs)}});
  std::vector<std::string> marks = legend_of(costs, setting);
  page.sections.back().paragraphs.insert(page.sections.back().paragraphs.end(), marks.begin(), marks.end());
  page.sections.push_back({.heading = "Where the time goes",
                           .bar_charts = {stage_chart(costs, kBi, &SizeCosts::bi_stages),
                                          stage_chart(costs, kTwoStage, &SizeCosts::two_stage_means)}});
  page.sections.push_back(
      {.heading = "What the documents take, once",
       .paragraphs = {"The bi-encoder encodes every document before the first query. The cross-encoder "
                      "prepares nothing."},
       .table = indexing_table(costs, setting)});
  if (setting.price_per_hour) {
    page.sections.push_back({.heading = "What it costs", .xy_charts = {cost_chart(costs, *setting.price_per_hour)}});
  }
  if (!costs.beyond.empty()) {
    page.sections.push_back({.heading = "With more documents", .table = beyond_table(costs)});
  }
  return page;
}

}  // namespace tandem::cli
