// A page of findings: headings, words, tables and charts; as one HTML file that needs no network, and each chart as
// SVG.
//
// Every text may hold anything: markup in it is shown, not obeyed. What cannot be drawn (a number that is not finite,
// or on a logarithmic axis not positive) is left out, and the chart says how much that is.
//
//   tandem::report::Page page{.title = "Bi-encoder and cross-encoder"};
//   page.sections.push_back({.heading = "Query time", .xy_charts = {chart}});
//   std::string html = tandem::report::to_html(page);
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tandem::report {

struct Point {
  double x = 0;
  double y = 0;
  std::optional<double> y_low = {};  ///< Ends of the confidence interval, drawn when both can be.
  std::optional<double> y_high = {};
  std::string label = {};  ///< Shown beside the point where there is room, and on hovering; may be empty.
};

enum class SeriesStyle {
  kPoints,
  kHighlight,  ///< Points that stand out from all others, also from one in the same place.
  kLine,
  kDashedLine,  ///< Not measured but extrapolated.
};

/// Series of one name share colour and shape, so that a dashed line goes on where the measured one ends. Lines connect
/// points in the order given.
struct Series {
  std::string name;  ///< The legend adds "extrapolated" to that of a dashed line.
  SeriesStyle style = SeriesStyle::kPoints;
  std::vector<Point> points;
};

struct Axis {
  std::string title;
  bool logarithmic = false;
  bool is_share = false;  ///< Its values lie from 0 to 1, and the axis shows all of that.
};

/// A horizontal line across the chart, e.g. at 100 ms.
struct ReferenceLine {
  double y = 0;
  std::string label;
};

/// Points and lines over two axes.
struct XyChart {
  std::string id;  ///< Unique on a page; the stem of its SVG file. Letters, digits, - and _.
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
  std::vector<std::string> bars;            ///< [bars] names.
  std::vector<std::string> parts;           ///< [parts] names.
  std::vector<std::vector<double>> values;  ///< [parts][bars]; a number below 0 cannot be drawn either.
};

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

/// Whatever is empty is left out; in this order.
struct Section {
  std::string heading;
  std::vector<std::string> paragraphs = {};
  std::vector<std::string> commands = {};  ///< Lines for a shell, to be copied.
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

/// A whole HTML document: styles, scripts and data are inside it, and its content security policy forbids everything
/// else. Charts are drawn by Chart.js; their numbers are also there as tables.
std::string to_html(const Page& page);

/// A whole SVG document, light or dark as its reader prefers.
std::string to_svg(const XyChart& chart);
std::string to_svg(const StackedBarChart& chart);

}  // namespace tandem::report
