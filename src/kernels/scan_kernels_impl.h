// The scan's table over the vocabulary of simd.h. Included by one translation unit per instruction set, e.g.
// x86/kernels_avx512.cc.
#pragma once

#include "kernels/scan_f32_impl.h"
#include "kernels/scan_kernels.h"

namespace tandem {
namespace {

constexpr ScanKernels make_scan_kernels() { return {.inner_products_f32 = inner_products_f32}; }

}  // namespace
}  // namespace tandem
