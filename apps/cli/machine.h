// The machine that something was measured on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tandem::cli {

/// The processor's name, how many of it there are, and the memory.
struct Machine {
  std::string processor;
  std::size_t processors = 0;
  std::uint64_t memory_bytes = 0;

  static Machine here();
};

}  // namespace tandem::cli
