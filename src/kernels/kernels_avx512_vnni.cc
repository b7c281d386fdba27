// The kernels for avx512_vnni; the flags are in CMakeLists.txt.
#include "kernels/kernel_tables.h"
#include "kernels/kernels_impl.h"

namespace tandem {

constinit const Kernels kKernelsAvx512Vnni = make_kernels(Isa::kAvx512Vnni);

}  // namespace tandem
