#include "store/sqlite.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace tandem {
namespace {

// The longest of this folder's statements takes some fifty steps of SQLite's virtual machine; reading the schema of one
// table takes a few hundred.
constexpr int kStepsMax = 100'000;
constexpr int kStepsPerCheck = 1'000;

// What our statements need, with room to spare, and far from what makes SQLite work for long.
// https://www.sqlite.org/c3ref/c_limit_attached.html
constexpr std::array<std::pair<int, int>, 10> kLimits{{{SQLITE_LIMIT_SQL_LENGTH, 4096},
                                                       {SQLITE_LIMIT_COLUMN, 16},
                                                       {SQLITE_LIMIT_EXPR_DEPTH, 16},
                                                       {SQLITE_LIMIT_COMPOUND_SELECT, 1},
                                                       {SQLITE_LIMIT_VDBE_OP, 1000},
                                                       {SQLITE_LIMIT_FUNCTION_ARG, 4},
                                                       {SQLITE_LIMIT_ATTACHED, 0},
                                                       {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64},
                                                       {SQLITE_LIMIT_VARIABLE_NUMBER, 8},
                                                       {SQLITE_LIMIT_WORKER_THREADS, 0}}};

// A row of a schema has a few hundred bytes. Before a file is known to hold what it should, no row may have more than
// this: rows that share their pages, each as long as the file, would all be read.
constexpr int kSchemaRowBytesMax = 8192;

constexpr std::array<std::pair<int, int>, 8> kSwitches{{{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                                        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                                                        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                                                        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                                                        {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
                                                        {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
                                                        {SQLITE_DBCONFIG_DQS_DML, 0},
                                                        {SQLITE_DBCONFIG_DQS_DDL, 0}}};

// https://www.sqlite.org/uri.html. A file that says it is immutable is read without locks, also from a read-only disk.
std::string immutable_uri(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char character : path.string()) {
    if (character == '%' || character == '?' || character == '#') {
      fmt::format_to(std::back_inserter(uri), "%{:02X}", static_cast<unsigned char>(character));
    } else {
      uri.push_back(character);
    }
  }
  return uri + "?immutable=1";
}

/// Makes the file where the use asks for it, and says why it cannot be opened, where SQLite would say only that.
Status prepare_file(const std::filesystem::path& path, DatabaseUse use) {
  switch (use) {
    case DatabaseUse::kWriteOnce:
      RETURN_IF_ERROR(OutputFile::create(path));
      break;
    case DatabaseUse::kShared:
      RETURN_IF_ERROR(FileDescriptor::open_regular(path, O_RDWR | O_CREAT));
      break;
    case DatabaseUse::kInMemory:
      break;
    case DatabaseUse::kFinished:
      RETURN_IF_ERROR(FileDescriptor::open_regular(path, O_RDONLY));
      break;
  }
  return {};
}

/// SQLite rolls back what a journal beside the file says, and removes the file that the journal names as its superior,
/// wherever that lies. No use of this folder leaves a journal behind. `file` has no links in it: SQLite follows them
/// before it looks beside a file. Whoever may write to the folder can still put a journal there afterwards.
Status refuse_journal(const std::filesystem::path& file, std::string_view shown) {
  std::filesystem::path journal = file;
  journal += "-journal";
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(journal, ignored))) return {};
  return fail(ErrorCode::kCorruptData, "{}: a rollback journal lies beside it, {}, which Tandem never leaves", shown,
              journal.filename().string());
}

/// What SQLite is to open. To it, a path that begins with a slash is nothing but a path: neither ":memory:" nor a URI.
/// Between the look at the file and its being opened, a pipe may take its place, and SQLite would wait; a link is
/// refused.
Result<std::string> name_for_sqlite(const std::filesystem::path& path, DatabaseUse use) {
  if (use == DatabaseUse::kInMemory) return std::string(":memory:");
  RETURN_IF_ERROR(prepare_file(path, use));
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(path, error);
  if (error) return fail_errno(error.value(), "cannot be found", path.string());
  if (use == DatabaseUse::kFinished) return immutable_uri(file);
  RETURN_IF_ERROR(refuse_journal(file, path.string()));
  return file.string();
}

/// What to set before the schema is looked at. Until then the file may be somebody else's, and stays as it is.
const char* first_settings(DatabaseUse use) {
  switch (use) {
    case DatabaseUse::kWriteOnce:
      // Written once, by one process, and read only after it is whole: nothing needs to be undone.
      return "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; "
             "PRAGMA cache_size=-32768";
    case DatabaseUse::kShared:
    case DatabaseUse::kInMemory:
      // Keys come in no order, so that each batch touches pages all over their index: 64 MiB of them are kept in
      // memory.
      return "PRAGMA cache_size=-65536";
    case DatabaseUse::kFinished:
      return "PRAGMA cache_size=-2048";
  }
  return "";
}

int open_flags(DatabaseUse use) {
  switch (use) {
    case DatabaseUse::kWriteOnce:
    case DatabaseUse::kShared:
      return SQLITE_OPEN_READWRITE;
    case DatabaseUse::kInMemory:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY;
    case DatabaseUse::kFinished:
      return SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  }
  return 0;
}

}  // namespace

