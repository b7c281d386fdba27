// Every instruction set that this machine has, against the scalar reference.
#include "kernels/scan_kernels.h"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/testing/each_isa.h"

namespace tandem {
namespace {

class ScanKernelsTest : public EachIsa {
 protected:
  const ScanKernels& fast() const { return scan_kernels_for(GetParam()); }
  const ScanKernels& reference() const { return scan_kernels_for(Isa::kScalar); }
};

INSTANTIATE_TEST_SUITE_P(Isas, ScanKernelsTest, each_isa(), isa_of);

TEST_P(ScanKernelsTest, InnerProductsMatchTheReferenceWhateverTheTile) {
  for (const std::size_t dimensions : {1, 3, 16, 100, 384}) {
    for (const std::size_t queries : {1, 2, 4, 7}) {
      const std::size_t rows = 11;
      const auto q = randoms(queries * dimensions);
      const auto r = randoms(rows * dimensions);
      std::vector<float> expected(queries * rows);
      std::vector<float> got(queries * rows);
      reference().inner_products_f32(q.data(), queries, r.data(), rows, dimensions, expected.data());
      fast().inner_products_f32(q.data(), queries, r.data(), rows, dimensions, got.data());
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_NEAR(got[i], expected[i], 4 * kEpsilon * static_cast<float>(dimensions) + 1e-6F);
      }
      float alone = 0;
      fast().inner_products_f32(q.data() + (queries - 1) * dimensions, 1, r.data() + (rows - 1) * dimensions, 1,
                                dimensions, &alone);
      ASSERT_EQ(alone, got.back());
    }
  }
}

}  // namespace
}  // namespace tandem
