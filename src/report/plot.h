// Charts ready for drawing: what cannot be drawn left out, axes chosen, series given their looks. Both forms of a
// chart, in HTML and as SVG, are drawn from the same plot.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "report/page.h"
#include "report/scale.h"

namespace tandem::report {

/// Series tell themselves apart by colour, shape and, where they are dashed, by the rhythm of the dashes; after this
/// many they repeat themselves.
inline constexpr std::size_t kLooks = 6;

/// Lengths of dashes and gaps, in pixels, as SVG and canvas take them.
inline constexpr std::array<std::string_view, kLooks> kDashes{"8 5", "2 4", "12 4 2 4", "4 3", "14 6", "10 3 2 3 2 3"};

/// What is drawn over the fill of a bar's part in the colour of the paper, on tiles of 8 by 8, so that parts differ
/// without colours too. Paths, as SVG and canvas take them.
inline constexpr std::array<std::string_view, kLooks> kHatches{
    "", "M-2 2l4 -4M0 8l8 -8M6 10l4 -4", "M0 4h8", "M2 2h2v2h-2zM6 6h2v2h-2z", "M4 0v8", "M0 0l8 8M0 8l8 -8"};

/// How many times larger than others points are that stand out: so large, they cover one in the same place.
inline constexpr double kHighlightSize = 2;

/// Points with a label are labelled on the chart itself as long as there are no more than these.
inline constexpr std::size_t kLabelsMax = 60;

struct PlottedSeries {
  std::string legend;
  std::size_t look = 0;  ///< Below kLooks.
  bool line = false;
  bool dashed = false;
  double size = 1;            ///< Of its points, in that of others.
  std::vector<Point> points;  ///< Drawable; intervals have both ends or none.
};

struct XyPlot {
  Scale x;
  Scale y;
  std::vector<PlottedSeries> series;  ///< Also those without points.
  std::vector<ReferenceLine> lines;
  std::size_t points = 0;
  std::size_t points_left_out = 0;
  bool labelled = false;  ///< Few enough labels to show them on the chart.
};

XyPlot make_plot(const XyChart& chart);

/// More bars than these nobody tells apart; the others are left out.
inline constexpr std::size_t kBarsMax = 100;

struct BarPlot {
  Scale scale;
  std::size_t bars = 0;
  std::vector<std::vector<double>> values;  ///< [parts][bars]; 0 where the chart has nothing that can be drawn.
  std::size_t values_left_out = 0;
  std::size_t bars_left_out = 0;
};

BarPlot make_plot(const StackedBarChart& chart);

/// What a chart says about what it leaves out: "3 points cannot be drawn: …"; empty for none.
std::string describe_left_out(const XyPlot& plot);
std::string describe_left_out(const BarPlot& plot);

// Pieces of SVG that charts and legends share. They take their colours from the classes "look-0" … (kLooks - 1) of the
// style sheet around them.

/// The shape of a series' points, about `radius` around a place; hollow for what is not measured.
std::string svg_marker(const PlottedSeries& series, double x, double y, double radius);

/// Defines the fill of a look with its hatch, "pattern-ID-LOOK".
std::string svg_pattern(std::string_view id, std::size_t look);

/// `id` as it may stand in an attribute and in a url(): other characters than letters, digits, - and _ become _.
std::string safe_id(std::string_view id);

}  // namespace tandem::report
