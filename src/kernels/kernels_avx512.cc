// The kernels for avx512; the flags are in CMakeLists.txt.
#include "kernels/kernel_tables.h"
#include "kernels/kernels_impl.h"

namespace tandem {

constinit const Kernels kKernelsAvx512 = make_kernels(Isa::kAvx512);

}  // namespace tandem
