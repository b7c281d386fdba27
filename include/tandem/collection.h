// A collection: documents and their vectors in one folder on disk, opened by mapping.
//
//   auto writer = tandem::CollectionWriter::create("faq.tandem", *model);
//   writer->add(document); …; writer->commit();
//   auto collection = tandem::Collection::open("faq.tandem");
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/bi_encoder.h"
#include "tandem/corpus.h"
#include "tandem/matrix.h"
#include "tandem/result.h"
#include "tandem/vector_hit.h"

namespace tandem {

/// What a collection remembers about how it was made.
struct CollectionInfo {
  BiEncoderIdentity encoder;
  Metric metric = Metric::kInnerProduct;
  std::size_t documents = 0;
  std::string created;  ///< UTC, ISO 8601.
  std::uint64_t size_bytes = 0;
  Truncation truncation;  ///< What indexing lost.
};

struct CollectionWriterOptions {
  std::optional<Metric> metric = {};  ///< Default: inner product for normalised embeddings, else L2.
  std::size_t batch_documents = 256;  ///< Documents encoded together: the most that is held in memory.
  /// Between title and text of what is embedded. "[SEP]" for models that were trained so, such as allenai/specter2.
  std::string title_separator = " ";
};

/// Writes a new version of a collection beside the old one and swaps them in one atomic step at commit(): a kill at
/// any moment leaves the old or the new collection. One writer per collection at a time. Not thread-safe.
class CollectionWriter {
 public:
  /// `encoder` must outlive the writer. Errors: kPermission, kNoSpace, kIo, kConflict (another writer is at work).
  static Result<CollectionWriter> create(const std::filesystem::path& folder, const BiEncoder& encoder,
                                         const CollectionWriterOptions& options = {});

  /// Adds a document. Errors: kConflict for an id that was added before, kInvalidArgument for an id with control
  /// characters or metadata that is no JSON object, and those of encoding and writing.
  Status add(Document document);

  /// The same with a vector that the encoder gave for the document before: nothing is encoded. Errors: also
  /// kInvalidArgument for another length than the encoder's dimensions.
  Status add(Document document, std::span<const float> vector);

  /// Makes what was added the collection. Errors: kInvalidArgument when nothing was added.
  Result<CollectionInfo> commit();

  std::size_t documents() const;

  CollectionWriter(CollectionWriter&&) noexcept;
  CollectionWriter& operator=(CollectionWriter&&) noexcept;
  ~CollectionWriter();  ///< Without commit(), nothing stays.

 private:
  class Impl;
  explicit CollectionWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A collection that is open for reading. Every method may be called from many threads at once.
class Collection {
 public:
  /// Errors: kNotFound, kCorruptData.
  static Result<Collection> open(const std::filesystem::path& folder);

  const CollectionInfo& info() const;
  std::size_t size() const;

  /// kConflict with a message that says what differs when vectors of `encoder` do not belong here.
  Status check_encoder(const BiEncoder& encoder) const;

  /// The exact nearest documents of each query, best first, ties by lower ordinal: at most min(top_k, size()) each.
  /// `queries`: [n, dimensions]. `threads` 0: every processor. Errors: kInvalidArgument for other dimensions and for
  /// queries that are not finite, kCorruptData for a document whose score is not, and when the file of vectors was
  /// changed meanwhile.
  Result<std::vector<std::vector<VectorHit>>> search(MatrixView queries, std::size_t top_k,
                                                     std::size_t threads = 0) const;

  Result<Document> document(std::uint32_t ordinal) const;
  /// In the order asked.
  Result<std::vector<Document>> documents(std::span<const std::uint32_t> ordinals) const;
  MatrixView vectors() const;  ///< [size, dimensions], mapped; lives as long as the collection.
  /// Success when what was read from vectors() so far is what the file held when it was opened: where another process
  /// shortens it, vectors turn into zeros. search() asks by itself. Errors: kCorruptData, with the file.
  Status check_unchanged() const;

  Collection(Collection&&) noexcept;
  Collection& operator=(Collection&&) noexcept;
  ~Collection();

 private:
  class Impl;
  explicit Collection(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace tandem
