// The kernels on AVX-512 with VNNI; the flags are in flags.cmake.
#include "kernels/encoder_kernels_impl.h"
#include "kernels/scan_kernels_impl.h"
#include "kernels/x86/dot_vnni.h"
#include "kernels/x86/kernel_tables.h"

namespace tandem {

constinit const EncoderKernels kEncoderKernelsAvx512Vnni = make_encoder_kernels<DotInt8>();
constinit const ScanKernels kScanKernelsAvx512Vnni = make_scan_kernels();

}  // namespace tandem
