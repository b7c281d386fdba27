#include "store/value_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstring>

#include "base/error.h"
#include "base/temporary_folder.h"

namespace tandem {
namespace {

class ValueStoreTest : public testing::Test {
 protected:
  ValueStore open() const {
    auto store = ValueStore::open(path_);
    if (!store) throw std::runtime_error(store.error().message);
    return std::move(*store);
  }

  /// Works on the file with other means than the store.
  void execute(const char* sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(::sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(::sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << ::sqlite3_errmsg(database);
    ::sqlite3_close(database);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "values";
};

TEST_F(ValueStoreTest, FindsWhatWasAddedInTheOrderAsked) {
  const std::vector<std::string> keys{"one", "", "three"};
  const std::vector<StoredValue> values{
      {.numbers = {1.5F, -0.0F}, .cost_ms = 2.25}, {.numbers = {}, .cost_ms = 0}, {.numbers = {1e-42F}, .cost_ms = 7}};
  for (const bool in_memory : {false, true}) {
    auto store = in_memory ? ValueStore::in_memory() : ValueStore::open(path_);
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE(store->add(keys, values));
    const auto found = store->find(std::vector<std::string>{"three", "four", "", "one"});
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_TRUE((*found)[0] && (*found)[2] && (*found)[3]);
    EXPECT_FALSE((*found)[1]);
    EXPECT_EQ((*found)[0]->numbers, values[2].numbers);
    EXPECT_TRUE((*found)[2]->numbers.empty());
    EXPECT_EQ(std::memcmp((*found)[3]->numbers.data(), values[0].numbers.data(), 2 * sizeof(float)), 0);
    EXPECT_EQ((*found)[3]->cost_ms, 2.25);
  }
}

TEST_F(ValueStoreTest, RefusesWhatNobodyComputed) {
  const std::vector<std::string> keys{"key"};
  for (const char* damage : {"cost_ms = -5", "cost_ms = 1e300", "numbers = x'0000c07f'", "numbers = x'00'"}) {
    std::filesystem::remove(path_);
    ASSERT_TRUE(open().add(keys, std::vector<StoredValue>{{.numbers = {1}, .cost_ms = 1}}));
    execute((std::string("UPDATE computed SET ") + damage).c_str());
    const auto found = open().find(keys);
    ASSERT_FALSE(found) << damage;
    EXPECT_EQ(found.error().code, ErrorCode::kCorruptData);
    EXPECT_NE(found.error().message.find(path_.string()), std::string::npos) << found.error().message;
  }
}

TEST_F(ValueStoreTest, AKeyKeepsItsFirstValue) {
  const std::vector<std::string> keys{"key"};
  ValueStore store = open();
  ASSERT_TRUE(store.add(keys, std::vector<StoredValue>{{.numbers = {1}, .cost_ms = 1}}));
  ASSERT_TRUE(open().add(keys, std::vector<StoredValue>{{.numbers = {2}, .cost_ms = 2}}));
  EXPECT_EQ((*store.find(keys))[0]->numbers, std::vector<float>{1});
}

TEST_F(ValueStoreTest, AnotherDatabaseIsRefusedAndLeftAsItIs) {
  execute("CREATE TABLE mine(x); INSERT INTO mine VALUES(1)");
  const auto store = ValueStore::open(path_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(store.error().message.find("its first table reads CREATE TABLE mine(x)"), std::string::npos)
      << store.error().message;
  EXPECT_FALSE(std::filesystem::exists(path_.string() + "-wal"));
  execute("SELECT * FROM mine");
}

TEST_F(ValueStoreTest, AReadOnlyFolderIsAnErrorOfPermission) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const auto store = ValueStore::open(path_);
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::owner_all);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kPermission);
}

}  // namespace
}  // namespace tandem
