// For the fuzzers of this folder: SQLite files of any bytes, and what SQL can make of good ones, which is more than
// bytes that are flipped come upon.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/testing/fuzzed_folder.h"

namespace tandem {

constexpr const char* kDatabaseName = "database";
constexpr const char* kLogName = "database-wal";
constexpr const char* kStatementsName = "statements.sql";  ///< Run on the database before it is opened.

/// Statements that make a good file of a store one that is hard to read; `table` is the store's.
inline std::vector<std::string> hostile_statements(const std::string& table) {
  const std::string endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) ";
  const std::string set_schema = "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET ";
  const std::string of_table = " WHERE name = '" + table + "'";
  return {
      "CREATE TRIGGER t AFTER INSERT ON " + table + " BEGIN " + endless + "SELECT count(*) FROM c; END",
      "CREATE TRIGGER t BEFORE INSERT ON " + table + " BEGIN DELETE FROM " + table + "; END",
      "CREATE VIEW v AS " + endless + "SELECT x FROM c",
      "CREATE INDEX i ON " + table + "(length(hex(zeroblob(1000))))",
      "CREATE INDEX i ON " + table + "(1) WHERE 1 = 1",
      set_schema + "rootpage = 1" + of_table,
      set_schema + "rootpage = rootpage + 1" + of_table,
      set_schema + "rootpage = 2 WHERE type = 'index'",
      set_schema + "type = 'view'" + of_table,
      set_schema + "sql = replace(sql, 'NOT NULL', 'CHECK (length(zeroblob(99)))')" + of_table,
      set_schema + "sql = NULL WHERE type = 'table'",
      set_schema + "sql = sql || ' WITHOUT ROWID'" + of_table,
      "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT 'table', 'b', name, rootpage, sql FROM "
      "sqlite_schema",
      "UPDATE " + table + " SET rowid = 9223372036854775806",
      "UPDATE OR IGNORE " + table + " SET rowid = -5",
      "DELETE FROM " + table,
      "PRAGMA user_version = 2147483647; PRAGMA application_id = -1",
      "PRAGMA encoding = 'UTF-16'; VACUUM",
      "PRAGMA page_size = 512; VACUUM",
      "PRAGMA auto_vacuum = 2; VACUUM",
      "PRAGMA journal_mode = DELETE",
      "DROP TABLE " + table + "; CREATE VIEW " + table + " AS " + endless + "SELECT x FROM c",
  };
}

inline std::string content_of_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

/// The folders that a fuzzer begins from: a good file with each kind of statements, and damaged ones.
inline FuzzedFolder::Options fuzzed_databases(const std::string& good, const std::string& log,
                                              const std::string& table) {
  FuzzedFolder::Options options;
  options.starts.push_back({{kDatabaseName, good}});
  options.starts.push_back({{kDatabaseName, good}, {kLogName, log}});
  for (const std::string& statements : hostile_statements(table)) {
    options.starts.push_back({{kDatabaseName, good}, {kStatementsName, statements}});
  }
  options.other_names = {kLogName, "database-journal"};
  return options;
}

/// Puts an input's database where nothing else is, and runs its statements on it: with limits of its own, and kept from
/// every other file, for what they do is the fuzzer's doing and not what it looks at.
inline void make_database(const std::filesystem::path& folder, const FolderFiles& files) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  for (const auto& [name, content] : files) {
    if (name != kStatementsName) std::ofstream(folder / name, std::ios::binary) << content;
  }
  const std::string statements = content_of(files, kStatementsName);
  if (statements.empty()) return;
  constexpr int kLengthMax = 1 << 20;
  constexpr int kPagesMax = 256;
  constexpr int kInstructions = 10'000;
  sqlite3* database = nullptr;
  if (::sqlite3_open((folder / kDatabaseName).c_str(), &database) == SQLITE_OK) {
    ::sqlite3_limit(database, SQLITE_LIMIT_LENGTH, kLengthMax);
    ::sqlite3_exec(database, ("PRAGMA max_page_count = " + std::to_string(kPagesMax)).c_str(), nullptr, nullptr,
                   nullptr);
    int calls_left = 20;
    ::sqlite3_progress_handler(
        database, kInstructions, [](void* left) { return --*static_cast<int*>(left) < 0 ? 1 : 0; }, &calls_left);
    ::sqlite3_set_authorizer(
        database,
        [](void*, int action, const char* name, const char*, const char*, const char*) {
          if (action == SQLITE_ATTACH) return name != nullptr && *name == '\0' ? SQLITE_OK : SQLITE_DENY;
          if (action != SQLITE_PRAGMA) return SQLITE_OK;
          const std::string_view pragma = name;
          return pragma.find("directory") == pragma.npos && pragma != "max_page_count" ? SQLITE_OK : SQLITE_DENY;
        },
        nullptr);
    ::sqlite3_exec(database, statements.c_str(), nullptr, nullptr, nullptr);
  }
  ::sqlite3_close(database);
}

}  // namespace tandem
