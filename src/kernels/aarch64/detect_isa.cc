#include "kernels/isa.h"

namespace tandem {

Isa detect_isa() { return Isa::kScalar; }

bool supports_isa(Isa isa) { return isa == Isa::kScalar; }

bool bf16_is_fast(Isa) { return false; }

}  // namespace tandem
