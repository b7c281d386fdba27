// The kernels on AVX2; the flags are in flags.cmake.
#include "kernels/dot.h"
#include "kernels/encoder_kernels_impl.h"
#include "kernels/scan_kernels_impl.h"
#include "kernels/x86/kernel_tables.h"

namespace tandem {

constinit const EncoderKernels kEncoderKernelsAvx2 = make_encoder_kernels<DotWidenedInt8>();
constinit const ScanKernels kScanKernelsAvx2 = make_scan_kernels();

}  // namespace tandem
