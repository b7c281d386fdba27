// Any SQLite file, with a log beside it, as a store of values: what opens must be safe to read and to write.
#include <algorithm>
#include <cmath>
#include <vector>

#include "store/testing/fuzzed_database.h"
#include "store/value_store.h"

namespace tandem {
namespace {

const std::vector<std::string> kKeys{"one", "", "three", "four", std::string(300, 'k')};
constexpr std::size_t kNumbers = 40;

std::vector<StoredValue> values() {
  std::vector<StoredValue> values;
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    values.push_back({.numbers = std::vector<float>(kNumbers, 0.5F), .cost_ms = static_cast<double>(i)});
  }
  return values;
}

void check_found(const Result<std::vector<std::optional<StoredValue>>>& found) {
  if (!found) {
    CHECK(!found.error().message.empty());
    return;
  }
  CHECK(found->size() == kKeys.size());
  for (const auto& value : *found) {
    if (!value) continue;
    CHECK(value->numbers.size() == kNumbers);
    CHECK(std::ranges::all_of(value->numbers, [](float number) { return std::isfinite(number); }));
    CHECK(value->cost_ms >= 0 && std::isfinite(value->cost_ms));
  }
}

}  // namespace

const FuzzedFolder& fuzzed_folder() {
  static const FuzzedFolder* const folder = [] {
    const TemporaryFolder files;
    const std::filesystem::path path = files.path() / kDatabaseName;
    auto store = ValueStore::open(path);
    CHECK(store && store->add(kKeys, values()));
    // While the store is open, what was added is in the log; when it is closed, in the file.
    const std::string log = content_of_file(files.path() / kLogName);
    store = ValueStore::in_memory();
    CHECK(!log.empty());
    return new FuzzedFolder(fuzzed_databases(content_of_file(path), log, "computed"));
  }();
  return *folder;
}

void check_folder(const std::filesystem::path& folder, const FolderFiles& files) {
  const std::filesystem::path scratch = folder / "scratch";
  make_database(scratch, files);
  for (int round = 0; round < 2; ++round) {
    auto store = ValueStore::open(scratch / kDatabaseName);
    if (!store) {
      CHECK(!store.error().message.empty());
      return;
    }
    check_found(store->find(kKeys, kNumbers));
    const Status added = store->add(kKeys, values());
    CHECK(added || !added.error().message.empty());
    check_found(store->find(kKeys, kNumbers));
  }
}

}  // namespace tandem
