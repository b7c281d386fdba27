#include "store/value_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/testing/temporary_folder.h"

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
  const std::vector<StoredValue> values{{.numbers = {1.5F, -0.0F}, .cost_ms = 2.25},
                                        {.numbers = {0, 3}, .cost_ms = 0},
                                        {.numbers = {1e-42F, 1}, .cost_ms = 7}};
  for (const bool in_memory : {false, true}) {
    auto store = in_memory ? ValueStore::in_memory() : ValueStore::open(path_);
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE(store->add(keys, values));
    const auto found = store->find(std::vector<std::string>{"three", "four", "", "one"}, 2);
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_TRUE((*found)[0] && (*found)[2] && (*found)[3]);
    EXPECT_FALSE((*found)[1]);
    EXPECT_EQ((*found)[0]->numbers, values[2].numbers);
    EXPECT_EQ((*found)[2]->numbers, values[1].numbers);
    EXPECT_EQ(std::memcmp((*found)[3]->numbers.data(), values[0].numbers.data(), 2 * sizeof(float)), 0);
    EXPECT_EQ((*found)[3]->cost_ms, 2.25);
  }
}

TEST_F(ValueStoreTest, FindsValuesWithoutNumbers) {
  const std::vector<std::string> keys{"key"};
  ValueStore store = open();
  ASSERT_TRUE(store.add(keys, std::vector<StoredValue>{{.numbers = {}, .cost_ms = 1}}));
  EXPECT_TRUE(store.find(keys, 0)->front()->numbers.empty());
}

// Hundreds of rows that share their pages, each as long as the file, took hundreds of times its size before the first
// of them was looked at.
TEST_F(ValueStoreTest, RefusesTheFirstValueOfAnotherLength) {
  const std::vector<std::string> keys{"first", "second"};
  ValueStore store = open();
  ASSERT_TRUE(store.add(keys, std::vector<StoredValue>{{.numbers = std::vector<float>(1000), .cost_ms = 1},
                                                       {.numbers = std::vector<float>(2000), .cost_ms = 1}}));
  for (const std::size_t numbers : {0, 1, 999, 1001}) {
    const auto found = store.find(keys, numbers);
    ASSERT_FALSE(found) << numbers;
    EXPECT_EQ(found.error().code, ErrorCode::kCorruptData);
    EXPECT_EQ(found.error().message,
              fmt::format("{}: holds a value of 4000 bytes where {} numbers are expected: it is damaged",
                          path_.string(), numbers));
  }
}

TEST_F(ValueStoreTest, RefusesWhatNobodyComputed) {
  const std::vector<std::string> keys{"key"};
  for (const char* damage :
       {"cost_ms = -5", "cost_ms = 1e300", "numbers = x'0000c07f'", "numbers = x'00'", "numbers = 'abcd'",
        "numbers = 1.5", "cost_ms = 'x'", "cost_ms = x'00'", "numbers = zeroblob(20000000)"}) {
    std::filesystem::remove(path_);
    ASSERT_TRUE(open().add(keys, std::vector<StoredValue>{{.numbers = {1}, .cost_ms = 1}}));
    execute((std::string("UPDATE computed SET ") + damage).c_str());
    const auto found = open().find(keys, 1);
    ASSERT_FALSE(found) << damage;
    EXPECT_TRUE(found.error().code == ErrorCode::kCorruptData || found.error().code == ErrorCode::kUnsupported);
    EXPECT_NE(found.error().message.find(path_.string()), std::string::npos) << found.error().message;
  }
}

TEST_F(ValueStoreTest, AKeyKeepsItsFirstValue) {
  const std::vector<std::string> keys{"key"};
  ValueStore store = open();
  ASSERT_TRUE(store.add(keys, std::vector<StoredValue>{{.numbers = {1}, .cost_ms = 1}}));
  ASSERT_TRUE(open().add(keys, std::vector<StoredValue>{{.numbers = {2}, .cost_ms = 2}}));
  EXPECT_EQ((*store.find(keys, 1))[0]->numbers, std::vector<float>{1});
}

TEST_F(ValueStoreTest, AnotherDatabaseIsRefusedAndLeftAsItIs) {
  execute("CREATE TABLE mine(x); INSERT INTO mine VALUES(1)");
  const auto store = ValueStore::open(path_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(store.error().message.find("it holds the table mine (CREATE TABLE mine(x))"), std::string::npos)
      << store.error().message;
  EXPECT_FALSE(std::filesystem::exists(path_.string() + "-wal"));
  execute("SELECT * FROM mine");
}

TEST_F(ValueStoreTest, ADatabaseThatDoesMoreThanHoldValuesIsRefused) {
  const std::string forever =
      "(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c)";
  for (const std::string& addition :
       {"CREATE TRIGGER t AFTER INSERT ON computed BEGIN SELECT " + forever + "; END",
        std::string("CREATE TRIGGER t AFTER INSERT ON computed BEGIN DELETE FROM computed; END"),
        "CREATE VIEW v AS SELECT " + forever, std::string("CREATE TABLE other(x)"),
        std::string("CREATE INDEX i ON computed(cost_ms)"),
        std::string("PRAGMA journal_mode=DELETE; PRAGMA "
                    "auto_vacuum=1; VACUUM")}) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_.string() + suffix);
    static_cast<void>(open());
    execute(addition.c_str());
    const auto store = ValueStore::open(path_);
    ASSERT_FALSE(store) << addition;
    EXPECT_EQ(store.error().code, ErrorCode::kCorruptData) << addition;
    EXPECT_NE(store.error().message.find(path_.string()), std::string::npos) << store.error().message;
  }
  for (const char* table :
       {"CREATE TABLE computed(key TEXT PRIMARY KEY NOT NULL, numbers BLOB NOT NULL, cost_ms REAL NOT NULL) WITHOUT "
        "ROWID",
        "CREATE TABLE computed(key TEXT PRIMARY KEY NOT NULL, numbers BLOB NOT NULL, cost_ms REAL NOT NULL CHECK(1))",
        "CREATE VIEW computed AS SELECT '' AS key, x'' AS numbers, 0.0 AS cost_ms"}) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_.string() + suffix);
    execute(table);
    EXPECT_EQ(ValueStore::open(path_).error().code, ErrorCode::kCorruptData) << table;
  }
}

