// A page of findings: headings, words, tables and charts; as one HTML file that needs no network, and each chart as SVG.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tandem::report {

struct Point {
  double x = 0;
  double y = 0;
  std::optional<double> y_low = {};   ///< Ends of the confidence interval.
  std::optional<double> y_high = {};
  std::string label = {};             ///< Shown beside the point or on hovering; may be empty.
};

enum class SeriesStyle {
  kPoints,
  kLine,
  kDashedLine,  ///< Not measured but extrapolated.
};

struct Series {
  std::string name;
  SeriesStyle style = SeriesStyle::kPoints;
  std::vector<Point> points;
};

struct Axis {
  std::string title;
  bool logarithmic = false;
};

/// A horizontal line across the chart, e.g. at 100 ms.
struct ReferenceLine {
  double y = 0;
  std::string label;
};

/// Points and lines over two axes.
struct XyChart {
  std::string id;       ///< Unique on a page; the stem of its SVG file.
  std::string title;
  std::string caption;  ///< What to see in it, a sentence or two.
  Axis x;
  Axis y;
  std::vector<Series> series;
  std::vector<ReferenceLine> lines = {};
};

/// Horizontal bars made of parts, e.g. the time of each stage.
struct StackedBarChart {
  std::string id;
  std::string title;
  std::string caption;
  std::string value_title;
  std::vector<std::string> bars;                 ///< [bars] names.
  std::vector<std::string> parts;                ///< [parts] names.
  std::vector<std::vector<double>> values;       ///< [parts][bars]
};

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

/// Whatever is empty is left out; in this order.
struct Section {
  std::string heading;
  std::vector<std::string> paragraphs = {};
  std::optional<Table> table = {};
  std::vector<XyChart> xy_charts = {};
  std::vector<StackedBarChart> bar_charts = {};
};

struct Page {
  std::string title;
  std::string subtitle;
  std::vector<Section> sections;
  std::string footer;  ///< How it was made: command, machine, date.
};

std::string to_html(const Page& page);
std::string to_svg(const XyChart& chart);
std::string to_svg(const StackedBarChart& chart);

}  // namespace tandem::report
