// The rows that an index scans: vectors in memory, or in a file, whose blocks are checked when they are first read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "tandem/matrix.h"
#include "tandem/result.h"

namespace tandem {

/// How a component lies in memory and in a file. The numbers are those of the file.
enum class ElementType : std::uint32_t {
  kF32 = 1,   ///< IEEE 754 binary32.
  kBf16 = 2,  ///< The upper half of an f32.
  kInt8 = 3,
};

std::size_t bytes_of(ElementType element);
/// "f32".
std::string_view name_of(ElementType element);

/// Consecutive rows of one element type, row-major without gaps. Borrows.
struct VectorBlock {
  ElementType element = ElementType::kF32;
  const std::byte* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;

  VectorBlock() = default;
  VectorBlock(MatrixView matrix)
      : data(reinterpret_cast<const std::byte*>(matrix.data)), rows(matrix.rows), columns(matrix.columns) {}
  VectorBlock(ElementType type, const std::byte* first, std::size_t row_count, std::size_t dimensions)
      : element(type), data(first), rows(row_count), columns(dimensions) {}

  std::size_t row_bytes() const { return columns * bytes_of(element); }
  std::span<const std::byte> bytes() const { return {data, rows * row_bytes()}; }

  /// Rows [first, first + count), which must be there.
  VectorBlock slice(std::size_t first, std::size_t count) const {
    CHECK(first <= rows && count <= rows - first);
    return {element, data + first * row_bytes(), count, columns};
  }

  /// The rows as f32, which they must be.
  MatrixView f32() const {
    CHECK(element == ElementType::kF32);
    return {reinterpret_cast<const float*>(data), rows, columns};
  }
};

class BlockChecks;

/// The rows that an index reads. Borrows them; thread-safe.
class VectorRows {
 public:
  /// Rows in memory.
  VectorRows(VectorBlock all) : all_(all) {}
  VectorRows(MatrixView all) : all_(all) {}
  /// Rows of a file, whose bytes are `checks`' own; see VectorFile::rows().
  VectorRows(VectorBlock all, const BlockChecks& checks) : all_(all), checks_(&checks) {}

  ElementType element() const { return all_.element; }
  std::size_t count() const { return all_.rows; }
  std::size_t dimensions() const { return all_.columns; }

  /// Rows [first, first + count), which must be there. Errors: kCorruptData where the file that they lie in is damaged
  /// there.
  Result<VectorBlock> read(std::size_t first, std::size_t count) const;

 private:
  VectorBlock all_;
  const BlockChecks* checks_ = nullptr;
};

}  // namespace tandem
