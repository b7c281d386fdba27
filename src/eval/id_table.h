// Numbers in place of ids, and where the characters of ids are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/string_map.h"

namespace tandem {

/// Keeps texts where they are for as long as it lives, moved or not. Not thread-safe.
class TextArena {
 public:
  /// A copy of the text.
  std::string_view keep(std::string_view text);

 private:
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t chunk_used_ = 0;
  std::size_t chunk_size_ = 0;
};

/// Gives each different text a number, 0, 1, 2 … in the order in which they come. Many small tables share one arena,
/// which outlives them, and the secret of one hash: drawing one takes longer than filling a small table.
class IdTable {
 public:
  explicit IdTable(const StringHash& hash) : hash_(hash) {}

  /// As many ids as fit.
  static constexpr std::size_t kIdsMax = std::numeric_limits<std::uint32_t>::max() - 1;

  /// The number of a text, which gets one, size() until then, if it has none. The caller sees to it that there are
  /// fewer than kIdsMax.
  std::uint32_t intern(std::string_view id, TextArena& arena);
  std::optional<std::uint32_t> find(std::string_view id) const;

  std::string_view operator[](std::uint32_t number) const { return ids_[number]; }
  std::size_t size() const { return ids_.size(); }

 private:
  /// Where an id is looked up: at its hash or, if others were there first, in the next slot that is free.
  struct Slot {
    std::uint32_t hash = 0;  // The upper half, which spares most comparisons of texts.
    std::uint32_t number = kFree;
  };
  static constexpr std::uint32_t kFree = std::numeric_limits<std::uint32_t>::max();

  std::size_t slot_of(std::string_view id, std::uint64_t hash) const;
  void grow();

  StringHash hash_;
  std::vector<std::string_view> ids_;
  std::vector<Slot> slots_;  // A power of two, at most half full; none for few ids, which are compared one by one.
};

}  // namespace tandem
