// The kernels for avx2; the flags are in CMakeLists.txt.
#include "kernels/kernel_tables.h"
#include "kernels/kernels_impl.h"

namespace tandem {

constinit const Kernels kKernelsAvx2 = make_kernels(Isa::kAvx2);

}  // namespace tandem
