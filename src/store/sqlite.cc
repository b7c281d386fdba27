#include "store/sqlite.h"

#include "base/error.h"

namespace tandem {

Result<Database> Database::open(const std::filesystem::path& path, const std::string& name, int flags) {
  sqlite3* handle = nullptr;
  const int code = ::sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(handle, path.string());
  if (code != SQLITE_OK) return database.failure("cannot open");
  return database;
}

Status Database::execute(const char* sql) const {
  if (::sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure(sql);
  return {};
}

tl::unexpected<Error> Database::failure(std::string_view what) const {
  const int code = ::sqlite3_extended_errcode(handle_.get());
  const int error_number = ::sqlite3_system_errno(handle_.get());
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return fail(ErrorCode::kNoSpace, "{}: {}: no space left on the disk", path_, what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(ErrorCode::kConflict, "{}: {}: another process is writing to it", path_, what);
    case SQLITE_READONLY:
      return fail(ErrorCode::kPermission, "{}: {}: the file or its folder is read-only", path_, what);
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

// https://www.sqlite.org/security.html
Status distrust(const Database& database) {
  ::sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  ::sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database.execute("PRAGMA cell_size_check=ON");
}

}  // namespace tandem
