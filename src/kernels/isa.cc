#include "kernels/isa.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace tandem {
namespace {

constexpr std::array<std::string_view, 6> kNames = {"scalar", "avx2", "avx512", "avx512_vnni", "avx512_bf16", "amx"};

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

std::string_view isa_name(Isa isa) { return kNames[static_cast<std::size_t>(isa)]; }

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

bool bf16_is_fast(Isa isa) {
  __builtin_cpu_init();
  return isa == Isa::kAmx || (isa == Isa::kAvx512Bf16 && !__builtin_cpu_is("intel"));
}

Result<Isa> choose_isa() {
  const Isa best = detect_isa();
  const char* forced = std::getenv("TANDEM_ISA");
  if (forced == nullptr || *forced == '\0') return best;
  for (std::size_t index = 0; index < kNames.size(); ++index) {
    if (kNames[index] != forced) continue;
    if (index > static_cast<std::size_t>(best)) {
      return tl::unexpected(Error{ErrorCode::kUnsupported, "TANDEM_ISA: this processor has no " + std::string(forced) +
                                                               ", its best is " + std::string(isa_name(best))});
    }
    return static_cast<Isa>(index);
  }
  return tl::unexpected(Error{
      ErrorCode::kInvalidArgument,
      "TANDEM_ISA: expected scalar, avx2, avx512, avx512_vnni, avx512_bf16 or amx, got '" + std::string(forced) + "'"});
}

}  // namespace tandem
