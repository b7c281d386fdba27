#include "store/document_store.h"

#include <algorithm>
#include <cstdint>
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

class DocumentReader::Impl {
 public:
  Impl(Database database, Statement select, Statement find, std::size_t count, std::uint64_t file_bytes)
      : database_(std::move(database)),
        select_(std::move(select)),
        find_(std::move(find)),
        counted_(count),
        file_bytes_(file_bytes) {}

  Result<std::vector<Document>> read(std::span<const std::uint32_t> ordinals) {
    const std::lock_guard lock(mutex_);
    std::vector<Document> documents;
    documents.reserve(ordinals.size());
    for (const std::uint32_t ordinal : ordinals) {
      if (ordinal >= count()) {
        return fail(ErrorCode::kNotFound, "{}: document {} of {}", database_.path(), ordinal, count());
      }
      sqlite3_stmt* select = select_.get();
      const StatementUse use(select);
      ::sqlite3_bind_int64(select, 1, ordinal);
      ASSIGN_OR_RETURN(const bool found, database_.step(select, "cannot read a document"));
      if (!found) {
        return fail(ErrorCode::kCorruptData, "{}: document {} of {} is missing", database_.path(), ordinal, count());
      }
      RETURN_IF_ERROR(count_bytes(ordinal, select));
      Result<Document> document = document_of(select);
      if (!document) return fail_in(fmt::format("{}: document {}", database_.path(), ordinal), document.error());
      documents.push_back(std::move(*document));
    }
    return documents;
  }

  Result<std::optional<std::uint32_t>> find(std::string_view id) {
    const std::lock_guard lock(mutex_);
    sqlite3_stmt* find = find_.get();
    const StatementUse use(find);
    if (!bind_text(find, 1, id)) return database_.failure("cannot look up a document");
    ASSIGN_OR_RETURN(const bool found, database_.step(find, "cannot look up a document"));
    if (!found) return std::optional<std::uint32_t>();
    const sqlite3_int64 ordinal = ::sqlite3_column_int64(find, 0);
    if (ordinal < 0 || ordinal >= static_cast<sqlite3_int64>(count())) {
      return fail(ErrorCode::kCorruptData, "{}: document {:?} has the ordinal {}, want one below {}", database_.path(),
                  id, ordinal, count());
    }
    return static_cast<std::uint32_t>(ordinal);
  }

  Status verify(std::span<const std::uint32_t> ordinals) {
    ASSIGN_OR_RETURN(const std::vector<Document> documents, read(ordinals));
    for (std::size_t i = 0; i < documents.size(); ++i) {
      ASSIGN_OR_RETURN(const std::optional<std::uint32_t> found, find(documents[i].id));
      if (found == ordinals[i]) continue;
      return fail(ErrorCode::kCorruptData, "{}: document {} is not found by its id {:?}", database_.path(), ordinals[i],
                  documents[i].id);
    }
    return {};
  }

  std::size_t count() const { return counted_.size(); }

 private:
  // Rows of a file that was made to hurt share their pages: two hundred of 8 MB in a file of 8 MB. Whoever reads may
  // keep what it gets, so all that was ever read is held against the file. Each document counts once: those of a sound
  // file never hold more than its size.
  Status count_bytes(std::uint32_t ordinal, sqlite3_stmt* row) {
    if (!counted_[ordinal]) {
      counted_[ordinal] = true;
      counted_bytes_ += bytes_of_texts(row);
    }
    if (counted_bytes_ <= file_bytes_) return {};
    return fail(ErrorCode::kCorruptData, "{}: {} of its documents hold {} bytes, the whole file has {}",
                database_.path(), std::ranges::count(counted_, true), counted_bytes_, file_bytes_);
  }

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

  std::mutex mutex_;  // One connection, one statement, one parser: guards them all.
  Database database_;
  Statement select_;
  Statement find_;
  JsonLineParser metadata_parser_{"metadata"};
  std::vector<bool> counted_;  // [count()]
  std::uint64_t counted_bytes_ = 0;
  std::uint64_t file_bytes_;
};

DocumentReader::DocumentReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DocumentReader::DocumentReader(DocumentReader&&) noexcept = default;
DocumentReader& DocumentReader::operator=(DocumentReader&&) noexcept = default;
DocumentReader::~DocumentReader() = default;

Result<DocumentReader> DocumentReader::open(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(Database database, Database::open(path, DatabaseUse::kFinished, kFormat));
  std::error_code error;
  const std::uint64_t file_bytes = std::filesystem::file_size(path, error);
  if (error) return fail_errno(error.value(), "cannot read its size", path.string());
  // Ordinals count from 0 without gaps, and the largest is found without reading the table.
  sqlite3_int64 last_ordinal = -1;
  {
    ASSIGN_OR_RETURN(const Statement last, prepare(database, "SELECT max(ordinal) FROM documents", kFormat.wrong_file));
    ASSIGN_OR_RETURN(const bool found, database.step(last.get(), "cannot count the documents"));
    if (found && ::sqlite3_column_type(last.get(), 0) == SQLITE_INTEGER) {
      last_ordinal = ::sqlite3_column_int64(last.get(), 0);
    }
  }
  // Each takes more than a byte.
  const sqlite3_int64 documents_max = std::min(kDocumentsMax, static_cast<sqlite3_int64>(file_bytes));
  if (last_ordinal < -1 || last_ordinal >= documents_max) {
    return fail(ErrorCode::kCorruptData, "{}: the last document has the ordinal {}, want 0 to {}", path.string(),
                last_ordinal, documents_max - 1);
  }

  ASSIGN_OR_RETURN(
      Statement select,
      prepare(database, "SELECT id, title, text, metadata FROM documents WHERE ordinal = ?", kFormat.wrong_file));
  ASSIGN_OR_RETURN(Statement find, prepare(database, "SELECT ordinal FROM documents WHERE id = ?", kFormat.wrong_file));
  return DocumentReader(std::make_unique<Impl>(std::move(database), std::move(select), std::move(find),
                                               static_cast<std::size_t>(last_ordinal + 1), file_bytes));
}

std::size_t DocumentReader::count() const { return impl_->count(); }
Result<std::vector<Document>> DocumentReader::read(std::span<const std::uint32_t> ordinals) const {
  return impl_->read(ordinals);
}
Status DocumentReader::verify(std::span<const std::uint32_t> ordinals) const { return impl_->verify(ordinals); }
Result<std::optional<std::uint32_t>> DocumentReader::find(std::string_view id) const { return impl_->find(id); }

}  // namespace tandem
