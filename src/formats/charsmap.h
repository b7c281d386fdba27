// The table of replacements that a SentencePiece model normalises with: `precompiled_charsmap`.
//
//   bytes 0…3      the size of the trie in bytes, little-endian
//   then           the trie: units of 4 bytes, little-endian, a double array as darts-clone builds it
//   then           the replacements, UTF-8, each ended by a zero byte; a value of the trie is where one begins
//
// A unit's bits: 0…7 the byte that leads to it; 8 set when its node has a value; 9 and 10… the offset to its children,
// shifted left by 8 when bit 9 is set. A value is a unit with bit 31 set; its other bits are the value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/result.h"

namespace tandem {

/// A table that was checked: no string that is looked up leads outside `units`, every value is a place in
/// `replacements` where a code point begins.
struct Charsmap {
  std::vector<std::uint32_t> units;
  std::string replacements;

  static bool has_value(std::uint32_t unit) { return (unit >> 8 & 1) != 0; }
  static std::uint32_t value(std::uint32_t unit) { return unit & 0x7FFFFFFFU; }
  static std::uint32_t label(std::uint32_t unit) { return unit & 0x800000FFU; }
  static std::uint32_t offset(std::uint32_t unit) { return unit >> 10 << ((unit & 1U << 9) >> 6); }
};

/// Reads and checks the bytes. `name` stands in front of every error. Errors: kCorruptData.
Result<Charsmap> parse_charsmap(std::string_view bytes, std::string_view name);

}  // namespace tandem
