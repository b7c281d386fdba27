#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernels/isa.h"

namespace tandem {
namespace {

/// Tile registers are 8 KiB that Linux saves only for processes that have asked: arch/x86/xstate.rst of its
/// documentation.
bool may_use_amx() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  constexpr unsigned kBf16TileInt8 = 1U << 22 | 1U << 24 | 1U << 25;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (edx & kBf16TileInt8) != kBf16TileInt8) return false;
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

// GCC's builtin also asks the operating system (XGETBV) whether it saves the wide registers.
Isa detect_isa() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Isa::kScalar;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
    return Isa::kAvx2;
  }
  if (!__builtin_cpu_supports("avx512vnni")) return Isa::kAvx512;
  if (!__builtin_cpu_supports("avx512bf16")) return Isa::kAvx512Vnni;
  return may_use_amx() ? Isa::kAmx : Isa::kAvx512Bf16;
}

bool supports_isa(Isa isa) { return isa <= detect_isa(); }

bool bf16_is_fast(Isa isa) {
  __builtin_cpu_init();
  return isa == Isa::kAmx || (isa == Isa::kAvx512Bf16 && !__builtin_cpu_is("intel"));
}

}  // namespace tandem
