// Vectors on disk, as docs/collection_format.md lays them out: a header of 64 bytes, then rows, then checksums.
//
//   auto writer = VectorFileWriter::create("vectors.f32", 384);
//   writer->append(batch); …; writer->finish();
//   auto file = VectorFile::open("vectors.f32");        // file->rows().read(0, 10): the first ten
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/file.h"
#include "base/mapped_file.h"
#include "index/block_checks.h"
#include "index/vector_rows.h"
#include "tandem/result.h"

namespace tandem {

/// Limits of the format: a row's number has 32 bits.
inline constexpr std::uint64_t kVectorDimensionsMax = 1U << 16;
inline constexpr std::uint64_t kVectorCountMax = std::uint64_t{1} << 32;

/// A vector file that is open for reading, by mapping. Immutable and thread-safe.
class VectorFile {
 public:
  /// Reads the header and the checksums, nothing of the rows. Errors: kNotFound, kPermission, kCorruptData (names what
  /// in the header, the checksums or the size is wrong), kUnsupported (a version or element type that this program does
  /// not read).
  static Result<VectorFile> open(const std::filesystem::path& path);

  /// The rows, checked as they are read; the first one is aligned to 64 bytes. They live as long as this.
  VectorRows rows() const;

  /// False: a file of version 1, of which nothing can be checked.
  bool has_checksums() const { return checks_ != nullptr; }

  /// Success when what was read from rows() so far is what the file held when it was opened: to be asked before
  /// anything that was computed from them leaves. Errors: kCorruptData, with the file.
  Status check_unchanged() const { return file_.check_unchanged(); }

 private:
  MappedFile file_;
  VectorBlock all_;
  std::unique_ptr<const BlockChecks> checks_;
};

/// Writes a new vector file. Until finish() returns, the file has no valid header. Not thread-safe.
class VectorFileWriter {
 public:
  /// Refuses a path that exists. Errors: kInvalidArgument (dimensions outside [1, kVectorDimensionsMax]), kPermission,
  /// kNoSpace, kIo.
  static Result<VectorFileWriter> create(const std::filesystem::path& path, std::size_t dimensions,
                                         ElementType element = ElementType::kF32);

  /// Errors: kInvalidArgument (other dimensions or elements, more than kVectorCountMax in all), kNoSpace, kIo.
  Status append(const VectorBlock& rows);

  /// Writes checksums and header; the file is on the disk when this returns.
  Status finish();

  std::size_t count() const { return count_; }

 private:
  VectorFileWriter(OutputFile file, std::size_t dimensions, ElementType element);
  OutputFile file_;
  std::size_t dimensions_;
  ElementType element_;
  std::size_t count_ = 0;
  BlockChecksums checksums_;
};

}  // namespace tandem
