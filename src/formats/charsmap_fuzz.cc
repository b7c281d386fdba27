// A table that is read must be safe to look anything up in.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "formats/charsmap.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tandem::Charsmap;
  const auto charsmap = tandem::parse_charsmap({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!charsmap) return 0;
  // Walks along the input's own bytes from every place.
  for (std::size_t begin = 0; begin < size; begin += 7) {
    std::uint32_t node = Charsmap::offset(charsmap->units[0]);
    for (std::size_t index = begin; index < size && data[index] != 0; ++index) {
      node ^= data[index];
      const std::uint32_t unit = charsmap->units.at(node);
      if (Charsmap::label(unit) != data[index]) break;
      node ^= Charsmap::offset(unit);
      if (Charsmap::has_value(unit)) {
        CHECK(Charsmap::value(charsmap->units.at(node)) < charsmap->replacements.size());
      }
    }
  }
  return 0;
}
