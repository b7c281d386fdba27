// Charts as stand-alone SVG 1.1: shapes, text and one style sheet; no scripts, no fonts, nothing from outside.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "report/assets.h"
#include "report/escape.h"
#include "report/page.h"
#include "report/plot.h"

namespace tandem::report {

namespace {

constexpr double kWidth = 800;
constexpr double kPlotHeight = 360;
constexpr double kMargin = 20;
constexpr double kFontSize = 13;
constexpr double kLineHeight = 18;
constexpr double kMarkerRadius = 4.5;
constexpr double kLabelWidth = 280;
// From so many points on, their shapes would hide each other.
constexpr std::size_t kLargeMarkersMax = 200;
constexpr double kBarHeight = 26;
constexpr double kBarPitch = 42;
constexpr int kSumDigits = 4;

/// How wide a text is drawn, about: no viewer's font is known here. Wide scripts take a square each.
double text_width(std::string_view text, double font_size = kFontSize) {
  double width = 0;
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    position += step.bytes;
    width += step.code_point >= 0x1100 && step.code_point != U'∞' ? 1 : 0.6;
  }
  return width * font_size;
}

/// `text` as far as it fits into `width`, with "…" for its middle: names differ at their ends.
std::string cut_to(std::string_view text, double width) {
  if (text_width(text) <= width) return std::string(text);
  std::vector<std::string> characters;
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    position += step.bytes;
    append_utf8(characters.emplace_back(), step.code_point);
  }
  std::string head;
  std::string tail;
  double room = width - text_width("…");
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const bool at_end = i % 2 == 1;
    const std::string& next = at_end ? characters[characters.size() - 1 - i / 2] : characters[i / 2];
    room -= text_width(next);
    if (room < 0) break;
    at_end ? tail.insert(0, next) : head.append(next);
  }
  return head + "…" + tail;
}

/// `text` in lines that fit into `width`, broken at blanks; a word that is longer is cut.
std::vector<std::string> wrap(std::string_view text, double width) {
  std::vector<std::string> lines;
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", position), text.size());
    const std::string word = cut_to(text.substr(position, end - position), width);
    position = end + 1;
    if (word.empty()) continue;
    if (!lines.empty() && text_width(lines.back() + " " + word) <= width) {
      lines.back() += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

struct Box {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;

  bool overlaps(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
  bool contains(const Box& other) const {
    return left <= other.left && other.right <= right && top <= other.top && other.bottom <= bottom;
  }
};

/// A document that grows downwards: title, legend and caption are the same for every kind of chart.
class Drawing {
 public:
  Drawing(std::string_view id, std::string_view title, std::string_view caption)
      : id_(safe_id(id)), title_(title), caption_(caption) {
    for (const std::string& line : wrap(title, (kWidth - 2 * kMargin) * 0.85)) {
      add_text("title", kMargin, top_ + kLineHeight, "start", line);
      top_ += kLineHeight + 4;
    }
    top_ += 10;
  }

  void add(std::string_view svg) {
    body_ += svg;
    body_ += '\n';
  }

  void add_text(std::string_view kind, double x, double y, std::string_view anchor, std::string_view text) {
    add(fmt::format(R"(<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)", kind, x, y, anchor,
                    escape_markup(text)));
  }

  /// An entry of the legend: `swatch(x, y)` is a drawing 28 wide, y its middle. Entries flow into rows.
  template <class Swatch>
  void add_legend(std::string_view name, const Swatch& swatch) {
    constexpr double kSwatchWidth = 28;
    const std::string shown = cut_to(name, kWidth - 2 * kMargin - kSwatchWidth - 30);
    const double width = kSwatchWidth + 6 + text_width(shown) + 18;
    if (legend_x_ > kMargin && legend_x_ + width > kWidth - kMargin) end_legend();
    add(swatch(legend_x_, top_ + kLineHeight / 2));
    add_text("ink", legend_x_ + kSwatchWidth + 6, top_ + kLineHeight / 2 + 4.5, "start", shown);
    legend_x_ += width;
  }

  void end_legend() {
    if (legend_x_ > kMargin) top_ += kLineHeight + 4;
    legend_x_ = kMargin;
  }

  double top() const { return top_; }
  void move_to(double top) { top_ = top; }
  const std::string& id() const { return id_; }

  /// The document; `note` goes below the caption.
  std::string finish(std::string_view note) {
    for (const std::string_view text : {std::string_view(caption_), note}) {
      for (const std::string& line : wrap(text, kWidth - 2 * kMargin)) {
        top_ += kLineHeight;
        add_text("muted", kMargin, top_, "start", line);
      }
    }
    const double height = top_ + kMargin;
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
        "height=\"{1:.0f}\" role=\"img\" aria-labelledby=\"{2}-title {2}-text\">\n"
        "<title id=\"{2}-title\">{3}</title>\n<desc id=\"{2}-text\">{4}</desc>\n<style>\n{5}</style>\n"
        "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n{6}</svg>\n",
        kWidth, height, id_, escape_markup(title_), escape_markup(caption_), kChartCss, body_);
  }

  std::string finish_empty(std::string_view note) {
    add_text("muted", kMargin, top_ + kLineHeight, "start", "Nothing to draw.");
    top_ += 2 * kLineHeight;
    return finish(note);
  }

 private:
  std::string id_;
  std::string title_;
  std::string caption_;
  std::string body_;
  double top_ = kMargin;
  double legend_x_ = kMargin;
};

double widest_label(const Scale& scale) {
  double width = 0;
  for (const Tick& tick : scale.ticks) width = std::max(width, text_width(tick.label));
  return width;
}

/// Grid lines and numbers along the bottom of `frame`. Numbers that would touch the one before are left out.
void add_x_axis(Drawing& drawing, const Scale& scale, std::string_view title, const Box& frame) {
  double free_from = 0;
  for (const Tick& tick : scale.ticks) {
    const double x = frame.left + scale.position(tick.value) * (frame.right - frame.left);
    drawing.add(fmt::format(R"(<path class="grid" d="M{:.1f} {:.1f}V{:.1f}"/>)", x, frame.top, frame.bottom));
    const double half = text_width(tick.label) / 2;
    if (x - half < free_from) continue;
    drawing.add_text("muted", x, frame.bottom + kLineHeight, "middle", tick.label);
    free_from = x + half + 8;
  }
  drawing.add_text("ink", (frame.left + frame.right) / 2, frame.bottom + 2 * kLineHeight + 4, "middle",
                   cut_to(title, frame.right - frame.left));
}

class XyDrawing {
 public:
  explicit XyDrawing(const XyChart& chart)
      : chart_(chart), plot_(make_plot(chart)), drawing_(chart.id, chart.title, chart.caption) {}

  std::string draw() && {
    if (plot_.points == 0) return drawing_.finish_empty(describe_left_out(plot_));
    add_legend();
    const double left = kMargin + kLineHeight + 8 + widest_label(plot_.y) + 8;
    frame_ = {left, drawing_.top() + 8, kWidth - kMargin - 10, drawing_.top() + 8 + kPlotHeight};
    add_axes();
    for (const ReferenceLine& line : plot_.lines) add_reference_line(line);
    // A measured point lies above the one from which its extrapolation goes on.
    for (const bool dashed : {true, false}) {
      for (const PlottedSeries& series : plot_.series) {
        if (series.dashed == dashed) add_series(series);
      }
    }
    // Text lies above all shapes, and no text on another.
    for (const ReferenceLine& line : plot_.lines) add_reference_label(line);
    if (plot_.labelled) add_point_labels();
    drawing_.move_to(frame_.bottom + 2 * kLineHeight + 16);
    return drawing_.finish(describe_left_out(plot_));
  }

 private:
  double x_of(double value) const { return frame_.left + plot_.x.position(value) * (frame_.right - frame_.left); }
  double y_of(double value) const { return frame_.bottom - plot_.y.position(value) * (frame_.bottom - frame_.top); }
  double radius_of(const PlottedSeries& series) const {
    return series.size * (plot_.points > kLargeMarkersMax ? kMarkerRadius / 2 : kMarkerRadius);
  }

  static std::string line_path(const PlottedSeries& series, std::string_view data) {
    const std::string dashes =
        series.dashed ? fmt::format(R"( stroke-dasharray="{}")", kDashes[series.look]) : std::string();
    return fmt::format(R"(<path class="line look-{}"{} d="{}"/>)", series.look, dashes, data);
  }

  void add_legend() {
    for (const PlottedSeries& series : plot_.series) {
      drawing_.add_legend(series.legend, [&](double x, double y) {
        std::string swatch;
        if (series.line) swatch = line_path(series, fmt::format("M{:.1f} {:.1f}h28", x, y));
        return swatch + svg_marker(series, x + 14, y, kMarkerRadius);
      });
    }
    drawing_.end_legend();
  }

  void add_axes() {
    add_x_axis(drawing_, plot_.x, chart_.x.title, frame_);
    for (const Tick& tick : plot_.y.ticks) {
      const double y = y_of(tick.value);
      drawing_.add(fmt::format(R"(<path class="grid" d="M{:.1f} {:.1f}H{:.1f}"/>)", frame_.left, y, frame_.right));
      drawing_.add_text("muted", frame_.left - 8, y + 4.5, "end", tick.label);
    }
    const double middle = (frame_.top + frame_.bottom) / 2;
    drawing_.add(fmt::format(
        R"xml(<text class="ink" transform="translate({:.1f} {:.1f}) rotate(-90)" text-anchor="middle">{}</text>)xml",
        kMargin + kLineHeight - 4, middle, escape_markup(cut_to(chart_.y.title, kPlotHeight))));
  }

  void add_reference_line(const ReferenceLine& line) {
    drawing_.add(
        fmt::format(R"(<path class="reference" d="M{:.1f} {:.1f}H{:.1f}"/>)", frame_.left, y_of(line.y), frame_.right));
  }

  void add_reference_label(const ReferenceLine& line) {
    const std::string text = cut_to(line.label, (frame_.right - frame_.left) / 2);
    const double y = y_of(line.y) - 5;
    drawing_.add_text("muted halo", frame_.right - 6, y, "end", text);
    taken_.push_back({frame_.right - 6 - text_width(text), y - kFontSize, frame_.right, y + 3});
  }

  void add_series(const PlottedSeries& series) {
    std::string data;
    for (const Point& point : series.points) {
      const double x = x_of(point.x);
      const double y = y_of(point.y);
      if (point.y_low) {
        const double low = y_of(*point.y_low);
        const double high = y_of(*point.y_high);
        drawing_.add(fmt::format(R"(<path class="interval look-{}" d="M{:.1f} {:.1f}h8m-4 0V{:.1f}m-4 0h8"/>)",
                                 series.look, x - 4, low, high));
      }
      fmt::format_to(std::back_inserter(data), "{}{:.1f} {:.1f}", data.empty() ? "M" : "L", x, y);
    }
    if (series.line && !series.points.empty()) drawing_.add(line_path(series, data));
    const double radius = radius_of(series);
    for (const Point& point : series.points) {
      const double x = x_of(point.x);
      const double y = y_of(point.y);
      drawing_.add(svg_marker(series, x, y, radius));
      if (plot_.labelled) taken_.push_back({x - radius, y - radius, x + radius, y + radius});
    }
  }

  /// Puts each label beside, above or below its point, where there is room first; where there is none it is left out.
  /// On a line it had better be above or below.
  void add_point_labels() {
    for (const PlottedSeries& series : plot_.series) {
      for (const Point& point : series.points) {
        if (point.label.empty()) continue;
        const std::string text = cut_to(point.label, kLabelWidth);
        const double x = x_of(point.x);
        const double y = y_of(point.y);
        const double width = text_width(text);
        const double gap = radius_of(series) + 4;
        const Box right{x + gap, y - kFontSize / 2, x + gap + width, y + kFontSize / 2};
        const Box left{x - gap - width, right.top, x - gap, right.bottom};
        const Box above{x - width / 2, y - gap - kFontSize, x + width / 2, y - gap};
        const Box below{above.left, y + gap, above.right, y + gap + kFontSize};
        const std::array places =
            series.line ? std::array{above, below, right, left} : std::array{right, left, above, below};
        for (const Box& box : places) {
          if (!frame_.contains(box)) continue;
          if (std::ranges::any_of(taken_, [&](const Box& other) { return other.overlaps(box); })) continue;
          drawing_.add_text("ink halo", box.left, box.bottom - 2, "start", text);
          taken_.push_back(box);
          break;
        }
      }
    }
  }

  const XyChart& chart_;
  XyPlot plot_;
  Drawing drawing_;
  Box frame_;
  std::vector<Box> taken_;
};

}  // namespace

std::string to_svg(const XyChart& chart) { return XyDrawing(chart).draw(); }

std::string to_svg(const StackedBarChart& chart) {
  const BarPlot plot = make_plot(chart);
  Drawing drawing(chart.id, chart.title, chart.caption);
  if (plot.bars == 0 || plot.values.empty()) return drawing.finish_empty(describe_left_out(plot));
  std::string patterns = "<defs>";
  const std::size_t looks = std::min(chart.parts.size(), kLooks);
  for (std::size_t look = 0; look < looks; ++look) patterns += svg_pattern(drawing.id(), look);
  drawing.add(patterns + "</defs>");
  const auto rectangle = [&](std::size_t part, double x, double y, double width, double height) {
    return fmt::format(R"(<rect class="part look-{0}" x="{1:.1f}" y="{2:.1f}" width="{3:.1f}" height="{4:.1f}" )"
                       R"xml(fill="url(#pattern-{5}-{0})"/>)xml",
                       part % kLooks, x, y, width, height, drawing.id());
  };
  for (std::size_t part = 0; part < chart.parts.size(); ++part) {
    drawing.add_legend(chart.parts[part], [&](double x, double y) { return rectangle(part, x + 4, y - 7, 20, 14); });
  }
  drawing.end_legend();

  double names_width = 0;
  for (const std::string& bar : chart.bars) names_width = std::max(names_width, text_width(bar));
  names_width = std::min(names_width, kWidth * 0.4);
  const double top = drawing.top() + 8;
  const Box frame{kMargin + names_width + 10, top, kWidth - kMargin - 70,
                  top + kBarPitch * static_cast<double>(plot.bars)};
  add_x_axis(drawing, plot.scale, chart.value_title, frame);
  for (std::size_t bar = 0; bar < plot.bars; ++bar) {
    const double middle = frame.top + kBarPitch * (static_cast<double>(bar) + 0.5);
    drawing.add_text("ink", frame.left - 10, middle + 4.5, "end", cut_to(chart.bars[bar], names_width));
    double x = frame.left;
    double sum = 0;
    for (std::size_t part = 0; part < plot.values.size(); ++part) {
      sum += plot.values[part][bar];
      const double end = frame.left + plot.scale.position(sum) * (frame.right - frame.left);
      if (end > x) drawing.add(rectangle(part, x, middle - kBarHeight / 2, end - x, kBarHeight));
      x = end;
    }
    drawing.add_text("ink halo", x + 6, middle + 4.5, "start", format_number(sum, kSumDigits));
  }
  drawing.move_to(frame.bottom + 2 * kLineHeight + 16);
  return drawing.finish(describe_left_out(plot));
}

}  // namespace tandem::report
