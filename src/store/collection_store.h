// A collection's folder: versions of vectors, documents and a manifest, of which CURRENT names the live one.
// docs/collection_format.md describes the files and why a kill at any moment leaves the old or the new version.
//
// This layer stores what it is given. It knows no encoder: src/engine/collection.h joins the two.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "index/vector_file.h"
#include "store/document_store.h"
#include "tandem/collection_info.h"
#include "tandem/result.h"

namespace tandem {

/// Of a recipe's title separator. Every document that has a title gets it, however little it has of its own.
inline constexpr std::size_t kTitleSeparatorBytesMax = 1024;

/// One version of a collection, open for reading. Thread-safe. Goes on working when another version takes its place.
struct StoredCollection {
  CollectionInfo info;
  std::vector<VectorFile> segments;
  /// By ordinal: documents are counted through the segments, row by row.
  DocumentReader documents;

  /// Opens the live version. Errors: kNotFound, kPermission, kCorruptData, kUnsupported.
  static Result<StoredCollection> open(const std::filesystem::path& folder);
};

/// Writes a new version beside the live one and puts it in its place at publish(). Not thread-safe.
class CollectionStoreWriter {
 public:
  /// Takes the collection's lock, makes the folder if there is none (its parent must exist), and removes what killed
  /// writers left. Errors: kConflict (another writer is at work), kInvalidArgument (a folder with other files in it),
  /// kNotFound, kPermission, kNoSpace, kIo.
  static Result<CollectionStoreWriter> create(const std::filesystem::path& folder, std::size_t dimensions);

  /// One vector must be appended for each document, in the same order.
  Status add_document(const Document& document);
  Status append_vectors(MatrixView vectors);
  std::size_t documents() const;

  /// Makes what was added the live version, which is on the disk when this returns, and removes the old one. Fills in
  /// `info.documents`, `info.recipe.encoder.dimensions` and `info.size_bytes`. Nothing may be added afterwards.
  /// Errors: kInvalidArgument (no documents, or not one vector for each), kNoSpace, kIo.
  Result<CollectionInfo> publish(CollectionInfo info);

  CollectionStoreWriter(CollectionStoreWriter&&) noexcept;
  CollectionStoreWriter& operator=(CollectionStoreWriter&&) noexcept;
  ~CollectionStoreWriter();  ///< Without publish(), nothing stays.

 private:
  class Impl;
  explicit CollectionStoreWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What manifest.json holds, as JSON and back. `size_bytes` is not part of it.
std::string manifest_json(const CollectionInfo& info);
/// Errors: kCorruptData, kUnsupported (another version of the format). `name` stands in front of them.
Result<CollectionInfo> parse_manifest(std::string_view text, std::string_view name);

}  // namespace tandem
