// Which rows of a segment a search looks at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tandem {

/// One bit for each row, the lowest of a word first; without bits, every row. Borrows.
class RowFilter {
 public:
  RowFilter() = default;
  /// `bits`: at least one for each row.
  explicit RowFilter(std::span<const std::uint64_t> bits) : bits_(bits) {}

  bool holds(std::size_t row) const { return bits_.empty() || (bits_[row / 64] >> (row % 64) & 1) != 0; }

 private:
  std::span<const std::uint64_t> bits_;
};

}  // namespace tandem