Result<Database> Database::open(const std::filesystem::path& path, DatabaseUse use, const TableFormat& format,
                                int lock_wait_ms) {
  ASSIGN_OR_RETURN(const std::string name, name_for_sqlite(path, use));
  constexpr int kAlways = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
  sqlite3* handle = nullptr;
  const int code = ::sqlite3_open_v2(name.c_str(), &handle, open_flags(use) | kAlways, nullptr);
  Database database(handle, path.string());
  if (code != SQLITE_OK) return database.failure("cannot open");
  ::sqlite3_busy_timeout(handle, lock_wait_ms);
  RETURN_IF_ERROR(database.distrust(use));
  if (!database.execute(first_settings(use))) return database.failure(format.wrong_file);
  RETURN_IF_ERROR(database.ensure_format(use, format));
  ::sqlite3_limit(database.handle(), SQLITE_LIMIT_LENGTH, format.row_bytes_max);
  if (use == DatabaseUse::kShared) {
    // https://www.sqlite.org/wal.html: readers and one writer at a time, and no wait for the disk at each transaction.
    // 64 MiB are written before they are moved from the log into the file.
    RETURN_IF_ERROR(
        database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=16384"));
  }
  return database;
}

Status Database::distrust(DatabaseUse use) const {
  // A file that is only now being made holds nothing to defend against, and could not be written without a journal.
  ::sqlite3_db_config(handle(), SQLITE_DBCONFIG_DEFENSIVE, use == DatabaseUse::kWriteOnce ? 0 : 1, nullptr);
  for (const auto& [name, value] : kSwitches) ::sqlite3_db_config(handle(), name, value, nullptr);
  for (const auto& [name, value] : kLimits) ::sqlite3_limit(handle(), name, value);
  const auto count_steps = [](void* steps) {
    return (*static_cast<int*>(steps) += kStepsPerCheck) > kStepsMax ? 1 : 0;
  };
  ::sqlite3_progress_handler(handle(), kStepsPerCheck, count_steps, steps_.get());
  ::sqlite3_limit(handle(), SQLITE_LIMIT_LENGTH, kSchemaRowBytesMax);
  // A cache size that the file asks for, and pages that are mapped, would be out of anybody's control.
  return execute("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY");
}

Status Database::check_format(const TableFormat& format, bool& is_empty) const {
  ASSIGN_OR_RETURN(
      const Statement schema,
      prepare(*this, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid", format.wrong_file));
  const std::string index = fmt::format("sqlite_autoindex_{}_1", format.name);
  const std::array<std::array<std::string_view, 4>, 2> expected{
      {{"table", format.name, format.name, format.sql}, {"index", index, format.name, ""}}};
  for (std::size_t row = 0;; ++row) {
    ASSIGN_OR_RETURN(const bool more, step(schema.get(), format.wrong_file));
    is_empty = row == 0 && !more;
    if (!more && (row == expected.size() || is_empty)) return {};
    std::array<std::string, 4> found;
    for (int column = 0; more && column < 4; ++column) {
      // An index that a constraint brings has no SQL.
      if (::sqlite3_column_type(schema.get(), column) == SQLITE_NULL) continue;
      ASSIGN_OR_RETURN(found[static_cast<std::size_t>(column)], text_of(schema.get(), column));
    }
    if (row < expected.size() && std::equal(found.begin(), found.end(), expected[row].begin())) continue;
    constexpr std::size_t kShownMax = 200;
    return fail(ErrorCode::kCorruptData, "{}: {}: it holds {}, want nothing but the table {}", path_, format.wrong_file,
                more ? fmt::format("the {} {} ({})", found[0].substr(0, kShownMax), found[1].substr(0, kShownMax),
                                   found[3].substr(0, kShownMax))
                     : "no index of it",
                format.sql);
  }
}

Result<std::int64_t> Database::number_of(const char* sql, std::string_view what) const {
  ASSIGN_OR_RETURN(const Statement statement, prepare(*this, sql, what));
  ASSIGN_OR_RETURN(const bool has_row, step(statement.get(), what));
  return has_row ? ::sqlite3_column_int64(statement.get(), 0) : 0;
}

// SQLite holds the length of a row against the number of pages, and takes that from the log where there is one. Pages
// that were given back before they were written may be in neither file, but never most of them; a file that is finished
// has all of its pages.
Status Database::check_page_count(DatabaseUse use, const TableFormat& format) const {
  constexpr std::uintmax_t kPageBytesMax = 65'536;
  const char* const file = ::sqlite3_db_filename(handle(), "main");
  std::uintmax_t held_bytes = 0;
  for (const char* const part : {file, ::sqlite3_filename_wal(file)}) {
    std::error_code error;
    const std::uintmax_t part_bytes = std::filesystem::file_size(part, error);
    if (!error) held_bytes += part_bytes;
  }
  ASSIGN_OR_RETURN(const std::int64_t page_bytes, number_of("PRAGMA page_size", format.wrong_file));
  ASSIGN_OR_RETURN(const std::int64_t pages, number_of("PRAGMA page_count", format.wrong_file));
  const auto claimed_bytes = static_cast<std::uintmax_t>(pages * page_bytes);
  if (use == DatabaseUse::kFinished ? claimed_bytes == held_bytes : claimed_bytes <= 2 * held_bytes + kPageBytesMax) {
    return {};
  }
  return fail(ErrorCode::kCorruptData, "{}: {}: it claims {} pages of {} bytes, it and its log have {} bytes", path_,
              format.wrong_file, pages, page_bytes, held_bytes);
}

Status Database::ensure_format(DatabaseUse use, const TableFormat& format) const {
  const bool may_make = use != DatabaseUse::kFinished;
  if (use == DatabaseUse::kShared) {
    // Undoing in memory leaves no journal beside the file, which would not be told from a planted one. Only where there
    // is nothing to lose: in a file that is in use this would end the others' log.
    std::error_code error;
    if (std::filesystem::file_size(path_, error) == 0) RETURN_IF_ERROR(execute("PRAGMA journal_mode=MEMORY"));
  }
  // Whoever comes first makes the table; the other one waits, and finds it.
  ASSIGN_OR_RETURN(Transaction transaction,
                   Transaction::begin(*this, may_make ? "BEGIN IMMEDIATE" : "BEGIN", format.wrong_file));
  if (use == DatabaseUse::kShared || use == DatabaseUse::kFinished) RETURN_IF_ERROR(check_page_count(use, format));
  bool is_empty = false;
  RETURN_IF_ERROR(check_format(format, is_empty));
  if (is_empty) {
    if (!may_make) {
      return fail(ErrorCode::kCorruptData, "{}: {}: it is empty, want the table {}", path_, format.wrong_file,
                  format.sql);
    }
    RETURN_IF_ERROR(execute(format.sql));
  }
  // Otherwise every commit would move pages about for as long as the file has free ones.
  ASSIGN_OR_RETURN(const std::int64_t auto_vacuum, number_of("PRAGMA auto_vacuum", format.wrong_file));
  if (auto_vacuum != 0) {
    return fail(ErrorCode::kCorruptData, "{}: {}: it vacuums itself, want auto_vacuum=NONE", path_, format.wrong_file);
  }
  return transaction.commit();
}

Status Database::execute(const char* sql) const {
  *steps_ = 0;
  if (::sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure(sql);
  return {};
}

Result<bool> Database::step(sqlite3_stmt* statement, std::string_view what) const {
  *steps_ = 0;
  const int code = ::sqlite3_step(statement);
  if (code != SQLITE_ROW && code != SQLITE_DONE) return failure(what);
  return code == SQLITE_ROW;
}

tl::unexpected<Error> Database::failure(std::string_view what) const {
  const int last_error_number = errno;
  const int code = ::sqlite3_extended_errcode(handle_.get());
  int error_number = ::sqlite3_system_errno(handle_.get());
  // SQLite 3.40 does not note why a COMMIT could not write; the failed call was the last one.
  if (error_number == 0 && code == SQLITE_IOERR_WRITE) error_number = last_error_number;
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return fail(ErrorCode::kNoSpace, "{}: {}: no space left on the disk", path_, what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(ErrorCode::kConflict, "{}: {}: another process is writing to it", path_, what);
    case SQLITE_READONLY:
      return fail(ErrorCode::kPermission, "{}: {}: the file or its folder is read-only", path_, what);
    case SQLITE_TOOBIG: {
      const int row_bytes_max = ::sqlite3_limit(handle_.get(), SQLITE_LIMIT_LENGTH, -1);
      return fail(row_bytes_max == kSchemaRowBytesMax ? ErrorCode::kCorruptData : ErrorCode::kUnsupported,
                  "{}: {}: more than {} bytes in a row", path_, what, row_bytes_max);
    }
    case SQLITE_INTERRUPT:
      return fail(ErrorCode::kCorruptData, "{}: {}: takes more than {} steps, which none of its kind needs", path_,
                  what, kStepsMax);
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

Result<Statement> prepare(const Database& database, const char* sql, std::string_view what) {
  sqlite3_stmt* statement = nullptr;
  if (::sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return database.failure(what);
  }
  return Statement(statement);
}

Result<Transaction> Transaction::begin(const Database& database, const char* sql, std::string_view what) {
  if (!database.execute(sql)) return database.failure(what);
  return Transaction(database);
}

Status Transaction::commit() {
  RETURN_IF_ERROR(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

Transaction::~Transaction() {
  if (database_ != nullptr) static_cast<void>(database_->execute("ROLLBACK"));
}

Transaction::Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

// An empty string_view may have no data, which SQLite would take for NULL.
bool bind_text(sqlite3_stmt* statement, int index, std::string_view text) {
  return ::sqlite3_bind_text64(statement, index, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                               SQLITE_UTF8) == SQLITE_OK;
}

Result<std::string> text_of(sqlite3_stmt* statement, int column) {
  const char* name = ::sqlite3_column_name(statement, column);
  if (::sqlite3_column_type(statement, column) != SQLITE_TEXT) {
    return fail(ErrorCode::kCorruptData, "the column {} does not hold a text", name);
  }
  const auto* text = reinterpret_cast<const char*>(::sqlite3_column_text(statement, column));
  if (text == nullptr) return fail(ErrorCode::kIo, "the column {} cannot be read", name);
  return std::string(text, static_cast<std::size_t>(::sqlite3_column_bytes(statement, column)));
}

}  // namespace tandem
