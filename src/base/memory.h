// How much memory this machine has.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace tandem {

/// 0 where the system does not say.
inline std::uint64_t physical_memory_bytes() {
  return static_cast<std::uint64_t>(std::max(::sysconf(_SC_PHYS_PAGES), 0L)) *
         static_cast<std::uint64_t>(std::max(::sysconf(_SC_PAGESIZE), 0L));
}

}  // namespace tandem
