#include "kernels/kernels.h"

#include <xmmintrin.h>

#include "kernels/kernel_tables.h"

namespace tandem {

const Kernels& kernels_for(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      break;
    case Isa::kAvx2:
      return kKernelsAvx2;
    case Isa::kAvx512:
      return kKernelsAvx512;
    case Isa::kAvx512Vnni:
      return kKernelsAvx512Vnni;
    case Isa::kAvx512Bf16:
      return kKernelsAvx512Bf16;
    case Isa::kAmx:
      return kKernelsAmx;
  }
  return kKernelsScalar;
}

// Bits 15 and 6 of MXCSR (Intel SDM, volume 1, 10.2.3).
DenormalsAreZero::DenormalsAreZero() : previous_(_mm_getcsr()) { _mm_setcsr(previous_ | 0x8040U); }
DenormalsAreZero::~DenormalsAreZero() { _mm_setcsr(previous_); }

}  // namespace tandem
