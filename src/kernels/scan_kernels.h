// The kernels of the index: what a search computes with every vector. One table of functions per instruction set, with
// an entry for each type of elements that vectors are kept in.
//
// All matrices are row-major. A score depends on its query and its vector alone, never on how many others are computed
// with it.
#pragma once

#include <cstddef>

#include "kernels/isa.h"

namespace tandem {

struct ScanKernels {
  /// scores[q · row_count + r] = ⟨queries[q], rows[r]⟩.
  void (*inner_products_f32)(const float* queries, std::size_t query_count, const float* rows, std::size_t row_count,
                             std::size_t dimensions, float* scores);
};

/// The kernels of an instruction set, which the processor must have.
const ScanKernels& scan_kernels_for(Isa isa);

}  // namespace tandem
