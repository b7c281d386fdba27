// What the files of this folder share in using SQLite: connections and statements that clean up after themselves, and
// errors that name the file.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "tandem/result.h"

namespace tandem {

/// A connection to one file. Not thread-safe.
class Database {
 public:
  /// `name`: the path, an SQLite URI or ":memory:". Errors, here and elsewhere, name `path`.
  static Result<Database> open(const std::filesystem::path& path, const std::string& name, int flags);

  Status execute(const char* sql) const;
  sqlite3* handle() const { return handle_.get(); }
  const std::string& path() const { return path_; }

  /// What the last call on this connection failed with: kConflict where another process holds a lock, kNoSpace,
  /// kCorruptData, kPermission or kIo.
  tl::unexpected<Error> failure(std::string_view what) const;

 private:
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  struct Close {
    void operator()(sqlite3* handle) const { ::sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
};

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// `what` is said of a file on which the statement cannot run, e.g. "not a document file".
Result<Statement> prepare(const Database& database, const char* sql, std::string_view what);

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

/// Borrows the text until the statement's use ends.
bool bind_text(sqlite3_stmt* statement, int index, std::string_view text);
std::string text_of(sqlite3_stmt* statement, int column);

/// What to set before reading a file that may have been tampered with.
Status distrust(const Database& database);

}  // namespace tandem
