// The kernels on AMX; the flags are in flags.cmake.
#include "kernels/encoder_kernels_impl.h"
#include "kernels/scan_kernels_impl.h"
#include "kernels/x86/amx_tiles.h"
#include "kernels/x86/kernel_tables.h"

namespace tandem {

constinit const EncoderKernels kEncoderKernelsAmx = make_encoder_kernels<TiledInt8, TiledBf16>();
constinit const ScanKernels kScanKernelsAmx = make_scan_kernels();

}  // namespace tandem
