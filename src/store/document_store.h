// Documents on disk: one SQLite file with one table, in the order in which they were added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tandem/document.h"
#include "tandem/result.h"

namespace tandem {

/// Writes a new document file. Without a journal: until finish() returns, the file is not to be read. Not thread-safe.
class DocumentWriter {
 public:
  /// Errors: kPermission, kNoSpace, kIo.
  static Result<DocumentWriter> create(const std::filesystem::path& path);

  /// Gives the document the next ordinal. Errors, which change nothing: kConflict for an id that was added before,
  /// kInvalidArgument for an id with control characters or metadata that is no JSON object. After kNoSpace and kIo the
  /// file is lost.
  Status add(const Document& document);

  /// Closes the file, which is on the disk when this returns. Nothing may be added afterwards.
  Status finish();

  std::size_t count() const;

  DocumentWriter(DocumentWriter&&) noexcept;
  DocumentWriter& operator=(DocumentWriter&&) noexcept;
  ~DocumentWriter();

 private:
  class Impl;
  explicit DocumentWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A document file that is open for reading. Thread-safe. Goes on working when the file is unlinked.
class DocumentReader {
 public:
  /// Errors: kNotFound, kPermission, kCorruptData.
  static Result<DocumentReader> open(const std::filesystem::path& path);

  std::size_t count() const;

  /// The documents of these ordinals, in the order asked; metadata is empty or one JSON object on one line. Errors:
  /// kNotFound for an ordinal that is not below count(); kCorruptData, also where the documents that were read, in this
  /// call and before, hold more than the file, which is noticed before more than that is read; kIo.
  Result<std::vector<Document>> read(std::span<const std::uint32_t> ordinals) const;

  /// Reads these documents, each of which find() has to find by its id. Errors: kCorruptData, and those of read().
  Status verify(std::span<const std::uint32_t> ordinals) const;

  /// The ordinal of the document with this id; nullopt where there is none. Errors: kCorruptData, kIo.
  Result<std::optional<std::uint32_t>> find(std::string_view id) const;

  DocumentReader(DocumentReader&&) noexcept;
  DocumentReader& operator=(DocumentReader&&) noexcept;
  ~DocumentReader();

 private:
  class Impl;
  explicit DocumentReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem
