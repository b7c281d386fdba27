// Tests that run once on each instruction set that this machine has, against the scalar reference.
//
//   using ScanKernelsTest = EachIsa;
//   TEST_P(ScanKernelsTest, …) { scan_kernels_for(GetParam()) … }
//   INSTANTIATE_TEST_SUITE_P(Isas, ScanKernelsTest, each_isa(), isa_of);
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "kernels/isa.h"

namespace tandem {

constexpr float kEpsilon = 5.96e-8F;  // Half a unit in the last place of an f32 in [1, 2).

class EachIsa : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!supports_isa(GetParam())) GTEST_SKIP() << "this processor has no " << isa_name(GetParam());
  }

  std::vector<float> randoms(std::size_t count, float deviation = 1.0F) {
    std::normal_distribution<float> normal(0, deviation);
    std::vector<float> values(count);
    for (float& value : values) value = normal(random_);
    return values;
  }

  std::mt19937 random_{20240607};
};

inline auto each_isa() { return testing::ValuesIn(kIsas); }

inline std::string isa_of(const testing::TestParamInfo<Isa>& info) { return std::string(isa_name(info.param)); }

}  // namespace tandem
