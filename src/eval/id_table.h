// Numbers in place of ids: a million results name each query and document by four bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace tandem {

/// Gives each different text a number, 0, 1, 2 … in the order in which they come. Texts that it hands out stay where
/// they are for as long as the table lives, moved or not.
class IdTable {
 public:
  /// As many ids as fit.
  static constexpr std::size_t kIdsMax = std::numeric_limits<std::uint32_t>::max() - 1;

  /// The number of a text, which gets one if it has none. The caller sees to it that there are fewer than kIdsMax.
  std::uint32_t intern(std::string_view id);
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
  std::string_view keep(std::string_view id);

  std::vector<Slot> slots_;  // A power of two, at most half full.
  std::vector<std::string_view> ids_;
  std::vector<std::unique_ptr<char[]>> chunks_;  // The characters of ids_.
  std::size_t chunk_used_ = 0;
  std::size_t chunk_size_ = 0;
};

/// A set of pairs of numbers below kIdsMax.
class PairSet {
 public:
  /// False when the pair was there already.
  bool insert(std::uint32_t first, std::uint32_t second);

 private:
  static constexpr std::uint64_t kFree = std::numeric_limits<std::uint64_t>::max();

  std::size_t slot_of(std::uint64_t key) const;
  void grow();

  std::vector<std::uint64_t> slots_;  // As in IdTable.
  std::size_t size_ = 0;
};

}  // namespace tandem
