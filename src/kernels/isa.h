// Which instruction set the kernels run on.
#pragma once

#include <string_view>

#include "tandem/result.h"

namespace tandem {

/// Instruction sets. kScalar is the reference that the others are tested against, and what a processor runs that has
/// none of them; those of x86 each include the ones before it.
enum class Isa {
  kScalar,
  kAvx2,        ///< AVX2, FMA, F16C.
  kAvx512,      ///< AVX-512 F, BW, DQ, VL.
  kAvx512Vnni,  ///< … and VNNI: int8 products at four times the rate of f32.
  kAvx512Bf16,  ///< … and BF16: bf16 products, on AMD at twice the rate of f32.
  kAmx,         ///< … and AMX: a matrix unit for bf16 and int8, at 8 and 16 times the rate of f32.
};

inline constexpr Isa kIsas[] = {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Vnni, Isa::kAvx512Bf16, Isa::kAmx};

std::string_view isa_name(Isa isa);

/// The best that this processor and operating system support. For AMX it asks the system for leave to use the tile
/// registers, which holds for the whole process.
Isa detect_isa();

/// Whether this processor and operating system support it and there are kernels for it here.
bool supports_isa(Isa isa);

/// Whether bf16 products are faster than f32 ones with this instruction set on this processor. Intel's vector units do
/// them at half the rate of f32, AMD's at twice.
bool bf16_is_fast(Isa isa);

/// detect_isa(), or a lower one that TANDEM_ISA in the environment names ("scalar", "avx2", "avx512", "avx512_vnni",
/// "avx512_bf16", "amx"). Errors: kInvalidArgument for another name, kUnsupported for one that this processor lacks.
Result<Isa> choose_isa();

}  // namespace tandem
