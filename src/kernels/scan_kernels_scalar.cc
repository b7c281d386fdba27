// The reference: what each kernel means, in the plainest form, with sums in double. Slow on purpose.
#include "kernels/scalar_kernels.h"
#include "kernels/scan_kernels.h"

namespace tandem {
namespace {

void inner_products_f32(const float* queries, std::size_t query_count, const float* rows, std::size_t row_count,
                        std::size_t dimensions, float* scores) {
  for (std::size_t q = 0; q < query_count; ++q) {
    for (std::size_t r = 0; r < row_count; ++r) {
      double sum = 0;
      for (std::size_t i = 0; i < dimensions; ++i) {
        sum += static_cast<double>(queries[q * dimensions + i]) * rows[r * dimensions + i];
      }
      scores[q * row_count + r] = static_cast<float>(sum);
    }
  }
}

}  // namespace

constinit const ScanKernels kScanKernelsScalar = {.inner_products_f32 = inner_products_f32};

}  // namespace tandem
