// A collection: documents and their vectors in one folder on disk, opened by mapping.
//
//   auto writer = tandem::CollectionWriter::create("faq.tandem", *model);
//   writer->add(document); …; writer->commit();
//   auto collection = tandem::Collection::open("faq.tandem");
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/bi_encoder.h"
#include "tandem/call.h"
#include "tandem/choices.h"
#include "tandem/collection_info.h"
#include "tandem/document.h"
#include "tandem/executor.h"
#include "tandem/export.h"
#include "tandem/matrix.h"
#include "tandem/result.h"
#include "tandem/vector_hit.h"

namespace tandem {

struct CollectionWriterOptions {
  std::optional<Metric> metric = {};  ///< Default: BiEncoder::metric().
  std::size_t batch_documents = 256;  ///< Documents encoded together: the most that is held in memory.
  /// Between title and text of what is embedded. "[SEP]" for models that were trained so, such as allenai/specter2.
  std::string title_separator = " ";
};

/// Writes a new version of a collection beside the old one and swaps them in one atomic step at commit(): a kill at
/// any moment leaves the old or the new collection. One writer per collection at a time. Not thread-safe.
class TANDEM_EXPORT CollectionWriter {
 public:
  /// Errors: kPermission, kNoSpace, kIo, kConflict (another writer is at work); here
  /// and below, those of `call`, after which the call may be made again.
  static Result<CollectionWriter> create(const std::filesystem::path& folder, const BiEncoder& encoder,
                                         const CollectionWriterOptions& options = {}, const CallOptions& call = {});

  /// Adds a document. Errors: kConflict for an id that was added before, kInvalidArgument for an id with control
  /// characters or metadata that is no JSON object, and those of encoding and writing.
  Status add(Document document, const CallOptions& call = {});

  /// The same with a vector that the encoder gave for the document before: nothing is encoded. Errors: also
  /// kInvalidArgument for another length than the encoder's dimensions.
  Status add(Document document, std::span<const float> vector, const CallOptions& call = {});

  /// Makes what was added the collection. Errors: kInvalidArgument when nothing was added.
  Result<CollectionInfo> commit(const CallOptions& call = {});

  std::size_t documents() const;

  CollectionWriter(CollectionWriter&&) noexcept;
  CollectionWriter& operator=(CollectionWriter&&) noexcept;
  ~CollectionWriter();  ///< Without commit(), nothing stays.

 private:
  class Impl;
  explicit CollectionWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct CollectionOptions {
  Executor executor = {};  ///< What it is searched on; without another's, one of its own on every processor.
  /// Read all vectors once, on a thread of its own, as long as the collection is open: for processes that stay. Damage
  /// is what search() answers with from when it was found. Without it, blocks are checked when they are first read.
  bool check_in_background = false;
};

/// A collection that is open for reading; copies are cheap and share it. Every method may be called from many threads
/// at once.
class TANDEM_EXPORT Collection {
 public:
  /// Errors: kNotFound, kCorruptData.
  static Result<Collection> open(const std::filesystem::path& folder, const CollectionOptions& options = {});

  const CollectionInfo& info() const;
  std::size_t size() const;

  /// kConflict with a message that says what differs when vectors of `encoder` do not belong here. Errors, here and
  /// below, also those of `call`.
  Status check_encoder(const BiEncoder& encoder, const CallOptions& call = {}) const;

  /// The exact nearest documents of each query, best first, ties by lower row: min(top_k, size()) each. `queries`:
  /// [n, dimensions]. Errors: kInvalidArgument for other dimensions and for queries that are not finite, kCorruptData
  /// for a document whose score is not, and when a file of vectors is damaged or was changed meanwhile.
  Result<std::vector<std::vector<VectorHit>>> search(MatrixView queries, std::size_t top_k,
                                                     const CallOptions& call = {}) const;

  /// The document with this id. Errors: kNotFound, and those of reading.
  Result<Document> document(std::string_view id) const;
  /// Where the document with this id lies; nullopt where there is none. Errors: those of reading.
  Result<std::optional<RowId>> find(std::string_view id) const;
  /// In the order asked. Errors: kNotFound for a row that is not there, and those of reading.
  Result<std::vector<Document>> documents(std::span<const RowId> rows) const;

  /// Every document, in the order in which they were added. Errors: those of reading.
  Result<std::vector<Document>> all_documents() const;

  /// The row of the document that was added as the `place`-th, from 0; `place` is below size().
  RowId row_at(std::size_t place) const;
  std::size_t place_of(RowId row) const;

  std::size_t segments() const;
  /// The vectors of a segment, mapped: [its rows, dimensions]. They live as long as the collection; what was computed
  /// from them is worth nothing unless check_unchanged() succeeds afterwards. Errors: kCorruptData for damaged ones.
  Result<MatrixView> vectors(std::uint32_t segment) const;
  /// Success when what was read of the vectors so far is what the files held when they were opened: where another
  /// process shortens one, vectors turn into zeros. search() asks by itself. Errors: kCorruptData, with the file.
  Status check_unchanged() const;

  /// False for a collection whose version of the format had no checksums of vectors.
  bool has_checksums() const;
  /// Reads everything: every block of vectors against its checksum, and every document, which has to be found by its
  /// id; vectors have to be finite. Errors: kCorruptData, with the file and the place.
  Status verify(const CallOptions& call = {}) const;

  Collection(const Collection&);
  Collection& operator=(const Collection&);
  Collection(Collection&&) noexcept;
  Collection& operator=(Collection&&) noexcept;
  ~Collection();

 private:
  class Impl;
  explicit Collection(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace tandem
