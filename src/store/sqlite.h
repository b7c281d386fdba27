// What the files of this folder share in using SQLite: the one way to open a database, statements that clean up after
// themselves, and errors that name the file.
//
// A database is a program of sorts: triggers, views and generated columns run when it is used. So none is ever opened
// but with distrust (https://www.sqlite.org/security.html): with all of these off, with limits that leave room for the
// statements of this folder and no more, and only when it holds the one table that is expected.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "tandem/result.h"

namespace tandem {

/// The one table that a kind of file holds.
struct TableFormat {
  std::string_view name;
  const char* sql;              ///< The statement that makes it, to the letter.
  std::string_view wrong_file;  ///< What is said of a file that holds anything else: "not a document file".
  int row_bytes_max;            ///< The most that one row may hold.
};

enum class DatabaseUse {
  kWriteOnce,  ///< A new file, which this process alone writes, without a journal; the path must not exist.
  kShared,     ///< Read and written by several processes at once; made where there is none.
  kInMemory,   ///< As kShared, without a file; the path is what errors call it.
  kFinished,   ///< Read only, without locks and journals: the file does not change any more.
};

/// A connection to one file that holds one table. Not thread-safe.
class Database {
 public:
  /// `path` is a path whatever it looks like, ":memory:" and "file:x" too; links in it are followed, and what lies
  /// beside the file is looked for beside their target. Errors, here and elsewhere, name `path`: kCorruptData for a
  /// file with anything else in it than the one table, kNotFound, kPermission, kNoSpace, kIo; kInvalidArgument for what
  /// is no regular file; kConflict after `lock_wait_ms` of waiting for another process that writes.
  static Result<Database> open(const std::filesystem::path& path, DatabaseUse use, const TableFormat& format,
                               int lock_wait_ms = 0);

  Status execute(const char* sql) const;

  /// Goes to the next row of a statement; false at its end. `what` is said of the file when that fails. Errors: as
  /// failure(), kCorruptData for a statement that takes more steps than any of this folder does.
  Result<bool> step(sqlite3_stmt* statement, std::string_view what) const;

  sqlite3* handle() const { return handle_.get(); }
  const std::string& path() const { return path_; }

  /// What the last call on this connection failed with: kConflict where another process holds a lock, kNoSpace,
  /// kCorruptData, kPermission, kUnsupported for a row that is too large, or kIo.
  tl::unexpected<Error> failure(std::string_view what) const;

 private:
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  Status distrust(DatabaseUse use) const;
  Status ensure_format(DatabaseUse use, const TableFormat& format) const;
  Status check_page_count(DatabaseUse use, const TableFormat& format) const;
  Status check_format(const TableFormat& format, bool& is_empty) const;
  /// The first column of the only row; 0 where there is none.
  Result<std::int64_t> number_of(const char* sql, std::string_view what) const;

  struct Close {
    void operator()(sqlite3* handle) const { ::sqlite3_close_v2(handle); }
  };
  std::unique_ptr<int> steps_ = std::make_unique<int>(0);  // That the running call took; SQLite keeps the address.
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

/// Undoes what was not committed.
class Transaction {
 public:
  /// `sql`: "BEGIN", or "BEGIN IMMEDIATE" to write.
  static Result<Transaction> begin(const Database& database, const char* sql, std::string_view what);

  Status commit();

  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;

 private:
  explicit Transaction(const Database& database) : database_(&database) {}
  const Database* database_;
};

/// Borrows the text until the statement's use ends.
bool bind_text(sqlite3_stmt* statement, int index, std::string_view text);
/// A column of the row that a statement came to, which must hold text: SQLite lets any column hold anything. Errors:
/// kCorruptData.
Result<std::string> text_of(sqlite3_stmt* statement, int column);

}  // namespace tandem
