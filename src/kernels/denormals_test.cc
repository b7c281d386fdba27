#include "kernels/denormals.h"

#include <gtest/gtest.h>

#include <limits>

namespace tandem {
namespace {

float half_of(float value) {
  const volatile float not_known_to_the_compiler = value;
  return not_known_to_the_compiler / 2;
}

TEST(DenormalsAreZero, HoldsForItsLifetime) {
  constexpr float kSmallestNormal = std::numeric_limits<float>::min();
  {
    const DenormalsAreZero denormals_are_zero;
    EXPECT_EQ(half_of(kSmallestNormal), 0.0F);
  }
  EXPECT_GT(half_of(kSmallestNormal), 0.0F);
}

}  // namespace
}  // namespace tandem
