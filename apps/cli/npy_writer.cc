#include "npy_writer.h"

#include <fmt/format.h>

#include <bit>
#include <span>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace tandem::cli {

namespace {

static_assert(std::endian::native == std::endian::little, "the header says that the floats are little-endian");

/// Fixed, so that the number of rows can be filled in at the end. Numbers of up to 20 digits fit.
constexpr std::size_t kHeaderBytes = 128;

// Byte 0: "\x93NUMPY", 6: version 1.0, 8: length of the rest of the header (u16), 10: a Python literal, blanks and a
// line feed up to kHeaderBytes.
std::string header(std::size_t rows, std::size_t columns) {
  std::string text("\x93NUMPY\x01\x00", 8);
  const std::size_t rest = kHeaderBytes - 10;
  text.push_back(static_cast<char>(rest & 0xFF));
  text.push_back(static_cast<char>(rest >> 8));
  text += fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  text.resize(kHeaderBytes - 1, ' ');
  text.push_back('\n');
  return text;
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

Result<NpyWriter> NpyWriter::create(const std::filesystem::path& path, std::size_t columns) {
  ASSIGN_OR_RETURN(ReplacementFile file, ReplacementFile::create(path));
  RETURN_IF_ERROR(file.append(bytes_of(header(0, columns))));
  return NpyWriter(std::move(file), columns);
}

NpyWriter::NpyWriter(ReplacementFile file, std::size_t columns) : file_(std::move(file)), columns_(columns) {}

Status NpyWriter::append(MatrixView rows) {
  CHECK(rows.columns == columns_ || rows.rows == 0);
  rows_ += rows.rows;
  return file_.append(std::as_bytes(std::span(rows.data, rows.rows * rows.columns)));
}

Status NpyWriter::commit() {
  RETURN_IF_ERROR(file_.overwrite(0, bytes_of(header(rows_, columns_))));
  return file_.commit();
}

}  // namespace tandem::cli
