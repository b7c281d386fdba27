// The kernels for amx; the flags are in CMakeLists.txt.
#include "kernels/kernel_tables.h"
#include "kernels/kernels_impl.h"

namespace tandem {

constinit const Kernels kKernelsAmx = make_kernels(Isa::kAmx);

}  // namespace tandem
