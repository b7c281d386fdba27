#include "report/page.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/json.h"
#include "report/escape.h"
#include "report/plot.h"

namespace tandem::report {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

bool contains(std::string_view text, std::string_view part) { return count(text, part) > 0; }

XyChart latency_chart() {
  XyChart chart{.id = "latency",
                .title = "Query time",
                .caption = "Lower is better.",
                .x = {.title = "documents", .logarithmic = true},
                .y = {.title = "ms", .logarithmic = true},
                .series = {},
                .lines = {{.y = 100, .label = "100 ms"}}};
  chart.series.push_back(
      {.name = "bi", .style = SeriesStyle::kLine, .points = {{.x = 100, .y = 2, .label = "two"}, {.x = 1000, .y = 3}}});
  chart.series.push_back(
      {.name = "cross", .style = SeriesStyle::kLine, .points = {{.x = 100, .y = 500, .y_low = 400, .y_high = 600}}});
  chart.series.push_back(
      {.name = "bi", .style = SeriesStyle::kDashedLine, .points = {{.x = 1000, .y = 3}, {.x = 10000, .y = 9}}});
  return chart;
}

StackedBarChart stage_chart() {
  return {.id = "stages",
          .title = "Stages",
          .caption = "",
          .value_title = "ms",
          .bars = {"100", "1,000"},
          .parts = {"encode", "scan"},
          .values = {{1, 2}, {3, 4}}};
}

Page page_of(XyChart chart) {
  Page page{.title = "Title", .subtitle = "Subtitle", .sections = {}, .footer = "Footer"};
  page.sections.push_back({.heading = "Heading",
                           .paragraphs = {"Words."},
                           .commands = {"tandem help", "tandem bench"},
                           .table = Table{.columns = {"a", "b"}, .rows = {{"x", "1"}}},
                           .xy_charts = {std::move(chart)},
                           .bar_charts = {stage_chart()}});
  return page;
}

/// The JSON that the page's script draws from.
JsonDocument plots_of(const std::string& html) {
  const std::string_view begin = "id=\"plots\">";
  const std::size_t from = html.find(begin) + begin.size();
  return *JsonDocument::parse(html.substr(from, html.find("</script>", from) - from), "plots");
}

TEST(EscapeMarkup, LeavesNoMarkup) {
  EXPECT_EQ(escape_markup("a<b>&\"c\"'d'"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;");
  EXPECT_EQ(escape_markup("é\n\t漢"), "é\n\t漢");
  EXPECT_EQ(escape_markup(std::string_view("\0\x1b\x7f", 3)), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(escape_markup("\xff"), "\uFFFD");
  EXPECT_EQ(escape_markup("\uFFFE\u202E\u2066\u200F\u2028"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(EscapeJson, LeavesNothingThatEndsAScript) {
  EXPECT_EQ(escape_json_for_script(R"(["</script><!--"])"), R"(["\u003c/script>\u003c!--"])");
}

TEST(Plot, SeriesOfOneNameShareTheirLook) {
  const XyPlot plot = make_plot(latency_chart());
  EXPECT_EQ(plot.series[0].look, 0U);
  EXPECT_EQ(plot.series[1].look, 1U);
  EXPECT_EQ(plot.series[2].look, 0U);
  EXPECT_EQ(plot.series[2].legend, "bi, extrapolated");
  EXPECT_TRUE(plot.series[2].dashed);
}

TEST(Plot, CountsWhatCannotBeDrawn) {
  XyChart chart = latency_chart();
  chart.series[0].points = {
      {.x = 0, .y = 1}, {.x = 10, .y = std::nan("")}, {.x = 10, .y = kInfinity}, {.x = 10, .y = -1}, {.x = 10, .y = 1}};
  chart.lines.push_back({.y = 0, .label = "zero"});
  const XyPlot plot = make_plot(chart);
  EXPECT_EQ(plot.points_left_out, 4U);
  EXPECT_EQ(plot.series[0].points.size(), 1U);
  EXPECT_EQ(plot.lines.size(), 1U);
  EXPECT_TRUE(contains(describe_left_out(plot), "4 points cannot be drawn"));
  EXPECT_TRUE(contains(to_html(page_of(chart)), "4 points cannot be drawn"));
  EXPECT_TRUE(contains(to_svg(chart), "4 points cannot be drawn"));
}

TEST(Plot, DrawsAnIntervalOnlyWhole) {
  XyChart chart = latency_chart();
  chart.series[1].points = {{.x = 1, .y = 2, .y_low = 0, .y_high = 3},
                            {.x = 1, .y = 2, .y_low = 1, .y_high = {}},
                            {.x = 1, .y = 2, .y_low = 1, .y_high = 3}};
  const XyPlot plot = make_plot(chart);
  EXPECT_FALSE(plot.series[1].points[0].y_high);
  EXPECT_FALSE(plot.series[1].points[1].y_low);
  EXPECT_TRUE(plot.series[1].points[2].y_low);
  EXPECT_EQ(count(to_svg(chart), "class=\"interval"), 1U);
}

TEST(Plot, BarsLeaveOutWhatIsMissingOrNegative) {
  StackedBarChart chart = stage_chart();
  chart.values = {{-1, kInfinity}, {5}};
  const BarPlot plot = make_plot(chart);
  EXPECT_EQ(plot.values_left_out, 3U);
  EXPECT_EQ(plot.values, (std::vector<std::vector<double>>{{0, 0}, {5, 0}}));
  chart.bars.resize(kBarsMax + 3);
  EXPECT_EQ(make_plot(chart).bars_left_out, 3U);
  EXPECT_TRUE(contains(to_svg(chart), "3 more bars not drawn."));
}

TEST(Html, HasEveryPart) {
  const std::string html = to_html(page_of(latency_chart()));
  for (const std::string_view part :
       {"<title>Title</title>", "<h1>Title</h1>", "Subtitle", "<h2>Heading</h2>", "<p>Words.</p>",
        "<footer>Footer</footer>", "bi, extrapolated", "aria-label=\"Chart: Query time\"", "Lower is better.",
        "Permission is hereby granted", "Chart.js v3."}) {
    EXPECT_TRUE(contains(html, part)) << part;
  }
  EXPECT_EQ(count(html, "<canvas"), 2U);
  EXPECT_EQ(count(html, "<details>"), 2U);
  EXPECT_EQ(count(html, "<table>"), 3U);
  EXPECT_TRUE(contains(html, "<td>x</td><td class=\"number\">1</td>"));
}

TEST(Html, GivesTheScriptThePlots) {
  const std::string html = to_html(page_of(latency_chart()));
  const JsonDocument plots = plots_of(html);
  const std::vector<JsonValue> charts = *plots.root().get_array("charts");
  ASSERT_EQ(charts.size(), 2U);
  EXPECT_EQ(*charts[0].get_string("kind"), "xy");
  EXPECT_EQ(*charts[1].get_string("kind"), "bars");
  EXPECT_EQ((*charts[0].get_array("series")).size(), 3U);
  EXPECT_TRUE(contains(html, "<canvas id=\"" + std::string(*charts[0].get_string("canvas")) + "\""));
}

TEST(Html, ShowsMarkupInsteadOfObeyingIt) {
  const std::string attack = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'<!--";
  XyChart chart = latency_chart();
  chart.id = chart.title = chart.caption = chart.x.title = chart.y.title = attack;
  chart.series[0].name = chart.series[0].points[0].label = chart.lines[0].label = attack;
  StackedBarChart bars = stage_chart();
  bars.id = bars.title = bars.caption = bars.value_title = bars.bars[0] = bars.parts[0] = attack;
  Page page{.title = attack, .subtitle = attack, .sections = {}, .footer = attack};
  page.sections.push_back({.heading = attack,
                           .paragraphs = {attack},
                           .commands = {attack},
                           .table = Table{.columns = {attack}, .rows = {{attack}}},
                           .xy_charts = {chart},
                           .bar_charts = {bars}});
  const std::string html = to_html(page);
  EXPECT_EQ(count(html, "<script"), count(to_html(page_of(latency_chart())), "<script"));
  EXPECT_EQ(count(html, "</script"), 3U);
  EXPECT_FALSE(contains(html, "<img"));
  EXPECT_EQ(count(html, "<!--"), 1U);  // The licence.
  const JsonDocument plots = plots_of(html);
  EXPECT_EQ(*(*plots.root().get_array("charts"))[1].get_array("parts").value()[0].as_string(), attack);
  for (const std::string& svg : {to_svg(chart), to_svg(bars)}) {
    EXPECT_FALSE(contains(svg, "<script"));
    EXPECT_FALSE(contains(svg, "<img"));
  }
}

TEST(Html, ShowsCommandsAsTheyAreTyped) {
  EXPECT_TRUE(contains(to_html(page_of(latency_chart())), "<pre>tandem help\ntandem bench</pre>"));
}

TEST(Html, AllowsItsOwnScriptsAndNothingElse) {
  const std::string html = to_html(page_of(latency_chart()));
  EXPECT_TRUE(contains(html, "content=\"default-src 'none'; style-src 'sha256-"));
  EXPECT_FALSE(contains(html, "unsafe"));
  EXPECT_FALSE(contains(html, " src="));
  EXPECT_FALSE(contains(html, " style=\""));
}

TEST(Html, NothingToDrawIsSaid) {
  XyChart empty{.id = "empty", .title = "Empty", .caption = "", .x = {.title = "x"}, .y = {.title = "y"}, .series = {}};
  StackedBarChart no_bars{
      .id = "none", .title = "None", .caption = "", .value_title = "", .bars = {}, .parts = {"a"}, .values = {}};
  Page page{.title = "", .subtitle = "", .sections = {}, .footer = ""};
  page.sections.push_back({.heading = "", .xy_charts = {empty}, .bar_charts = {no_bars}});
  const std::string html = to_html(page);
  EXPECT_EQ(count(html, "Nothing to draw."), 2U);
  EXPECT_FALSE(contains(html, "<canvas"));
  EXPECT_TRUE(contains(to_svg(empty), "Nothing to draw."));
  EXPECT_TRUE(contains(to_svg(no_bars), "Nothing to draw."));
}

TEST(Html, ManyPointsStayCheap) {
  XyChart chart = latency_chart();
  chart.series[0].points.clear();
  for (int i = 1; i <= 10'000; ++i)
    chart.series[0].points.push_back({.x = i * 1.0, .y = std::sqrt(i), .label = "point"});
  EXPECT_FALSE(make_plot(chart).labelled);
  EXPECT_LT(to_html(page_of(chart)).size(), 2'500'000U);
  EXPECT_LT(to_svg(chart).size(), 2'000'000U);
}

TEST(Svg, MarksWhatIsExtrapolated) {
  const std::string svg = to_svg(latency_chart());
  EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_TRUE(contains(svg, "bi, extrapolated"));
  EXPECT_EQ(count(svg, "stroke-dasharray=\"8 5\""), 2U);  // The line and its entry in the legend.
  EXPECT_TRUE(contains(svg, ">100 ms</text>"));
  EXPECT_TRUE(contains(svg, "prefers-color-scheme: dark"));
  EXPECT_EQ(count(svg, "http"), 1U);
}

TEST(Svg, PointsThatStandOutAreLarger) {
  XyChart chart = latency_chart();
  chart.series.push_back({.name = "bi", .style = SeriesStyle::kHighlight, .points = {{.x = 100, .y = 2}}});
  EXPECT_EQ(count(to_svg(chart), " r=\"9.0\"/>"), 1U);
  const JsonDocument plots = plots_of(to_html(page_of(chart)));
  const std::vector<JsonValue> series = *plots.root().get_array("charts").value()[0].get_array("series");
  EXPECT_EQ(*series[0].get_double("size"), 1);
  EXPECT_EQ(*series[3].get_double("size"), 2);
}

TEST(Svg, LongNamesKeepTheirEnds) {
  StackedBarChart chart = stage_chart();
  chart.bars = {std::string(100, 'a') + "top 10", std::string(100, 'b') + "top 20é"};
  const std::string svg = to_svg(chart);
  EXPECT_TRUE(contains(svg, "aaa…aaa"));
  EXPECT_TRUE(contains(svg, "atop 10</text>"));
  EXPECT_TRUE(contains(svg, "btop 20é</text>"));
}

TEST(Svg, StacksItsBars) {
  const std::string svg = to_svg(stage_chart());
  EXPECT_EQ(count(svg, "<pattern"), 2U);
  EXPECT_EQ(count(svg, "<rect class=\"part"), 2U + 4U);  // The legend and the bars.
  EXPECT_TRUE(contains(svg, ">6</text>"));               // 2 + 4
}

}  // namespace
}  // namespace tandem::report
