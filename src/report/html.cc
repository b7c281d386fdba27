// A page as one HTML document, with everything that it needs inside.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/base64.h"
#include "base/hash.h"
#include "base/json.h"
#include "report/assets.h"
#include "report/escape.h"
#include "report/page.h"
#include "report/plot.h"

namespace tandem::report {

namespace {

// Chart.js has one point style for all of a series; from so many points on, small ones.
constexpr std::size_t kLargeMarkersMax = 200;
// Cells with more characters than this may be broken into lines.
constexpr std::size_t kLongCell = 40;

// Both licences ask that this goes with every copy.
constexpr std::string_view kChartJsLicence = R"(<!--
This page contains Chart.js 3, https://www.chartjs.org, copyright (c) 2014-2022 Chart.js Contributors, and with it
@kurkle/color, https://github.com/kurkle/color, copyright (c) 2018-2021 Jukka Kurkela. Both under the MIT License:

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
-->
)";

/// What a content security policy calls a script or style sheet that it allows: "'sha256-…'".
std::string policy_source(std::string_view text) {
  Hasher hasher(HashKind::kSha256);
  hasher.update(text);
  const std::string hex = hasher.finish();
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return "'sha256-" + encode_base64(bytes) + "'";
}

/// Whether a cell is a number with or without a unit: such columns are aligned to the right.
bool looks_numeric(std::string_view cell) {
  for (const std::string_view sign : {"-", "+", "−", "±", "<", "~", "≈"}) {
    if (cell.starts_with(sign)) cell.remove_prefix(sign.size());
  }
  return !cell.empty() && cell.front() >= '0' && cell.front() <= '9';
}

class HtmlPage {
 public:
  explicit HtmlPage(const Page& page) : page_(page) {}

  std::string write() && {
    body_ += fmt::format("<main>\n<header>\n<h1>{}</h1>\n", escape_markup(page_.title));
    if (!page_.subtitle.empty()) body_ += fmt::format("<p class=\"subtitle\">{}</p>\n", escape_markup(page_.subtitle));
    body_ += "</header>\n";
    plots_.begin_object().key("hatches").begin_array();
    for (const std::string_view hatch : kHatches) plots_.value(hatch);
    plots_.end_array().key("charts").begin_array();
    for (const Section& section : page_.sections) add(section);
    plots_.end_array().end_object();
    body_ += "</main>\n";
    if (!page_.footer.empty()) body_ += fmt::format("<footer>{}</footer>\n", escape_markup(page_.footer));
    return document();
  }

 private:
  std::string document() {
    const std::string style = fmt::format("{}{}", kPageCss, kChartCss);
    std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n";
    html += kChartJsLicence;
    html += fmt::format(
        "<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; script-src {} {}\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n"
        "<style>{}</style>\n</head>\n<body>\n<svg id=\"probe\" aria-hidden=\"true\"></svg>\n",
        policy_source(style), policy_source(kChartJs), policy_source(kPageJs), escape_markup(page_.title), style);
    html += body_;
    html += "<script type=\"application/json\" id=\"plots\">" + escape_json_for_script(plots_.take()) + "</script>\n";
    html += fmt::format("<script>{}</script>\n<script>{}</script>\n</body>\n</html>\n", kChartJs, kPageJs);
    return html;
  }

  void add(const Section& section) {
    body_ += "<section>\n";
    if (!section.heading.empty()) body_ += fmt::format("<h2>{}</h2>\n", escape_markup(section.heading));
    for (const std::string& paragraph : section.paragraphs) add_note("", paragraph);
    if (!section.commands.empty()) {
      body_ += fmt::format("<pre>{}</pre>\n", escape_markup(fmt::format("{}", fmt::join(section.commands, "\n"))));
    }
    if (section.table) add_table(*section.table, section.heading);
    for (const XyChart& chart : section.xy_charts) add(chart);
    for (const StackedBarChart& chart : section.bar_charts) add(chart);
    body_ += "</section>\n";
  }

  void add_note(std::string_view kind, std::string_view text) {
    if (text.empty()) return;
    body_ += kind.empty() ? "<p>" : fmt::format("<p class=\"{}\">", kind);
    body_ += escape_markup(text) + "</p>\n";
  }

