// Values that took time to compute, under keys that say what they were computed from: one SQLite file with one table.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tandem/result.h"

namespace tandem {

class Database;

struct StoredValue {
  std::vector<float> numbers;
  double cost_ms = 0;  ///< What computing it took.
};

/// Not thread-safe. Several processes may have one file open: each add() is one transaction, which the others see.
/// After a crash of the process the file holds the transactions that were over; after one of the machine, perhaps
/// without the last of them, which SQLite has not waited for the disk to keep.
class ValueStore {
 public:
  /// Makes the file where there is none. Errors: kCorruptData for a file that is something else or has a rollback
  /// journal beside it, kPermission, kNoSpace, kIo, kNotFound for a folder that does not exist, kInvalidArgument for a
  /// path that is no regular file. Here and below, kConflict after waiting `kLockWaitMs` for another process that
  /// writes.
  static Result<ValueStore> open(const std::filesystem::path& path);
  /// One that ends with the process.
  static Result<ValueStore> in_memory();

  /// The value of each key, which has `numbers` numbers; nullopt: there is none. Errors: kCorruptData, also for a value
  /// of another length; kIo.
  Result<std::vector<std::optional<StoredValue>>> find(std::span<const std::string> keys, std::size_t numbers) const;

  /// A key that has a value keeps it. `keys` and `values` have one length. Errors: kNoSpace, kPermission, kIo.
  Status add(std::span<const std::string> keys, std::span<const StoredValue> values);

  static constexpr int kLockWaitMs = 10'000;

  ValueStore(ValueStore&&) noexcept;
  ValueStore& operator=(ValueStore&&) noexcept;
  ~ValueStore();

 private:
  class Impl;
  explicit ValueStore(std::unique_ptr<Impl> impl);
  static Result<ValueStore> over(Database database);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem
