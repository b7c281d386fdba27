#include "npy_writer.h"

#include <fmt/format.h>
#include <unistd.h>

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
  // Renaming over a link would leave its target as it was, and over a device would replace the device.
  std::error_code error;
  const std::filesystem::path target = std::filesystem::weakly_canonical(path, error);
  if (error) return fail_errno(error.value(), "cannot create", path.string());
  if (std::filesystem::exists(target, error) && !std::filesystem::is_regular_file(target, error)) {
    return fail(ErrorCode::kInvalidArgument, "{}: exists and is not a regular file", path.string());
  }
  std::filesystem::path partial = target;
  partial += fmt::format(".{}.partial", ::getpid());
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(partial));
  NpyWriter writer(std::move(file), target, std::move(partial), columns);
  RETURN_IF_ERROR(writer.file_.append(bytes_of(header(0, columns))));
  return writer;
}

NpyWriter::NpyWriter(OutputFile file, std::filesystem::path path, std::filesystem::path partial, std::size_t columns)
    : file_(std::move(file)), path_(std::move(path)), partial_(std::move(partial)), columns_(columns) {}

NpyWriter::NpyWriter(NpyWriter&& other) noexcept
    : file_(std::move(other.file_)),
      path_(std::move(other.path_)),
      partial_(std::exchange(other.partial_, {})),
      rows_(other.rows_),
      columns_(other.columns_) {}

NpyWriter::~NpyWriter() {
  std::error_code error;
  if (!partial_.empty()) std::filesystem::remove(partial_, error);
}

Status NpyWriter::append(MatrixView rows) {
  CHECK(rows.columns == columns_ || rows.rows == 0);
  rows_ += rows.rows;
  return file_.append(std::as_bytes(std::span(rows.data, rows.rows * rows.columns)));
}

Status NpyWriter::commit() {
  RETURN_IF_ERROR(file_.overwrite(0, bytes_of(header(rows_, columns_))));
  RETURN_IF_ERROR(file_.sync());
  std::error_code error;
  std::filesystem::rename(partial_, path_, error);
  if (error) return fail_errno(error.value(), "cannot rename to", path_.string());
  partial_.clear();
  return {};
}

}  // namespace tandem::cli
