#include "report/plot.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::report {

namespace {

bool has_place(const Point& point, const XyChart& chart) {
  return is_drawable(point.x, chart.x.logarithmic) && is_drawable(point.y, chart.y.logarithmic);
}

bool has_drawable_interval(const Point& point, bool logarithmic) {
  return point.y_low && point.y_high && is_drawable(*point.y_low, logarithmic) &&
         is_drawable(*point.y_high, logarithmic);
}

/// The look of each series: that of the first series with the same name.
std::vector<std::size_t> choose_looks(const std::vector<Series>& series) {
  std::vector<std::string_view> names;
  std::vector<std::size_t> looks;
  for (const Series& one : series) {
    const auto known = std::ranges::find(names, one.name);
    looks.push_back(static_cast<std::size_t>(known - names.begin()) % kLooks);
    if (known == names.end()) names.push_back(one.name);
  }
  return looks;
}

std::string legend_of(const Series& series) {
  switch (series.style) {
    case SeriesStyle::kPoints:
    case SeriesStyle::kHighlight:
    case SeriesStyle::kLine:
      return series.name;
    case SeriesStyle::kDashedLine:
      return series.name + ", extrapolated";
  }
  return series.name;
}

Scale scale_of(const Axis& axis, const std::vector<double>& values) {
  const auto outside = [](double value) { return value < 0 || value > 1; };
  if (axis.is_share && std::ranges::none_of(values, outside)) return make_share_scale();
  return make_scale(values, axis.logarithmic);
}

std::string count_of(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

XyPlot make_plot(const XyChart& chart) {
  XyPlot plot;
  const std::vector<std::size_t> looks = choose_looks(chart.series);
  std::vector<double> xs;
  std::vector<double> ys;
  std::size_t labels = 0;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Series& series = chart.series[i];
    PlottedSeries plotted{.legend = legend_of(series),
                          .look = looks[i],
                          .line = series.style == SeriesStyle::kLine || series.style == SeriesStyle::kDashedLine,
                          .dashed = series.style == SeriesStyle::kDashedLine,
                          .size = series.style == SeriesStyle::kHighlight ? kHighlightSize : 1,
                          .points = {}};
    for (Point point : series.points) {
      if (!has_place(point, chart)) {
        ++plot.points_left_out;
        continue;
      }
      xs.push_back(point.x);
      ys.push_back(point.y);
      if (has_drawable_interval(point, chart.y.logarithmic)) {
        ys.insert(ys.end(), {*point.y_low, *point.y_high});
      } else {
        point.y_low = point.y_high = std::nullopt;
      }
      labels += point.label.empty() ? 0 : 1;
      plotted.points.push_back(std::move(point));
    }
    plot.points += plotted.points.size();
    plot.series.push_back(std::move(plotted));
  }
  for (const ReferenceLine& line : chart.lines) {
    if (!is_drawable(line.y, chart.y.logarithmic)) continue;
    ys.push_back(line.y);
    plot.lines.push_back(line);
  }
  plot.labelled = labels <= kLabelsMax;
  plot.x = scale_of(chart.x, xs);
  plot.y = scale_of(chart.y, ys);
  return plot;
}

BarPlot make_plot(const StackedBarChart& chart) {
  BarPlot plot;
  plot.bars = std::min(chart.bars.size(), kBarsMax);
  plot.bars_left_out = chart.bars.size() - plot.bars;
  std::vector<double> sums(plot.bars);
  for (std::size_t part = 0; part < chart.parts.size(); ++part) {
    std::vector<double> values(plot.bars);
    for (std::size_t bar = 0; bar < values.size(); ++bar) {
      const bool given = part < chart.values.size() && bar < chart.values[part].size();
      const double value = given ? chart.values[part][bar] : -1;
      if (value >= 0 && is_drawable(sums[bar] + value, /*logarithmic=*/false)) {
        values[bar] = value;
        sums[bar] += value;
      } else {
        ++plot.values_left_out;
      }
    }
    plot.values.push_back(std::move(values));
  }
  plot.scale = make_bar_scale(sums.empty() ? 0 : std::ranges::max(sums));
  return plot;
}

std::string describe_left_out(const XyPlot& plot) {
  if (plot.points_left_out == 0) return {};
  return fmt::format("{} cannot be drawn: not finite, or not positive on a logarithmic axis.",
                     count_of(plot.points_left_out, "point"));
}

std::string describe_left_out(const BarPlot& plot) {
  std::string text;
  if (plot.values_left_out > 0) {
    text = fmt::format("{} cannot be drawn: missing, not finite, or below 0.", count_of(plot.values_left_out, "part"));
  }
  if (plot.bars_left_out > 0) {
    text += fmt::format("{}{} not drawn.", text.empty() ? "" : " ", count_of(plot.bars_left_out, "more bar"));
  }
  return text;
}

std::string svg_marker(const PlottedSeries& series, double x, double y, double radius) {
  const std::size_t look = series.look;
  const std::string_view kind = series.dashed ? "marker hollow" : "marker";
  const auto path = [&](const std::string& data) {
    return fmt::format(R"(<path class="{} look-{}" d="{}"/>)", kind, look, data);
  };
  const double r = radius;
  switch (look % kLooks) {
    case 0:
      return fmt::format(R"(<circle class="{} look-{}" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>)", kind, look, x, y, r);
    case 1:  // A square.
      return path(
          fmt::format("M{:.1f} {:.1f}h{:.1f}v{:.1f}h{:.1f}z", x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8, r * -1.8));
    case 2:  // A triangle.
      return path(fmt::format("M{:.1f} {:.1f}l{:.1f} {:.1f}h{:.1f}z", x, y - r * 1.2, r * 1.2, r * 2.1, r * -2.4));
    case 3:  // A diamond.
      return path(fmt::format("M{:.1f} {:.1f}l{:.1f} {:.1f}l{:.1f} {:.1f}l{:.1f} {:.1f}z", x, y - r * 1.3, r * 1.3,
                              r * 1.3, r * -1.3, r * 1.3, r * -1.3, r * -1.3));
    case 4:  // A cross.
      return path(fmt::format("M{:.1f} {:.1f}l{:.1f} {:.1f}m0 {:.1f}l{:.1f} {:.1f}", x - r, y - r, r * 2, r * 2, r * -2,
                              r * -2, r * 2));
    default:  // A plus.
      return path(fmt::format("M{:.1f} {:.1f}h{:.1f}m{:.1f} {:.1f}v{:.1f}", x - r * 1.2, y, r * 2.4, r * -1.2, r * -1.2,
                              r * 2.4));
  }
}

std::string svg_pattern(std::string_view id, std::size_t look) {
  return fmt::format(
      R"(<pattern id="pattern-{0}-{1}" width="8" height="8" patternUnits="userSpaceOnUse"><rect class="fill look-{1}" )"
      R"(width="8" height="8"/><path class="hatch" d="{2}"/></pattern>)",
      id, look, kHatches[look % kLooks]);
}

std::string safe_id(std::string_view id) {
  std::string safe;
  for (const char character : id) {
    const bool plain = (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
                       (character >= '0' && character <= '9') || character == '-' || character == '_';
    safe += plain ? character : '_';
  }
  return safe;
}

}  // namespace tandem::report
