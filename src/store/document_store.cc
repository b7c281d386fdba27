#include "store/document_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/controls.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "store/sqlite.h"

namespace tandem {
namespace {

// A document is at most a line of 64 MiB when it is read from a corpus; escapes may make its metadata longer.
constexpr TableFormat kFormat{
    .name = "documents",
    .sql =
        "CREATE TABLE documents(ordinal INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, "
        "text TEXT NOT NULL, metadata TEXT NOT NULL)",
    .wrong_file = "not a document file",
    .row_bytes_max = 512 << 20};
constexpr sqlite3_int64 kDocumentsMax = sqlite3_int64{1} << 32;  // An ordinal has 32 bits.

/// Metadata as it comes and goes: nothing, or one JSON object on one line, since it is printed as it is into lines of
/// JSON, which anything else could break or forge.
Result<std::string> checked_metadata(std::string_view metadata, JsonLineParser& parser) {
  if (metadata.empty()) return std::string();
  ASSIGN_OR_RETURN(const JsonValue value, parser.parse(metadata));
  if (!value.is_object()) return fail(ErrorCode::kCorruptData, "metadata: expected an object, got {}", value.dump());
  return value.dump();
}

/// What the texts of a row take. To ask for the length of anything else would turn it into a text.
std::uint64_t bytes_of_texts(sqlite3_stmt* row) {
  std::uint64_t bytes = 0;
  for (int column = 0; column < ::sqlite3_column_count(row); ++column) {
    if (::sqlite3_column_type(row, column) != SQLITE_TEXT) continue;
    bytes += static_cast<std::uint64_t>(::sqlite3_column_bytes(row, column));
  }
  return bytes;
}

}  // namespace

class DocumentWriter::Impl {
 public:
  Impl(Database database, Statement insert) : database_(std::move(database)), insert_(std::move(insert)) {}

  Status add(const Document& document) {
    if (const Status named = check_name("document id", document.id); !named) {
      return fail(ErrorCode::kInvalidArgument, "{}", named.error().message);
    }
    const Result<std::string> metadata = checked_metadata(document.metadata, metadata_parser_);
    if (!metadata) return fail(ErrorCode::kInvalidArgument, "document {}: {}", document.id, metadata.error().message);
    sqlite3_stmt* insert = insert_.get();
    const StatementUse use(insert);
    const bool bound = ::sqlite3_bind_int64(insert, 1, static_cast<sqlite3_int64>(count_)) == SQLITE_OK &&
                       bind_text(insert, 2, document.id) && bind_text(insert, 3, document.title) &&
                       bind_text(insert, 4, document.text) && bind_text(insert, 5, *metadata);
    if (!bound) return database_.failure("cannot write a document");
    RETURN_IF_ERROR(database_.step(insert, "cannot write a document"));
    if (::sqlite3_changes(database_.handle()) == 0) {
      return fail(ErrorCode::kConflict, "two documents have the id {:?}", document.id);
    }
    ++count_;
    return {};
  }

  Status finish() {
    insert_.reset();
    RETURN_IF_ERROR(database_.execute("COMMIT"));
    return sync_to_disk(database_.path());
  }

  std::size_t count() const { return count_; }

 private:
  Database database_;
  Statement insert_;
  JsonLineParser metadata_parser_{"metadata"};
  std::size_t count_ = 0;
};

DocumentWriter::DocumentWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DocumentWriter::DocumentWriter(DocumentWriter&&) noexcept = default;
DocumentWriter& DocumentWriter::operator=(DocumentWriter&&) noexcept = default;
DocumentWriter::~DocumentWriter() = default;

Result<DocumentWriter> DocumentWriter::create(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(Database database, Database::open(path, DatabaseUse::kWriteOnce, kFormat));
  RETURN_IF_ERROR(database.execute("BEGIN"));
  // Without a journal a failed insert cannot be undone, so an id that exists must not make it fail.
  ASSIGN_OR_RETURN(
      Statement insert,
      prepare(database, "INSERT INTO documents VALUES(?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING", kFormat.wrong_file));
  return DocumentWriter(std::make_unique<Impl>(std::move(database), std::move(insert)));
}

Status DocumentWriter::add(const Document& document) { return impl_->add(document); }
Status DocumentWriter::finish() { return impl_->finish(); }
std::size_t DocumentWriter::count() const { return impl_->count(); }

namespace {

/// A connection to a document file with its statements. Not thread-safe.
class DocumentConnection {
 public:
  static Result<DocumentConnection> open(const std::filesystem::path& path) {
    ASSIGN_OR_RETURN(Database database, Database::open(path, DatabaseUse::kFinished, kFormat));
    ASSIGN_OR_RETURN(
        Statement select,
        prepare(database, "SELECT id, title, text, metadata FROM documents WHERE ordinal = ?", kFormat.wrong_file));
    ASSIGN_OR_RETURN(Statement find,
                     prepare(database, "SELECT ordinal FROM documents WHERE id = ?", kFormat.wrong_file));
    return DocumentConnection(std::move(database), std::move(select), std::move(find));
  }

