// Which tables an instruction set of x86 has.
#include "kernels/encoder_kernels.h"
#include "kernels/scalar_kernels.h"
#include "kernels/scan_kernels.h"
#include "kernels/x86/kernel_tables.h"

namespace tandem {

const EncoderKernels& encoder_kernels_for(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      break;
    case Isa::kAvx2:
      return kEncoderKernelsAvx2;
    case Isa::kAvx512:
      return kEncoderKernelsAvx512;
    case Isa::kAvx512Vnni:
      return kEncoderKernelsAvx512Vnni;
    case Isa::kAvx512Bf16:
      return kEncoderKernelsAvx512Bf16;
    case Isa::kAmx:
      return kEncoderKernelsAmx;
  }
  return kEncoderKernelsScalar;
}

const ScanKernels& scan_kernels_for(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      break;
    case Isa::kAvx2:
      return kScanKernelsAvx2;
    case Isa::kAvx512:
      return kScanKernelsAvx512;
    case Isa::kAvx512Vnni:
      return kScanKernelsAvx512Vnni;
    case Isa::kAvx512Bf16:
      return kScanKernelsAvx512Bf16;
    case Isa::kAmx:
      return kScanKernelsAmx;
  }
  return kScanKernelsScalar;
}

}  // namespace tandem
