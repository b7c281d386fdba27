#include "report/scale.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tandem::report {
namespace {

std::vector<std::string> labels(const Scale& scale) {
  std::vector<std::string> result;
  for (const Tick& tick : scale.ticks) result.push_back(tick.label);
  return result;
}

using Labels = std::vector<std::string>;

TEST(Scale, LogarithmicTicksArePowersOfTen) {
  EXPECT_EQ(labels(make_scale({100, 1'000'000}, true)), (Labels{"100", "1,000", "10,000", "100,000", "1,000,000"}));
}

TEST(Scale, FewPowersOfTenGetTicksBetweenThem) {
  const Scale scale = make_scale({3, 40}, true);
  EXPECT_EQ(labels(scale), (Labels{"2", "5", "10", "20", "50"}));
  EXPECT_EQ(scale.low, 2);
  EXPECT_EQ(scale.high, 50);
}

TEST(Scale, ManyPowersOfTenAreThinnedOut) {
  const Scale scale = make_scale({1e-300, 1e300}, true);
  EXPECT_LE(scale.ticks.size(), 10U);
  EXPECT_GE(scale.ticks.size(), 4U);
}

TEST(Scale, LinearTicksAreRound) {
  EXPECT_EQ(labels(make_scale({0.61, 0.74}, false)), (Labels{"0.6", "0.65", "0.7", "0.75"}));
  EXPECT_EQ(labels(make_scale({3, 97}, false)), (Labels{"0", "20", "40", "60", "80", "100"}));
  EXPECT_EQ(labels(make_scale({-5, 5}, false)), (Labels{"-6", "-4", "-2", "0", "2", "4", "6"}));
}

TEST(Scale, SharesGoFromZeroToOne) {
  EXPECT_EQ(labels(make_share_scale()), (Labels{"0", "0.2", "0.4", "0.6", "0.8", "1"}));
  EXPECT_EQ(make_share_scale().low, 0);
  EXPECT_EQ(make_share_scale().high, 1);
}

TEST(Scale, BarsBeginAtZero) {
  EXPECT_EQ(make_bar_scale(47).low, 0);
  EXPECT_EQ(make_bar_scale(0).low, 0);
  EXPECT_GT(make_bar_scale(0).high, 0);
}

// Whatever can be drawn gets a scale that holds it, with ascending ticks inside it, and not too many.
TEST(Scale, HoldsItsValues) {
  const double values[] = {0,         -1e300, 1e300,    1e-300, 5e-324,     -5e-324, 1,
                           1 + 1e-16, 1e15,   1e15 + 1, 0.1,    123456.789, -7};
  for (const bool logarithmic : {false, true}) {
    for (const double a : values) {
      for (const double b : values) {
        if (!is_drawable(a, logarithmic) || !is_drawable(b, logarithmic)) continue;
        const Scale scale = make_scale({a, b}, logarithmic);
        ASSERT_LE(scale.low, std::min(a, b));
        ASSERT_GE(scale.high, std::max(a, b));
        ASSERT_LT(scale.low, scale.high);
        ASSERT_FALSE(scale.ticks.empty()) << a << " " << b << " " << logarithmic;
        ASSERT_LE(scale.ticks.size(), 20U) << a << " " << b;
        for (std::size_t i = 0; i < scale.ticks.size(); ++i) {
          const double position = scale.position(scale.ticks[i].value);
          ASSERT_GE(position, -1e-9);
          ASSERT_LE(position, 1 + 1e-9);
          if (i > 0) {
            ASSERT_GT(scale.ticks[i].value, scale.ticks[i - 1].value);
          }
        }
        ASSERT_TRUE(std::isfinite(scale.position(a)));
      }
    }
  }
}

TEST(Scale, KnowsWhatCannotBeDrawn) {
  for (const double value : {std::nan(""), std::numeric_limits<double>::infinity(), 1e301}) {
    EXPECT_FALSE(is_drawable(value, false));
    EXPECT_FALSE(is_drawable(-value, true));
  }
  EXPECT_TRUE(is_drawable(0, false));
  EXPECT_TRUE(is_drawable(-3, false));
  EXPECT_FALSE(is_drawable(0, true));
  EXPECT_FALSE(is_drawable(-3, true));
}

TEST(Scale, WithoutValuesItIsStillAScale) {
  EXPECT_EQ(labels(make_scale({}, true)), (Labels{"1", "2", "5", "10"}));
  EXPECT_EQ(make_scale({}, false).high, 1);
}

TEST(FormatNumber, IsShort) {
  EXPECT_EQ(format_number(0), "0");
  EXPECT_EQ(format_number(-0.0), "0");
  EXPECT_EQ(format_number(0.25), "0.25");
  EXPECT_EQ(format_number(12500), "12,500");
  EXPECT_EQ(format_number(-1234567), "-1,234,567");
  EXPECT_EQ(format_number(-123), "-123");
  EXPECT_EQ(format_number(1234.5), "1,234.5");
  EXPECT_EQ(format_number(999999.96), "1,000,000");
  EXPECT_EQ(format_number(1e7), "1e7");
  EXPECT_EQ(format_number(3.2e-7), "3.2e-7");
  EXPECT_EQ(format_number(1.0 / 3), "0.333333");
  EXPECT_EQ(format_number(2227.973, 4), "2,228");
  EXPECT_EQ(format_number(123456, 4), "123,456");
  EXPECT_EQ(format_number(3.09022, 4), "3.09");
  EXPECT_EQ(format_number(std::nan("")), "NaN");
  EXPECT_EQ(format_number(-std::numeric_limits<double>::infinity()), "−∞");
}

}  // namespace
}  // namespace tandem::report