  /// The largest ordinal, -1 without any: found without reading the table.
  Result<sqlite3_int64> last_ordinal() const {
    ASSIGN_OR_RETURN(const Statement last,
                     prepare(database_, "SELECT max(ordinal) FROM documents", kFormat.wrong_file));
    ASSIGN_OR_RETURN(const bool found, database_.step(last.get(), "cannot count the documents"));
    const bool is_number = found && ::sqlite3_column_type(last.get(), 0) == SQLITE_INTEGER;
    return is_number ? ::sqlite3_column_int64(last.get(), 0) : -1;
  }

  /// The document with an ordinal, nothing where there is no such row. `bytes`: told what its texts take before any of
  /// them is read.
  Result<std::optional<Document>> read(std::uint32_t ordinal, const std::function<Status(std::uint64_t)>& bytes) {
    const StatementUse use(select_.get());
    ::sqlite3_bind_int64(select_.get(), 1, ordinal);
    ASSIGN_OR_RETURN(const bool found, database_.step(select_.get(), "cannot read a document"));
    if (!found) return std::optional<Document>();
    RETURN_IF_ERROR(bytes(bytes_of_texts(select_.get())));
    Result<Document> document = document_of(select_.get());
    if (!document) return fail_in(fmt::format("{}: document {}", database_.path(), ordinal), document.error());
    return *std::move(document);
  }

  /// What the row of an id says its ordinal is.
  Result<std::optional<sqlite3_int64>> find(std::string_view id) const {
    const StatementUse use(find_.get());
    if (!bind_text(find_.get(), 1, id)) return database_.failure("cannot look up a document");
    ASSIGN_OR_RETURN(const bool found, database_.step(find_.get(), "cannot look up a document"));
    return found ? std::optional(::sqlite3_column_int64(find_.get(), 0)) : std::nullopt;
  }

 private:
  DocumentConnection(Database database, Statement select, Statement find)
      : database_(std::move(database)), select_(std::move(select)), find_(std::move(find)) {}

  // The document of a row that was found. The file may be of anybody's making: what is not as the writer leaves it is
  // refused here, so that nobody who prints a document has to look again.
  Result<Document> document_of(sqlite3_stmt* row) {
    Document document;
    ASSIGN_OR_RETURN(document.id, text_of(row, 0));
    ASSIGN_OR_RETURN(document.title, text_of(row, 1));
    ASSIGN_OR_RETURN(document.text, text_of(row, 2));
    ASSIGN_OR_RETURN(const std::string metadata, text_of(row, 3));
    RETURN_IF_ERROR(check_name("document id", document.id));
    ASSIGN_OR_RETURN(document.metadata, checked_metadata(metadata, metadata_parser_));
    return document;
  }

  Database database_;
  Statement select_;
  Statement find_;
  JsonLineParser metadata_parser_{"metadata"};
};

/// Which file a path leads to; nothing where there is none.
std::optional<std::pair<dev_t, ino_t>> identity_of(const std::filesystem::path& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return std::nullopt;
  return std::pair(file.st_dev, file.st_ino);
}

}  // namespace

/// Callers who read at the same time each have a connection, up to kConnectionsMax of them; others wait for one.
class DocumentReader::Impl {
 public:
  Impl(std::filesystem::path path, DocumentConnection first, std::size_t count, std::uint64_t file_bytes)
      : path_(std::move(path)), file_(identity_of(path_)), counted_(count), file_bytes_(file_bytes) {
    idle_.push_back(std::move(first));
  }

  Result<std::vector<Document>> read(std::span<const std::uint32_t> ordinals) {
    Lease connection(*this);
    std::vector<Document> documents;
    documents.reserve(ordinals.size());
    for (const std::uint32_t ordinal : ordinals) {
      if (ordinal >= count()) {
        return fail(ErrorCode::kNotFound, "{}: document {} of {}", path_.string(), ordinal, count());
      }
      ASSIGN_OR_RETURN(std::optional<Document> document,
                       connection->read(ordinal, [&](std::uint64_t bytes) { return count_bytes(ordinal, bytes); }));
      if (!document) {
        return fail(ErrorCode::kCorruptData, "{}: document {} of {} is missing", path_.string(), ordinal, count());
      }
      documents.push_back(*std::move(document));
    }
    return documents;
  }

  Result<std::optional<std::uint32_t>> find(std::string_view id) {
    ASSIGN_OR_RETURN(const std::optional<sqlite3_int64> ordinal, Lease(*this)->find(id));
    if (!ordinal) return std::optional<std::uint32_t>();
    if (*ordinal < 0 || *ordinal >= static_cast<sqlite3_int64>(count())) {
      return fail(ErrorCode::kCorruptData, "{}: document {:?} has the ordinal {}, want one below {}", path_.string(),
                  id, *ordinal, count());
    }
    return static_cast<std::uint32_t>(*ordinal);
  }

