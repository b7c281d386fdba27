#include "kernels/isa.h"

#include <cstdlib>
#include <string>

namespace tandem {

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      break;
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Vnni:
      return "avx512_vnni";
    case Isa::kAvx512Bf16:
      return "avx512_bf16";
    case Isa::kAmx:
      return "amx";
  }
  return "scalar";
}

Result<Isa> choose_isa() {
  const Isa best = detect_isa();
  const char* forced = std::getenv("TANDEM_ISA");
  if (forced == nullptr || *forced == '\0') return best;
  for (const Isa isa : kIsas) {
    if (isa_name(isa) != forced) continue;
    if (supports_isa(isa)) return isa;
    return tl::unexpected(Error{ErrorCode::kUnsupported, "TANDEM_ISA: this processor has no " + std::string(forced) +
                                                             ", its best is " + std::string(isa_name(best))});
  }
  return tl::unexpected(Error{
      ErrorCode::kInvalidArgument,
      "TANDEM_ISA: expected scalar, avx2, avx512, avx512_vnni, avx512_bf16 or amx, got '" + std::string(forced) + "'"});
}

}  // namespace tandem
