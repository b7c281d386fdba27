// Writes the pages and charts that report_test.py looks at: one that is meant to be read, one that is meant to do harm.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>

#include "report/page.h"

namespace {

using namespace tandem::report;

XyChart query_time() {
  XyChart chart{
      .id = "query_time",
      .title = "Query time against corpus size",
      .caption =
          "The bi-encoder's scan grows with the corpus, slowly; the cross-encoder reads every document again for each "
          "query. Reranking a fixed number of candidates costs the same however many documents there are.",
      .x = {.title = "documents", .logarithmic = true},
      .y = {.title = "time per query, ms", .logarithmic = true},
      .series = {},
      .lines = {{.y = 100, .label = "100 ms"}, {.y = 1000, .label = "1 s"}}};
  Series bi{.name = "bi-encoder", .style = SeriesStyle::kLine, .points = {}};
  Series cross{.name = "cross-encoder", .style = SeriesStyle::kLine, .points = {}};
  Series both{.name = "two stages", .style = SeriesStyle::kLine, .points = {}};
  Series bi_more{.name = "bi-encoder", .style = SeriesStyle::kDashedLine, .points = {}};
  Series cross_more{.name = "cross-encoder", .style = SeriesStyle::kDashedLine, .points = {}};
  Series both_more{.name = "two stages", .style = SeriesStyle::kDashedLine, .points = {}};
  for (double n = 100; n <= 1e6; n *= 10) {
    const double scan = 2.5 + n * 4e-5;
    if (n <= 1e5) bi.points.push_back({.x = n, .y = scan, .y_low = scan * 0.8, .y_high = scan * 1.3});
    if (n >= 1e5) bi_more.points.push_back({.x = n, .y = scan});
    if (n <= 1e3)
      cross.points.push_back({.x = n, .y = n * 5, .y_low = n * 4.2, .y_high = n * 6.5, .label = n == 1e3 ? "5 s" : ""});
    if (n >= 1e3) cross_more.points.push_back({.x = n, .y = n * 5});
    if (n <= 1e4) both.points.push_back({.x = n, .y = scan + 480, .y_low = 440, .y_high = 560});
    if (n >= 1e4) both_more.points.push_back({.x = n, .y = scan + 480});
  }
  chart.series = {bi, cross, both, bi_more, cross_more, both_more};
  return chart;
}

XyChart trade_off() {
  XyChart chart{.id = "trade_off",
                .title = "Quality against time: every setting that was measured",
                .caption = "Up and to the left is better. Bars are 95 % confidence intervals.",
                .x = {.title = "p95 of the time per query, ms", .logarithmic = true},
                .y = {.title = "nDCG@10"},
                .series = {}};
  const char* names[] = {"bi", "bi + cross, α = 1", "bi + cross, α = 0.7", "BM25", "BM25 + cross", "cross alone"};
  for (int series = 0; series < 6; ++series) {
    const SeriesStyle style = series == 5 ? SeriesStyle::kHighlight : SeriesStyle::kPoints;
    Series one{.name = names[series], .style = style, .points = {}};
    for (int i = 0; i < (series % 3 == 0 ? 1 : 4); ++i) {
      const double y = 0.55 + 0.03 * series + 0.02 * i;
      one.points.push_back({.x = 3 * std::pow(2.2, series) * (1 + 1.4 * i),
                            .y = y,
                            .y_low = y - 0.03,
                            .y_high = y + 0.03,
                            .label = "top " + std::to_string(10 * (i + 1))});
    }
    chart.series.push_back(one);
  }
  return chart;
}

StackedBarChart stages() {
  return {.id = "stages",
          .title = "Where the time of a query goes",
          .caption = "Medians, in milliseconds.",
          .value_title = "ms per query",
          .bars = {"100 documents", "1,000 documents", "10,000 documents"},
          .parts = {"encode the query", "scan the vectors", "rerank", "other"},
          .values = {{2.1, 2.2, 2.1}, {0.3, 1.2, 9.5}, {48, 49, 51}, {0.5, 0.5, 0.6}}};
}

Page readable() {
  Page page{.title = "Bi-encoder and cross-encoder on your own texts",
            .subtitle = "5,183 documents and 300 queries, measured on this machine",
            .sections = {},
            .footer = "tandem bench compare --input corpus.jsonl · bf16 on amx, 2 threads · 2026-01-31"};
  Section first{.heading = "What a query costs",
                .paragraphs = {"A bi-encoder encodes each document once. What is left for a query is to encode the "
                               "query and to compare vectors.",
                               "A cross-encoder reads the query with each document."},
                .commands = {"tandem bench compare --input corpus.jsonl --report compare.html"},
                .table = Table{.columns = {"documents", "method", "p50", "p95", "p99", "queries/s",
                                           "times the bi-encoder", "remark"},
                               .rows = {{"100", "bi-encoder", "2.4 ms", "3.1 ms", "3.3 ms", "410", "1", ""},
                                        {"100", "cross-encoder", "502 ms", "611 ms", "640 ms", "2.0", "209",
                                         "measured on 20 queries, every document with each"},
                                        {"1,000", "bi-encoder", "3.4 ms", "4.1 ms", "4.3 ms", "294", "1", ""}}},
                .xy_charts = {query_time()},
                .bar_charts = {}};
  page.sections = {first,
                   {.heading = "Where the time goes", .bar_charts = {stages()}},
                   {.heading = "Which setting", .xy_charts = {trade_off()}}};
  return page;
}

XyChart hostile_chart(const std::string& attack) {
  XyChart chart{.id = attack,
                .title = attack,
                .caption = attack,
                .x = {.title = attack, .logarithmic = true},
                .y = {.title = attack},
                .series = {}};
  const double odd[] = {0,  -1, 1, 1e300, -1e300, 1e-300, 5e-324, std::nan(""), std::numeric_limits<double>::infinity(),
                        1e9};
  Series series{.name = attack, .style = SeriesStyle::kDashedLine, .points = {}};
  for (const double x : odd) {
    for (const double y : odd) series.points.push_back({.x = x, .y = y, .y_low = -y, .y_high = x, .label = attack});
  }
  chart.series = {series, {.name = "empty", .style = SeriesStyle::kLine, .points = {}}};
  chart.lines = {{.y = std::nan(""), .label = attack}, {.y = 5, .label = attack}};
  return chart;
}

Page hostile() {
  const std::string attack =
      "</script></title></style><script>window.harmed = 1</script><img src=x onerror='window.harmed = 1'> "
      "]]>&\"\xff\x01\u202E";
  Page page{.title = attack, .subtitle = attack, .sections = {}, .footer = attack};
  XyChart one_point{.id = "one",
                    .title = "One point",
                    .caption = "",
                    .x = {.title = ""},
                    .y = {.title = ""},
                    .series = {{.name = "", .points = {{.x = 3, .y = 4}}}}};
  XyChart many{.id = "many",
               .title = "Many",
               .caption = "",
               .x = {.title = "x"},
               .y = {.title = "y"},
               .series = {{.name = "many", .points = {}}}};
  for (int i = 0; i < 10'000; ++i)
    many.series[0].points.push_back({.x = std::cos(i) * i, .y = std::sin(i) * i, .label = "point"});
  XyChart empty{.id = "empty", .title = "Empty", .caption = "", .x = {.title = "x"}, .y = {.title = "y"}, .series = {}};
  StackedBarChart bars{.id = attack,
                       .title = attack,
                       .caption = attack,
                       .value_title = attack,
                       .bars = {attack, ""},
                       .parts = {attack, "b", "c", "d", "e", "f", "g"},
                       .values = {{std::nan(""), 1}, {-1}, {1e300, 1e300}, {1e300, 1}}};
  page.sections.push_back({.heading = attack,
                           .paragraphs = {attack},
                           .commands = {attack},
                           .table = Table{.columns = {attack}, .rows = {{attack, attack}, {}}},
                           .xy_charts = {hostile_chart(attack), one_point, many, empty},
                           .bar_charts = {bars}});
  return page;
}

bool write(const std::filesystem::path& path, const std::string& content) {
  std::ofstream stream(path, std::ios::binary);
  stream << content;
  stream.close();
  return stream.good();
}

bool write_all(const std::filesystem::path& folder, const std::string& name, const Page& page) {
  bool written = write(folder / (name + ".html"), to_html(page));
  std::size_t charts = 0;
  for (const Section& section : page.sections) {
    for (const XyChart& chart : section.xy_charts) {
      written = write(folder / (name + std::to_string(++charts) + ".svg"), to_svg(chart)) && written;
    }
    for (const StackedBarChart& chart : section.bar_charts) {
      written = write(folder / (name + std::to_string(++charts) + ".svg"), to_svg(chart)) && written;
    }
  }
  return written;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: report_sample_pages FOLDER\n";
    return 2;
  }
  return write_all(argv[1], "readable", readable()) && write_all(argv[1], "hostile", hostile()) ? 0 : 1;
}