  Status verify(std::span<const std::uint32_t> ordinals) {
    ASSIGN_OR_RETURN(const std::vector<Document> documents, read(ordinals));
    for (std::size_t i = 0; i < documents.size(); ++i) {
      ASSIGN_OR_RETURN(const std::optional<std::uint32_t> found, find(documents[i].id));
      if (found == ordinals[i]) continue;
      return fail(ErrorCode::kCorruptData, "{}: document {} is not found by its id {:?}", path_.string(), ordinals[i],
                  documents[i].id);
    }
    return {};
  }

  std::size_t count() const { return counted_.size(); }

 private:
  static constexpr std::size_t kConnectionsMax = 8;

  /// A connection that nobody else uses meanwhile.
  class Lease {
   public:
    explicit Lease(Impl& reader) : reader_(reader), connection_(reader.take()) {}
    ~Lease() { reader_.give_back(std::move(connection_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    DocumentConnection* operator->() { return &connection_; }

   private:
    Impl& reader_;
    DocumentConnection connection_;
  };

  DocumentConnection take() {
    std::unique_lock lock(mutex_);
    if (idle_.empty() && connections_ < kConnectionsMax) {
      ++connections_;
      lock.unlock();
      Result<DocumentConnection> another = DocumentConnection::open(path_);
      if (another && file_ && identity_of(path_) == file_) return *std::move(another);
      // The file may be unlinked by now, and another one in its place. One connection there always is.
      lock.lock();
      --connections_;
    }
    given_back_.wait(lock, [this] { return !idle_.empty(); });
    DocumentConnection connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }

  void give_back(DocumentConnection connection) {
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(connection));
    }
    given_back_.notify_one();
  }

  // Rows of a file that was made to hurt share their pages: two hundred of 8 MB in a file of 8 MB. Whoever reads may
  // keep what it gets, so all that was ever read is held against the file. Each document counts once: those of a sound
  // file never hold more than its size.
  Status count_bytes(std::uint32_t ordinal, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    if (!counted_[ordinal]) {
      counted_[ordinal] = true;
      counted_bytes_ += bytes;
    }
    if (counted_bytes_ <= file_bytes_) return {};
    return fail(ErrorCode::kCorruptData, "{}: {} of its documents hold {} bytes, the whole file has {}", path_.string(),
                std::ranges::count(counted_, true), counted_bytes_, file_bytes_);
  }

  const std::filesystem::path path_;
  const std::optional<std::pair<dev_t, ino_t>> file_;
  std::mutex mutex_;  // Guards what follows; no file is read under it.
  std::condition_variable given_back_;
  std::vector<DocumentConnection> idle_;
  std::size_t connections_ = 1;
  std::vector<bool> counted_;  // [count()] Its size never changes.
  std::uint64_t counted_bytes_ = 0;
  const std::uint64_t file_bytes_;
};

DocumentReader::DocumentReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DocumentReader::DocumentReader(DocumentReader&&) noexcept = default;
DocumentReader& DocumentReader::operator=(DocumentReader&&) noexcept = default;
DocumentReader::~DocumentReader() = default;

Result<DocumentReader> DocumentReader::open(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(DocumentConnection connection, DocumentConnection::open(path));
  std::error_code error;
  const std::uint64_t file_bytes = std::filesystem::file_size(path, error);
  if (error) return fail_errno(error.value(), "cannot read its size", path.string());
  // Ordinals count from 0 without gaps.
  ASSIGN_OR_RETURN(const sqlite3_int64 last_ordinal, connection.last_ordinal());
  // Each takes more than a byte.
  const sqlite3_int64 documents_max = std::min(kDocumentsMax, static_cast<sqlite3_int64>(file_bytes));
  if (last_ordinal < -1 || last_ordinal >= documents_max) {
    return fail(ErrorCode::kCorruptData, "{}: the last document has the ordinal {}, want 0 to {}", path.string(),
                last_ordinal, documents_max - 1);
  }
  return DocumentReader(
      std::make_unique<Impl>(path, std::move(connection), static_cast<std::size_t>(last_ordinal + 1), file_bytes));
}

std::size_t DocumentReader::count() const { return impl_->count(); }
Result<std::vector<Document>> DocumentReader::read(std::span<const std::uint32_t> ordinals) const {
  return impl_->read(ordinals);
}
Status DocumentReader::verify(std::span<const std::uint32_t> ordinals) const { return impl_->verify(ordinals); }
Result<std::optional<std::uint32_t>> DocumentReader::find(std::string_view id) const { return impl_->find(id); }

}  // namespace tandem
