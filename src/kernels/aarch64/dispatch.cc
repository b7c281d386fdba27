// aarch64 runs the reference: it has no tables of its own.
#include "kernels/encoder_kernels.h"
#include "kernels/scalar_kernels.h"
#include "kernels/scan_kernels.h"

namespace tandem {

const EncoderKernels& encoder_kernels_for(Isa) { return kEncoderKernelsScalar; }

const ScanKernels& scan_kernels_for(Isa) { return kScanKernelsScalar; }

}  // namespace tandem
