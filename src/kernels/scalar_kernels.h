// The tables of the reference, which every processor can run.
#pragma once

#include "kernels/encoder_kernels.h"
#include "kernels/scan_kernels.h"

namespace tandem {

extern const EncoderKernels kEncoderKernelsScalar;
extern const ScanKernels kScanKernelsScalar;

}  // namespace tandem
