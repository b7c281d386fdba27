#include "store/document_store.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace tandem {
namespace {

constexpr const char* kSchema =
    "CREATE TABLE documents(ordinal INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, "
    "text TEXT NOT NULL, metadata TEXT NOT NULL)";

/// A connection to one file, and errors that name it.
class Database {
 public:
  static Result<Database> open(const std::filesystem::path& path, std::string name, int flags) {
    sqlite3* handle = nullptr;
    const int code = ::sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database(handle, path.string());
    if (code != SQLITE_OK) return database.failure("cannot open");
    return database;
  }

  Status execute(const char* sql) const {
    if (::sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure(sql);
    return {};
  }

  sqlite3* handle() const { return handle_.get(); }
  const std::string& path() const { return path_; }

  /// What the last call on this connection failed with.
  tl::unexpected<Error> failure(std::string_view what) const {
    const int code = ::sqlite3_extended_errcode(handle_.get());
    const int error_number = ::sqlite3_system_errno(handle_.get());
    switch (code & 0xFF) {
      case SQLITE_FULL:
        return fail(ErrorCode::kNoSpace, "{}: {}: no space left on the disk", path_, what);
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        break;
      case SQLITE_IOERR:
      case SQLITE_CANTOPEN:
        if (code == SQLITE_IOERR_SHORT_READ) break;
        if (error_number != 0) return fail_errno(error_number, what, path_);
        [[fallthrough]];
      default:
        return fail(ErrorCode::kIo, "{}: {}: {}", path_, what, ::sqlite3_errmsg(handle_.get()));
    }
    return fail(ErrorCode::kCorruptData, "{}: {}: {}", path_, what, ::sqlite3_errmsg(handle_.get()));
  }

 private:
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  struct Close {
    void operator()(sqlite3* handle) const { ::sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
};

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Result<Statement> prepare(const Database& database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (::sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return database.failure("not a document file");
  }
  return Statement(statement);
}

/// Ends one use of a statement, so that it holds no lock and no bindings in between.
class StatementUse {
 public:
  explicit StatementUse(sqlite3_stmt* statement) : statement_(statement) {}
  ~StatementUse() {
    ::sqlite3_reset(statement_);
    ::sqlite3_clear_bindings(statement_);
  }
  StatementUse(const StatementUse&) = delete;
  StatementUse& operator=(const StatementUse&) = delete;

 private:
  sqlite3_stmt* statement_;
};

// An empty string_view may have no data, which SQLite would take for NULL.
bool bind_text(sqlite3_stmt* statement, int index, std::string_view text) {
  return ::sqlite3_bind_text64(statement, index, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                               SQLITE_UTF8) == SQLITE_OK;
}

std::string text_of(sqlite3_stmt* statement, int column) {
  const auto* text = reinterpret_cast<const char*>(::sqlite3_column_text(statement, column));
  if (text == nullptr) return {};
  return std::string(text, static_cast<std::size_t>(::sqlite3_column_bytes(statement, column)));
}

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
  ASSIGN_OR_RETURN(Statement insert,
                   prepare(database, "INSERT INTO documents VALUES(?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING"));
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
  // https://www.sqlite.org/security.html: what to set before reading a file that may have been tampered with.
  ::sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  ::sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  RETURN_IF_ERROR(database.execute("PRAGMA cell_size_check=ON"));

  ASSIGN_OR_RETURN(const Statement schema,
                   prepare(database, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'documents'"));
  const int schema_code = ::sqlite3_step(schema.get());
  if (schema_code != SQLITE_ROW && schema_code != SQLITE_DONE) return database.failure("not a document file");
  if (schema_code == SQLITE_DONE || text_of(schema.get(), 0) != kSchema) {
    return fail(ErrorCode::kCorruptData, "{}: not a document file: it has no table that reads {}", path.string(),
                kSchema);
  }
  // Ordinals count from 0 without gaps, and the largest is found without reading the table.
  ASSIGN_OR_RETURN(const Statement last, prepare(database, "SELECT max(ordinal) + 1 FROM documents"));
  if (::sqlite3_step(last.get()) != SQLITE_ROW) return database.failure("cannot count the documents");
  const sqlite3_int64 count = ::sqlite3_column_int64(last.get(), 0);
  if (count < 0) return fail(ErrorCode::kCorruptData, "{}: {} documents", path.string(), count);

  ASSIGN_OR_RETURN(Statement select,
                   prepare(database, "SELECT id, title, text, metadata FROM documents WHERE ordinal = ?"));
  return DocumentReader(
      std::make_unique<Impl>(std::move(database), std::move(select), static_cast<std::size_t>(count)));
}

std::size_t DocumentReader::count() const { return impl_->count(); }
Result<std::vector<Document>> DocumentReader::read(std::span<const std::uint32_t> ordinals) const {
  return impl_->read(ordinals);
}

}  // namespace tandem
