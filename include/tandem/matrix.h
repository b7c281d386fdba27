// Row-major matrices of f32: the form in which embeddings enter and leave Tandem.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace tandem {

/// A borrowed row-major matrix, [rows, columns], rows contiguous one after another.
struct MatrixView {
  const float* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;

  std::span<const float> row(std::size_t index) const { return {data + index * columns, columns}; }
};

/// An owned row-major matrix, [rows, columns], filled with zeros when made.
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t columns) : values_(rows * columns), rows_(rows), columns_(columns) {}

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  float* data() { return values_.data(); }
  const float* data() const { return values_.data(); }
  std::span<float> row(std::size_t index) { return {data() + index * columns_, columns_}; }
  std::span<const float> row(std::size_t index) const { return {data() + index * columns_, columns_}; }
  MatrixView view() const { return {data(), rows_, columns_}; }
  operator MatrixView() const { return view(); }

 private:
  std::vector<float> values_;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
};

/// How many of `rows_max` rows with so many columns are worth holding at once. A file can say that a model's vectors
/// have a million components: 64 MiB are the most that a batch takes, or one row.
constexpr std::size_t batch_rows(std::size_t columns, std::size_t rows_max) {
  constexpr std::size_t kBatchFloats = std::size_t{16} << 20;
  return std::max<std::size_t>(std::min(kBatchFloats / std::max<std::size_t>(columns, 1), rows_max), 1);
}

}  // namespace tandem
