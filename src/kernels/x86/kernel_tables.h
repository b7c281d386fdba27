// The tables that the translation units of the instruction sets of x86 define.
#pragma once

#include "kernels/encoder_kernels.h"
#include "kernels/scan_kernels.h"

namespace tandem {

extern const EncoderKernels kEncoderKernelsAvx2;
extern const EncoderKernels kEncoderKernelsAvx512;
extern const EncoderKernels kEncoderKernelsAvx512Vnni;
extern const EncoderKernels kEncoderKernelsAvx512Bf16;
extern const EncoderKernels kEncoderKernelsAmx;

extern const ScanKernels kScanKernelsAvx2;
extern const ScanKernels kScanKernelsAvx512;
extern const ScanKernels kScanKernelsAvx512Vnni;
extern const ScanKernels kScanKernelsAvx512Bf16;
extern const ScanKernels kScanKernelsAmx;

}  // namespace tandem
