#include "store/value_store.h"

#include <fcntl.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "store/sqlite.h"

namespace tandem {
namespace {

constexpr const char* kSchema =
    "CREATE TABLE computed(key TEXT PRIMARY KEY NOT NULL, numbers BLOB NOT NULL, cost_ms REAL NOT NULL)";
constexpr double kCostMsMax = 1e12;  // Thirty years: more was never measured.
constexpr std::string_view kWrongFile = "not a file of computed values";

/// Undoes what was not committed.
class Transaction {
 public:
  static Result<Transaction> begin(const Database& database, const char* sql, std::string_view what) {
    if (!database.execute(sql)) return database.failure(what);
    return Transaction(database);
  }

  Status commit() {
    RETURN_IF_ERROR(database_->execute("COMMIT"));
    database_ = nullptr;
    return {};
  }

  ~Transaction() {
    if (database_ != nullptr) static_cast<void>(database_->execute("ROLLBACK"));
  }
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;

 private:
  explicit Transaction(const Database& database) : database_(&database) {}
  const Database* database_;
};

/// Creates the table in an empty file; refuses a file with another one.
Status ensure_schema(const Database& database) {
  // Whoever comes first makes the table; the other one waits, and finds it.
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database, "BEGIN IMMEDIATE", kWrongFile));
  ASSIGN_OR_RETURN(const Statement schema,
                   prepare(database, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid", kWrongFile));
  const int code = ::sqlite3_step(schema.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) return database.failure(kWrongFile);
  if (code == SQLITE_DONE) {
    RETURN_IF_ERROR(database.execute(kSchema));
  } else if (text_of(schema.get(), 0) != kSchema) {
    return fail(ErrorCode::kCorruptData, "{}: {}: its first table reads {}, want {}", database.path(), kWrongFile,
                text_of(schema.get(), 0), kSchema);
  }
  ::sqlite3_reset(schema.get());
  return transaction.commit();
}

}  // namespace

class ValueStore::Impl {
 public:
  Impl(Database database, Statement select, Statement insert)
      : database_(std::move(database)), select_(std::move(select)), insert_(std::move(insert)) {}

  Result<std::vector<std::optional<StoredValue>>> find(std::span<const std::string> keys) const {
    std::vector<std::optional<StoredValue>> values(keys.size());
    // One transaction spares a lock per key.
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_, "BEGIN", "cannot read values"));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      ASSIGN_OR_RETURN(values[i], find(keys[i]));
    }
    RETURN_IF_ERROR(transaction.commit());
    return values;
  }

  Status add(std::span<const std::string> keys, std::span<const StoredValue> values) {
    CHECK(keys.size() == values.size());
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_, "BEGIN IMMEDIATE", "cannot write values"));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      sqlite3_stmt* insert = insert_.get();
      const StatementUse use(insert);
      const auto numbers = std::as_bytes(std::span(values[i].numbers));
      // No address at all would be NULL.
      const void* bytes = numbers.empty() ? static_cast<const void*>("") : numbers.data();
      const bool bound = bind_text(insert, 1, keys[i]) &&
                         ::sqlite3_bind_blob64(insert, 2, bytes, numbers.size(), SQLITE_STATIC) == SQLITE_OK &&
                         ::sqlite3_bind_double(insert, 3, values[i].cost_ms) == SQLITE_OK;
      if (!bound || ::sqlite3_step(insert) != SQLITE_DONE) return database_.failure("cannot write a value");
    }
    return transaction.commit();
  }

 private:
  Result<std::optional<StoredValue>> find(const std::string& key) const {
    sqlite3_stmt* select = select_.get();
    const StatementUse use(select);
    if (!bind_text(select, 1, key)) return database_.failure("cannot read a value");
    const int code = ::sqlite3_step(select);
    if (code == SQLITE_DONE) return std::optional<StoredValue>();
    if (code != SQLITE_ROW) return database_.failure("cannot read a value");
    const void* bytes = ::sqlite3_column_blob(select, 0);
    const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(select, 0));
    StoredValue value{.numbers = std::vector<float>(size / sizeof(float)),
                      .cost_ms = ::sqlite3_column_double(select, 1)};
    if (!value.numbers.empty()) std::memcpy(value.numbers.data(), bytes, value.numbers.size() * sizeof(float));
    if (size % sizeof(float) != 0 || !std::ranges::all_of(value.numbers, [](float x) { return std::isfinite(x); }) ||
        !(value.cost_ms >= 0 && value.cost_ms <= kCostMsMax)) {
      return fail(ErrorCode::kCorruptData, "{}: holds a value of {} bytes that cost {} ms: it is damaged",
                  database_.path(), size, value.cost_ms);
    }
    return value;
  }

  Database database_;
  Statement select_;
  Statement insert_;
};

ValueStore::ValueStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ValueStore::ValueStore(ValueStore&&) noexcept = default;
ValueStore& ValueStore::operator=(ValueStore&&) noexcept = default;
ValueStore::~ValueStore() = default;

Result<ValueStore> ValueStore::open(const std::filesystem::path& path) {
  // SQLite would say only that it cannot open the file; this says why.
  RETURN_IF_ERROR(FileDescriptor::open(path, O_RDWR | O_CREAT));
  return open_database(path, path.string());
}

Result<ValueStore> ValueStore::in_memory() { return open_database("values in memory", ":memory:"); }

Result<ValueStore> ValueStore::open_database(const std::filesystem::path& path, const std::string& name) {
  ASSIGN_OR_RETURN(Database database, Database::open(path, name, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  ::sqlite3_busy_timeout(database.handle(), kLockWaitMs);
  RETURN_IF_ERROR(distrust(database));
  RETURN_IF_ERROR(ensure_schema(database));
  // https://www.sqlite.org/wal.html: readers and one writer at a time, and no wait for the disk at each transaction.
  // Only now: before, the file might have been somebody else's.
  RETURN_IF_ERROR(database.execute("PRAGMA journal_mode=WAL"));
  RETURN_IF_ERROR(database.execute("PRAGMA synchronous=NORMAL"));
  // Keys come in no order, so that each batch touches pages all over their index: 64 MiB of them are kept in memory,
  // and as much is written before it is moved from the log into the file.
  RETURN_IF_ERROR(database.execute("PRAGMA cache_size=-65536"));
  RETURN_IF_ERROR(database.execute("PRAGMA wal_autocheckpoint=16384"));
  ASSIGN_OR_RETURN(Statement select,
                   prepare(database, "SELECT numbers, cost_ms FROM computed WHERE key = ?", kWrongFile));
  ASSIGN_OR_RETURN(Statement insert,
                   prepare(database, "INSERT INTO computed VALUES(?, ?, ?) ON CONFLICT(key) DO NOTHING", kWrongFile));
  return ValueStore(std::make_unique<Impl>(std::move(database), std::move(select), std::move(insert)));
}

Result<std::vector<std::optional<StoredValue>>> ValueStore::find(std::span<const std::string> keys) const {
  return impl_->find(keys);
}
Status ValueStore::add(std::span<const std::string> keys, std::span<const StoredValue> values) {
  return impl_->add(keys, values);
}

}  // namespace tandem
