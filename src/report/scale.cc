#include "report/scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tandem::report {

namespace {

constexpr double kMagnitudeMax = 1e300;
constexpr double kMagnitudeMin = 1e-300;  // On a logarithmic axis.
constexpr double kTicksWanted = 6;
// Up to so many powers of ten in sight, a logarithmic axis also has ticks at 2 and 5 times these.
constexpr int kFineDecadesMax = 3;
constexpr int kDecadesLabelledMax = 8;

/// 1, 2, 5, 10, 20, 50 … by number: 0 is 1, 3 is 10, -1 is 0.5.
double round_number(int number) {
  static constexpr std::array kMantissas{1.0, 2.0, 5.0};
  const int decade = number >= 0 ? number / 3 : -((2 - number) / 3);
  return kMantissas[static_cast<std::size_t>(number - 3 * decade)] * std::pow(10.0, decade);
}

int floor_round_number(double value) {
  int number = static_cast<int>(std::floor(std::log10(value))) * 3 + 3;
  while (round_number(number) > value) --number;
  return number;
}

Scale make_log_scale(double low, double high) {
  // A tenth more on both sides keeps the outermost marks off the frame.
  const int first = floor_round_number(low / 1.1);
  int last = floor_round_number(high * 1.1) + 1;
  Scale scale{.low = round_number(first), .high = round_number(last), .logarithmic = true};
  const int decades = (last - first) / 3;
  const int step = decades <= kFineDecadesMax ? 1 : 3 * (1 + (decades - 1) / kDecadesLabelledMax);
  for (int number = first; number <= last; ++number) {
    if (number % step == 0) scale.ticks.push_back({round_number(number), format_number(round_number(number))});
  }
  return scale;
}

Scale make_linear_scale(double low, double high) {
  // Values so close together that rounding would decide where the ticks are count as one.
  const double magnitude = std::max(std::abs(low), std::abs(high));
  if (high - low <= std::max(magnitude * 1e-9, kMagnitudeMin)) {
    const double room = magnitude <= kMagnitudeMin ? 1 : magnitude / 10;
    low -= room;
    high += room;
  }
  // Numbers that begin near 0 are compared by their distance from it.
  if (low > 0 && low < high * 0.3) low = 0;
  if (high < 0 && high > low * 0.3) high = 0;
  const double room = (high - low) * 0.03;
  if (low != 0) low -= room;
  if (high != 0) high += room;
  const double step = round_number(floor_round_number((high - low) / kTicksWanted) + 1);
  const double first = std::floor(low / step);
  const double last = std::ceil(high / step);
  Scale scale{.low = first * step, .high = last * step};
  for (double number = first; number <= last; ++number) {
    scale.ticks.push_back({number * step, format_number(number * step)});
  }
  return scale;
}

void insert_separators(std::string& digits) {
  const std::size_t begin = digits.front() == '-' ? 1 : 0;
  std::size_t position = std::min(digits.find('.'), digits.size());
  while (position > begin + 3) digits.insert(position -= 3, ",");
}

}  // namespace

double Scale::position(double value) const {
  if (!logarithmic) return (value - low) / (high - low);
  return (std::log10(value) - std::log10(low)) / (std::log10(high) - std::log10(low));
}

bool is_drawable(double value, bool logarithmic) {
  if (!std::isfinite(value) || std::abs(value) > kMagnitudeMax) return false;
  return !logarithmic || value >= kMagnitudeMin;
}

Scale make_scale(const std::vector<double>& values, bool logarithmic) {
  if (values.empty()) return logarithmic ? make_log_scale(1.2, 9) : make_share_scale();
  const auto [low, high] = std::ranges::minmax(values);
  return logarithmic ? make_log_scale(low, high) : make_linear_scale(low, high);
}

Scale make_share_scale() { return make_linear_scale(0, 0.97); }

Scale make_bar_scale(double high) { return make_linear_scale(0, high > 0 ? high : 1); }

std::string format_number(double value, int digits) {
  const double magnitude = std::abs(value);
  if (!std::isfinite(value)) return std::isnan(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  if (magnitude == 0) return "0";
  if (magnitude >= 1e7 || magnitude < 1e-4) {
    std::string text = fmt::format("{:.{}e}", value, digits - 1);  // "1.50000e-07"
    const std::size_t exponent = text.find('e');
    const std::size_t mantissa_end = text.find_last_not_of(".0", exponent - 1) + 1;
    const int power = std::stoi(text.substr(exponent + 1));
    return fmt::format("{}e{}", text.substr(0, mantissa_end), power);
  }
  const int decimals = std::clamp(digits - 1 - static_cast<int>(std::floor(std::log10(magnitude))), 0, 9);
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (decimals > 0) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  insert_separators(text);
  return text;
}

}  // namespace tandem::report