TEST_F(ValueStoreTest, ATriggerThatComesLaterDoesNotRun) {
  const std::vector<std::string> keys{"key"};
  ValueStore store = open();
  execute("CREATE TRIGGER t AFTER INSERT ON computed BEGIN DELETE FROM computed; END");
  ASSERT_TRUE(store.add(keys, std::vector<StoredValue>{{.numbers = {1}, .cost_ms = 1}}));
  EXPECT_TRUE(store.find(keys, 1)->front());
}

// SQLite would remove the file that the journal names.
TEST_F(ValueStoreTest, AJournalBesideTheFileIsRefused) {
  const std::filesystem::path precious = folder_.write("precious", "text");
  static_cast<void>(open());
  folder_.write("values-journal", "journal");
  EXPECT_EQ(ValueStore::open(path_).error().code, ErrorCode::kCorruptData);
  EXPECT_TRUE(std::filesystem::exists(precious));
  std::filesystem::remove(path_.string() + "-journal");
  EXPECT_TRUE(ValueStore::open(path_));
}

TEST_F(ValueStoreTest, AJournalBesideTheTargetOfALinkIsRefusedToo) {
  static_cast<void>(open());
  folder_.write("values-journal", "journal");
  const std::filesystem::path link = folder_.path() / "link";
  std::filesystem::create_symlink("values", link);
  const auto store = ValueStore::open(link);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kCorruptData);
  EXPECT_EQ(store.error().message, link.string() +
                                       ": a rollback journal lies beside it, values-journal, which "
                                       "Tandem never leaves");
  std::filesystem::remove(path_.string() + "-journal");
  EXPECT_TRUE(ValueStore::open(link));
}

TEST_F(ValueStoreTest, AnyNameIsAFile) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  for (const char* name : {":memory:", "file:x", "file:x?mode=memory", "file::memory:", "a?b#c", "%41", " "}) {
    EXPECT_TRUE(ValueStore::open(name)) << name;
    EXPECT_GT(std::filesystem::file_size(name), 0U) << name;
  }
  EXPECT_EQ(ValueStore::open("").error().code, ErrorCode::kNotFound);
  std::filesystem::current_path(before);
}

/// Writes a log beside a database in which its first page claims a number of pages
/// (https://www.sqlite.org/fileformat2.html#walformat).
void claim_pages(const std::filesystem::path& path, std::uint32_t pages) {
  std::ifstream stream(path, std::ios::binary);
  std::string page{std::istreambuf_iterator<char>(stream), {}};
  page.resize(static_cast<unsigned char>(page[16]) << 8U | static_cast<unsigned char>(page[17]));
  const auto number = [](std::uint32_t value) {
    std::string bytes;
    for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes.push_back(static_cast<char>(value >> shift));
    return bytes;
  };
  page.replace(28, 4, number(pages));
  std::array<std::uint32_t, 2> sums{};
  const auto add = [&sums](const std::string& bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += 2 * sizeof(std::uint32_t)) {
      std::array<std::uint32_t, 2> words{};  // The log says that they are little-endian.
      std::memcpy(words.data(), bytes.data() + i, sizeof(words));
      sums[0] += words[0] + sums[1];
      sums[1] += words[1] + sums[0];
    }
  };
  const std::string salt = number(1) + number(2);
  std::string log =
      number(0x377f0682) + number(3'007'000) + number(static_cast<std::uint32_t>(page.size())) + number(0) + salt;
  add(log);
  log += number(sums[0]) + number(sums[1]);
  const std::string frame = number(1) + number(pages);
  add(frame);
  add(page);
  log += frame + salt + number(sums[0]) + number(sums[1]) + page;
  std::ofstream(path.string() + "-wal", std::ios::binary) << log;
}

// SQLite bounds what a row may have by the number of pages: without it, few pages in a ring are a row without an end.
TEST_F(ValueStoreTest, ALogThatClaimsPagesThatAreNowhereIsRefused) {
  static_cast<void>(open());
  claim_pages(path_, 3);
  ASSERT_TRUE(ValueStore::open(path_)) << "as many as there are";
  claim_pages(path_, 0x7ffffff0);
  const auto store = ValueStore::open(path_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(store.error().message.find("it claims 2147483632 pages of 4096 bytes"), std::string::npos)
      << store.error().message;
}

TEST_F(ValueStoreTest, ManyValuesAreFoundAndAddedWithinTheLimits) {
  std::vector<std::string> keys;
  for (int i = 0; i < 20'000; ++i) keys.push_back(std::to_string(i) + std::string(64, 'k'));
  const std::vector<StoredValue> values(keys.size(), {.numbers = std::vector<float>(8, 1.0F), .cost_ms = 1});
  ValueStore store = open();
  ASSERT_TRUE(store.add(keys, values));
  const auto found = store.find(keys, 8);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(std::ranges::all_of(*found, [](const auto& value) { return value.has_value(); }));
}

TEST_F(ValueStoreTest, RefusesWhatIsNoRegularFile) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(ValueStore::open(path_).error().code, ErrorCode::kInvalidArgument) << "without waiting for a writer";
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
