#include "eval/student_t.h"

#include <math.h>

#include <cmath>
#include <limits>

namespace tandem {
namespace {

// std::lgamma() writes a global.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

// The continued fraction of the incomplete beta function, DLMF 8.17.22, by the modified Lentz algorithm. It converges
// within a number of steps of the order of sqrt(max(a, b)) for x < (a + 1) / (a + b + 2).
double beta_fraction(double x, double a, double b) {
  constexpr int kStepsMax = 100'000;
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m <= kStepsMax; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < std::numeric_limits<double>::epsilon()) break;
  }
  return fraction;
}

// The regularised incomplete beta function I_x(a, b), DLMF 8.17; `y` is 1 − x without its rounding.
double incomplete_beta(double x, double y, double a, double b) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const double factor = std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) + b * std::log(y));
  if (x < (a + 1) / (a + b + 2)) return factor * beta_fraction(x, a, b) / a;
  return 1 - factor * beta_fraction(y, b, a) / b;
}

}  // namespace

// I_x(ν / 2, 1 / 2) with x = ν / (ν + t²): Abramowitz and Stegun 26.7.1.
double student_t_two_sided_p(double t, double degrees_of_freedom) {
  const double sum = degrees_of_freedom + t * t;
  return incomplete_beta(degrees_of_freedom / sum, t * t / sum, degrees_of_freedom / 2, 0.5);
}

}  // namespace tandem