  void add_table(const Table& table, std::string_view name) {
    std::vector<bool> numeric(table.columns.size(), !table.rows.empty());
    for (const std::vector<std::string>& row : table.rows) {
      for (std::size_t column = 0; column < std::min(row.size(), numeric.size()); ++column) {
        if (!row[column].empty() && row[column] != "–" && !looks_numeric(row[column])) numeric[column] = false;
      }
    }
    const auto add_cell = [&](std::string_view tag, std::size_t column, const std::string& text) {
      std::string_view kind;
      if (column < numeric.size() && numeric[column]) {
        kind = " class=\"number\"";
      } else if (text.size() > kLongCell) {
        kind = " class=\"long\"";
      }
      fmt::format_to(std::back_inserter(body_), "<{}{}>{}</{}>", tag, kind, escape_markup(text), tag.substr(0, 2));
    };
    // Scrolled with the keyboard too, so it can have the focus and has a name.
    body_ += fmt::format("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table: {}\"><table>\n",
                         escape_markup(name));
    body_ += "<thead><tr>";
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      add_cell("th scope=\"col\"", column, table.columns[column]);
    }
    body_ += "</tr></thead>\n<tbody>\n";
    for (const std::vector<std::string>& row : table.rows) {
      body_ += "<tr>";
      for (std::size_t column = 0; column < row.size(); ++column) add_cell("td", column, row[column]);
      body_ += "</tr>\n";
    }
    body_ += "</tbody></table></div>\n";
  }

  /// Begins a figure with its canvas, and the JSON of its plot.
  void begin_figure(std::string_view kind, std::string_view title, std::string_view caption, std::string_view legend) {
    const std::string id = fmt::format("chart-{}", ++charts_);
    body_ += fmt::format(
        "<figure>\n<h3>{0}</h3>\n<ul class=\"legend\">\n{1}</ul>\n<div class=\"canvas\"><canvas id=\"{2}\" "
        "role=\"img\" "
        "aria-label=\"Chart: {0}\">{3} The numbers are in the table below.</canvas></div>\n",
        escape_markup(title), legend, id, escape_markup(caption));
    plots_.begin_object().key("kind").value(kind).key("canvas").value(id);
  }

  void begin_empty_figure(std::string_view title) {
    body_ += fmt::format("<figure>\n<h3>{}</h3>\n<p class=\"note\">Nothing to draw.</p>\n", escape_markup(title));
  }

  void end_figure(std::string_view title, std::string_view caption, const std::string& left_out, const Table& numbers) {
    if (!caption.empty()) body_ += fmt::format("<figcaption>{}</figcaption>\n", escape_markup(caption));
    add_note("note", left_out);
    body_ += "<details><summary>The numbers</summary>\n";
    add_table(numbers, title);
    body_ += "</details>\n</figure>\n";
  }

  void write_scale(std::string_view key, const Scale& scale, std::string_view title) {
    plots_.key(key).begin_object().key("title").value(title).key("low").value(scale.low).key("high").value(scale.high);
    plots_.key("logarithmic").value(scale.logarithmic).key("ticks").begin_array();
    for (const Tick& tick : scale.ticks) plots_.begin_array().value(tick.value).value(tick.label).end_array();
    plots_.end_array().end_object();
  }

  void add(const XyChart& chart) {
    const XyPlot plot = make_plot(chart);
    if (plot.points == 0) {
      begin_empty_figure(chart.title);
      end_figure(chart.title, chart.caption, describe_left_out(plot), numbers_of(chart));
      return;
    }
    std::string legend;
    for (const PlottedSeries& series : plot.series) {
      legend += "<li><svg width=\"30\" height=\"14\" aria-hidden=\"true\">";
      if (series.line) {
        legend += fmt::format("<path class=\"line look-{}\" d=\"M1 7h28\"{}/>", series.look,
                              series.dashed ? fmt::format(" stroke-dasharray=\"{}\"", kDashes[series.look]) : "");
      }
      legend += svg_marker(series, 15, 7, 4.5) + "</svg>" + escape_markup(series.legend) + "</li>\n";
    }
    begin_figure("xy", chart.title, chart.caption, legend);
    write_scale("x", plot.x, chart.x.title);
    write_scale("y", plot.y, chart.y.title);
    plots_.key("labelled").value(plot.labelled).key("large").value(plot.points <= kLargeMarkersMax);
    plots_.key("series").begin_array();
    for (const PlottedSeries& series : plot.series) write(series);
    plots_.end_array().key("lines").begin_array();
    for (const ReferenceLine& line : plot.lines) plots_.begin_array().value(line.y).value(line.label).end_array();
    plots_.end_array().end_object();
    end_figure(chart.title, chart.caption, describe_left_out(plot), numbers_of(chart));
  }

