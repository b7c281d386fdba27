#include "machine.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/memory.h"

namespace tandem::cli {

Machine Machine::here() {
  Machine machine{.processor = "unknown processor"};
  std::ifstream stream("/proc/cpuinfo");
  for (std::string line; std::getline(stream, line);) {
    const std::size_t colon = line.find(": ");
    if (!line.starts_with("model name") || colon == std::string::npos) continue;
    machine.processor = line.substr(colon + 2);
    break;
  }
  machine.processors = static_cast<std::size_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L));
  machine.memory_bytes = physical_memory_bytes();
  return machine;
}

}  // namespace tandem::cli
