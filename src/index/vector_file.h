// Vectors on disk, as docs/collection_format.md lays them out: a header of 64 bytes, then rows of f32.
//
//   auto writer = VectorFileWriter::create("vectors.f32", 384);
//   writer->append(batch); …; writer->finish();
//   auto file = VectorFile::open("vectors.f32");        // file->vectors(): [count, 384]
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "base/file.h"
#include "base/mapped_file.h"
#include "tandem/matrix.h"
#include "tandem/result.h"

namespace tandem {

/// Limits of the format: an ordinal has 32 bits.
inline constexpr std::uint64_t kVectorDimensionsMax = 1U << 16;
inline constexpr std::uint64_t kVectorCountMax = std::uint64_t{1} << 32;

/// A vector file that is open for reading, by mapping. Immutable and thread-safe.
class VectorFile {
 public:
  /// Errors: kNotFound, kPermission, kCorruptData (names what in the header or the size is wrong), kUnsupported (a
  /// version or element type that this program does not read).
  static Result<VectorFile> open(const std::filesystem::path& path);

  /// [count, dimensions]; the first row is aligned to 64 bytes. Lives as long as this.
  MatrixView vectors() const { return vectors_; }

  /// Success when what was read from vectors() so far is what the file held when it was opened: to be asked before
  /// anything that was computed from them leaves. Errors: kCorruptData, with the file.
  Status check_unchanged() const { return file_.check_unchanged(); }

 private:
  MappedFile file_;
  MatrixView vectors_;
};

/// Writes a new vector file. Until finish() returns, the file has no valid header. Not thread-safe.
class VectorFileWriter {
 public:
  /// Refuses a path that exists. Errors: kInvalidArgument (dimensions outside [1, kVectorDimensionsMax]), kPermission,
  /// kNoSpace, kIo.
  static Result<VectorFileWriter> create(const std::filesystem::path& path, std::size_t dimensions);

  /// `vectors`: [n, dimensions]. Errors: kInvalidArgument (other dimensions, more than kVectorCountMax in all),
  /// kNoSpace, kIo.
  Status append(MatrixView vectors);

  /// Writes the header; the file is on the disk when this returns.
  Status finish();

  std::size_t count() const { return count_; }

 private:
  VectorFileWriter(OutputFile file, std::size_t dimensions);
  OutputFile file_;
  std::size_t dimensions_;
  std::size_t count_ = 0;
};

}  // namespace tandem