  void write(const PlottedSeries& series) {
    plots_.begin_object().key("legend").value(series.legend).key("look").value(series.look);
    plots_.key("line").value(series.line).key("dashed").value(series.dashed);
    plots_.key("size").value(series.size);
    plots_.key("dashes").value(kDashes[series.look]).key("points").begin_array();
    for (const Point& point : series.points) {
      plots_.begin_array().value(point.x).value(point.y);
      for (const std::optional<double>& end : {point.y_low, point.y_high}) end ? plots_.value(*end) : plots_.null();
      plots_.value(point.label).end_array();
    }
    plots_.end_array().end_object();
  }

  /// Every point, also those that cannot be drawn.
  static Table numbers_of(const XyChart& chart) {
    bool labels = false;
    bool intervals = false;
    for (const Series& series : chart.series) {
      for (const Point& point : series.points) {
        labels = labels || !point.label.empty();
        intervals = intervals || point.y_low || point.y_high;
      }
    }
    Table table{.columns = {"series", chart.x.title, chart.y.title}, .rows = {}};
    if (intervals) table.columns.insert(table.columns.end(), {"from", "to"});
    if (labels) table.columns.emplace_back("point");
    const auto format_end = [](const std::optional<double>& end) { return end ? format_number(*end) : std::string(); };
    for (const Series& series : chart.series) {
      for (const Point& point : series.points) {
        const bool extrapolated = series.style == SeriesStyle::kDashedLine;
        std::vector<std::string> row{series.name + (extrapolated ? ", extrapolated" : ""), format_number(point.x),
                                     format_number(point.y)};
        if (intervals) row.insert(row.end(), {format_end(point.y_low), format_end(point.y_high)});
        if (labels) row.push_back(point.label);
        table.rows.push_back(std::move(row));
      }
    }
    return table;
  }

  void add(const StackedBarChart& chart) {
    const BarPlot plot = make_plot(chart);
    if (plot.bars == 0 || plot.values.empty()) {
      begin_empty_figure(chart.title);
      end_figure(chart.title, chart.caption, describe_left_out(plot), numbers_of(chart));
      return;
    }
    const std::string id = fmt::format("bars-{}", charts_ + 1);
    std::string legend;
    for (std::size_t part = 0; part < chart.parts.size(); ++part) {
      const std::size_t look = part % kLooks;
      const std::string pattern = part < kLooks ? "<defs>" + svg_pattern(id, look) + "</defs>" : std::string();
      legend += fmt::format(
          "<li><svg width=\"22\" height=\"14\" aria-hidden=\"true\">{0}<rect class=\"part look-{1}\" x=\"1\" y=\"1\" "
          "width=\"20\" height=\"12\" fill=\"url(#pattern-{2}-{1})\"/></svg>{3}</li>\n",
          pattern, look, id, escape_markup(chart.parts[part]));
    }
    begin_figure("bars", chart.title, chart.caption, legend);
    write_scale("scale", plot.scale, chart.value_title);
    plots_.key("bars").begin_array();
    for (std::size_t bar = 0; bar < plot.bars; ++bar) plots_.value(chart.bars[bar]);
    plots_.end_array().key("parts").begin_array();
    for (const std::string& part : chart.parts) plots_.value(part);
    plots_.end_array().key("values").begin_array();
    for (const std::vector<double>& values : plot.values) {
      plots_.begin_array();
      for (const double value : values) plots_.value(value);
      plots_.end_array();
    }
    plots_.end_array().end_object();
    end_figure(chart.title, chart.caption, describe_left_out(plot), numbers_of(chart));
  }

  static Table numbers_of(const StackedBarChart& chart) {
    Table table{.columns = {""}, .rows = {}};
    table.columns.insert(table.columns.end(), chart.parts.begin(), chart.parts.end());
    for (std::size_t bar = 0; bar < chart.bars.size(); ++bar) {
      std::vector<std::string> row{chart.bars[bar]};
      for (std::size_t part = 0; part < chart.parts.size(); ++part) {
        const bool given = part < chart.values.size() && bar < chart.values[part].size();
        row.push_back(given ? format_number(chart.values[part][bar]) : std::string());
      }
      table.rows.push_back(std::move(row));
    }
    return table;
  }

  const Page& page_;
  std::string body_;
  JsonWriter plots_;
  std::size_t charts_ = 0;
};

}  // namespace

std::string to_html(const Page& page) { return HtmlPage(page).write(); }

}  // namespace tandem::report
