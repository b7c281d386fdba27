#include "store/value_store.h"

#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/finite.h"
#include "store/sqlite.h"

namespace tandem {
namespace {

// A row holds a key and a vector or some scores: 16 MiB are far above the largest.
constexpr TableFormat kFormat{
    .name = "computed",
    .sql = "CREATE TABLE computed(key TEXT PRIMARY KEY NOT NULL, numbers BLOB NOT NULL, cost_ms REAL NOT NULL)",
    .wrong_file = "not a file of computed values",
    .row_bytes_max = 16 << 20};
constexpr double kCostMsMax = 1e12;  // Thirty years: more was never measured.

}  // namespace

class ValueStore::Impl {
 public:
  Impl(Database database, Statement select, Statement insert)
      : database_(std::move(database)), select_(std::move(select)), insert_(std::move(insert)) {}

  Result<std::vector<std::optional<StoredValue>>> find(std::span<const std::string> keys, std::size_t numbers) const {
    std::vector<std::optional<StoredValue>> values(keys.size());
    // One transaction spares a lock per key.
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_, "BEGIN", "cannot read values"));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      ASSIGN_OR_RETURN(values[i], find(keys[i], numbers));
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
      if (!bound) return database_.failure("cannot write a value");
      RETURN_IF_ERROR(database_.step(insert, "cannot write a value"));
    }
    return transaction.commit();
  }

 private:
  Result<std::optional<StoredValue>> find(const std::string& key, std::size_t numbers) const {
    sqlite3_stmt* select = select_.get();
    const StatementUse use(select);
    if (!bind_text(select, 1, key)) return database_.failure("cannot read a value");
    ASSIGN_OR_RETURN(const bool found, database_.step(select, "cannot read a value"));
    if (!found) return std::optional<StoredValue>();
    if (::sqlite3_column_type(select, 0) != SQLITE_BLOB || ::sqlite3_column_type(select, 1) != SQLITE_FLOAT) {
      return fail(ErrorCode::kCorruptData, "{}: holds a value that is no blob with a number: it is damaged",
                  database_.path());
    }
    // Before it is copied: rows may share their pages, so that each of many is as long as the file.
    const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(select, 0));
    if (size != numbers * sizeof(float)) {
      return fail(ErrorCode::kCorruptData, "{}: holds a value of {} bytes where {} numbers are expected: it is damaged",
                  database_.path(), size, numbers);
    }
    StoredValue value{.numbers = std::vector<float>(numbers), .cost_ms = ::sqlite3_column_double(select, 1)};
    if (numbers != 0) std::memcpy(value.numbers.data(), ::sqlite3_column_blob(select, 0), size);
    if (!is_finite(value.numbers) || !(value.cost_ms >= 0 && value.cost_ms <= kCostMsMax)) {
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
  ASSIGN_OR_RETURN(Database database, Database::open(path, DatabaseUse::kShared, kFormat, kLockWaitMs));
  return over(std::move(database));
}

Result<ValueStore> ValueStore::in_memory() {
  ASSIGN_OR_RETURN(Database database, Database::open(":memory:", DatabaseUse::kInMemory, kFormat));
  return over(std::move(database));
}

Result<ValueStore> ValueStore::over(Database database) {
  ASSIGN_OR_RETURN(Statement select,
                   prepare(database, "SELECT numbers, cost_ms FROM computed WHERE key = ?", kFormat.wrong_file));
  ASSIGN_OR_RETURN(
      Statement insert,
      prepare(database, "INSERT INTO computed VALUES(?, ?, ?) ON CONFLICT(key) DO NOTHING", kFormat.wrong_file));
  return ValueStore(std::make_unique<Impl>(std::move(database), std::move(select), std::move(insert)));
}

Result<std::vector<std::optional<StoredValue>>> ValueStore::find(std::span<const std::string> keys,
                                                                 std::size_t numbers) const {
  return impl_->find(keys, numbers);
}
Status ValueStore::add(std::span<const std::string> keys, std::span<const StoredValue> values) {
  return impl_->add(keys, values);
}

}  // namespace tandem
