// Which instruction set the kernels run on.
#pragma once

#include <string_view>

#include "tandem/result.h"

namespace tandem {

/// Instruction sets, each including those before it. kScalar is the reference that the others are tested against.
enum class Isa {
  kScalar,
  kAvx2,        ///< AVX2, FMA, F16C.
  kAvx512,      ///< AVX-512 F, BW, DQ, VL.
  kAvx512Vnni,  ///< … and VNNI: int8 products at four times the rate of f32.
  kAvx512Bf16,  ///< … and BF16: bf16 products at twice the rate of f32.
};

std::string_view isa_name(Isa isa);

/// The best that this processor and operating system support.
Isa detect_isa();

/// detect_isa(), or a lower one that TANDEM_ISA in the environment names ("scalar", "avx2", "avx512", "avx512_vnni",
/// "avx512_bf16"). Errors: kInvalidArgument for another name, kUnsupported for one that this processor lacks.
Result<Isa> choose_isa();

}  // namespace tandem
