// The kernels for avx512_bf16; the flags are in CMakeLists.txt.
#include "kernels/kernel_tables.h"
#include "kernels/kernels_impl.h"

namespace tandem {

constinit const Kernels kKernelsAvx512Bf16 = make_kernels(Isa::kAvx512Bf16);

}  // namespace tandem
