// The tables that the translation units of the instruction sets define.
#pragma once

#include "kernels/kernels.h"

namespace tandem {

extern const Kernels kKernelsScalar;
extern const Kernels kKernelsAvx2;
extern const Kernels kKernelsAvx512;
extern const Kernels kKernelsAvx512Vnni;
extern const Kernels kKernelsAvx512Bf16;
extern const Kernels kKernelsAmx;

}  // namespace tandem
