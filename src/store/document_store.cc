#include "store/document_store.h"

#include <fcntl.h>

#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "store/sqlite.h"

namespace tandem {
namespace {

constexpr const char* kSchema =
    "CREATE TABLE documents(ordinal INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, "
    "text TEXT NOT NULL, metadata TEXT NOT NULL)";
constexpr std::string_view kWrongFile = "not a document file";

// https://www.sqlite.org/uri.html. A file that says it is immutable is read without locks, also from a read-only disk.
// An absolute path goes behind an empty authority, lest one that starts with two slashes names an authority itself.
std::string immutable_uri(const std::filesystem::path& path) {
  std::string uri = path.is_absolute() ? "file://" : "file:";
  for (const char character : path.string()) {
    if (character == '%' || character == '?' || character == '#') {
      fmt::format_to(std::back_inserter(uri), "%{:02X}", static_cast<unsigned char>(character));
    } else {
      uri.push_back(character);
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

class DocumentWriter::Impl {
 public:
  Impl(Database database, Statement insert) : database_(std::move(database)), insert_(std::move(insert)) {}

  Status add(const Document& document) {
    sqlite3_stmt* insert = insert_.get();
    const StatementUse use(insert);
    const bool bound = ::sqlite3_bind_int64(insert, 1, static_cast<sqlite3_int64>(count_)) == SQLITE_OK &&
                       bind_text(insert, 2, document.id) && bind_text(insert, 3, document.title) &&
                       bind_text(insert, 4, document.text) && bind_text(insert, 5, document.metadata);
    if (!bound || ::sqlite3_step(insert) != SQLITE_DONE) return database_.failure("cannot write a document");
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
  std::size_t count_ = 0;
};

DocumentWriter::DocumentWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DocumentWriter::DocumentWriter(DocumentWriter&&) noexcept = default;
DocumentWriter& DocumentWriter::operator=(DocumentWriter&&) noexcept = default;
DocumentWriter::~DocumentWriter() = default;

Result<DocumentWriter> DocumentWriter::create(const std::filesystem::path& path) {
  // SQLite would say only that it cannot open the file; this says why.
  RETURN_IF_ERROR(OutputFile::create(path));
  ASSIGN_OR_RETURN(Database database, Database::open(path, path.string(), SQLITE_OPEN_READWRITE));
  // The file is written once, by one process, and read only after it is whole: nothing needs to be undone.
  for (const char* sql : {"PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA locking_mode=EXCLUSIVE",
                          "PRAGMA temp_store=MEMORY", "PRAGMA cache_size=-32768", "BEGIN", kSchema}) {
    RETURN_IF_ERROR(database.execute(sql));
  }
  // Without a journal a failed insert cannot be undone either, so an id that exists must not make it fail.
  ASSIGN_OR_RETURN(
      Statement insert,
      prepare(database, "INSERT INTO documents VALUES(?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING", kWrongFile));
  return DocumentWriter(std::make_unique<Impl>(std::move(database), std::move(insert)));
}

Status DocumentWriter::add(const Document& document) { return impl_->add(document); }
Status DocumentWriter::finish() { return impl_->finish(); }
std::size_t DocumentWriter::count() const { return impl_->count(); }

class DocumentReader::Impl {
 public:
  Impl(Database database, Statement select, std::size_t count)
      : database_(std::move(database)), select_(std::move(select)), count_(count) {}

  Result<std::vector<Document>> read(std::span<const std::uint32_t> ordinals) {
    const std::lock_guard lock(mutex_);
    std::vector<Document> documents;
    documents.reserve(ordinals.size());
    for (const std::uint32_t ordinal : ordinals) {
      if (ordinal >= count_) {
        return fail(ErrorCode::kNotFound, "{}: document {} of {}", database_.path(), ordinal, count_);
      }
      sqlite3_stmt* select = select_.get();
      const StatementUse use(select);
      ::sqlite3_bind_int64(select, 1, ordinal);
      const int code = ::sqlite3_step(select);
      if (code == SQLITE_DONE) {
        return fail(ErrorCode::kCorruptData, "{}: document {} of {} is missing", database_.path(), ordinal, count_);
      }
      if (code != SQLITE_ROW) return database_.failure("cannot read a document");
      documents.push_back({.id = text_of(select, 0),
                           .title = text_of(select, 1),
                           .text = text_of(select, 2),
                           .metadata = text_of(select, 3)});
    }
    return documents;
  }

  std::size_t count() const { return count_; }

 private:
  std::mutex mutex_;  // One connection, one statement: guards both.
  Database database_;
  Statement select_;
  std::size_t count_;
};

DocumentReader::DocumentReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DocumentReader::DocumentReader(DocumentReader&&) noexcept = default;
DocumentReader& DocumentReader::operator=(DocumentReader&&) noexcept = default;
DocumentReader::~DocumentReader() = default;

Result<DocumentReader> DocumentReader::open(const std::filesystem::path& path) {
  // SQLite would say only that it cannot open the file; this says why.
  RETURN_IF_ERROR(FileDescriptor::open(path, O_RDONLY));
  ASSIGN_OR_RETURN(Database database,
                   Database::open(path, immutable_uri(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI));
  RETURN_IF_ERROR(distrust(database));

  ASSIGN_OR_RETURN(
      const Statement schema,
      prepare(database, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'documents'", kWrongFile));
  const int schema_code = ::sqlite3_step(schema.get());
  if (schema_code != SQLITE_ROW && schema_code != SQLITE_DONE) return database.failure(kWrongFile);
  if (schema_code == SQLITE_DONE || text_of(schema.get(), 0) != kSchema) {
    return fail(ErrorCode::kCorruptData, "{}: not a document file: it has no table that reads {}", path.string(),
                kSchema);
  }
  // Ordinals count from 0 without gaps, and the largest is found without reading the table.
  ASSIGN_OR_RETURN(const Statement last, prepare(database, "SELECT max(ordinal) + 1 FROM documents", kWrongFile));
  if (::sqlite3_step(last.get()) != SQLITE_ROW) return database.failure("cannot count the documents");
  const sqlite3_int64 count = ::sqlite3_column_int64(last.get(), 0);
  if (count < 0) return fail(ErrorCode::kCorruptData, "{}: {} documents", path.string(), count);

  ASSIGN_OR_RETURN(Statement select,
                   prepare(database, "SELECT id, title, text, metadata FROM documents WHERE ordinal = ?", kWrongFile));
  return DocumentReader(
      std::make_unique<Impl>(std::move(database), std::move(select), static_cast<std::size_t>(count)));
}

std::size_t DocumentReader::count() const { return impl_->count(); }
Result<std::vector<Document>> DocumentReader::read(std::span<const std::uint32_t> ordinals) const {
  return impl_->read(ordinals);
}

}  // namespace tandem
