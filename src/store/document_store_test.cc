#include "store/document_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>
#include <thread>

#include "base/error.h"
#include "base/testing/temporary_folder.h"

namespace tandem {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

Document document(std::string id, std::string text = "text") {
  return {.id = std::move(id), .title = "title", .text = std::move(text), .metadata = R"({"a":1})"};
}

bool same(const Document& a, const Document& b) {
  return a.id == b.id && a.title == b.title && a.text == b.text && a.metadata == b.metadata;
}

/// SQLite's integers of one to nine bytes, and where the next thing begins.
std::uint64_t varint_at(const std::string& bytes, std::size_t& position) {
  std::uint64_t value = 0;
  for (int count = 0; count < 8; ++count) {
    const auto byte = static_cast<unsigned char>(bytes[position++]);
    value = value << 7U | (byte & 0x7FU);
    if (byte < 0x80U) return value;
  }
  return value << 8U | static_cast<unsigned char>(bytes[position++]);
}

std::size_t big_endian_at(const std::string& bytes, std::size_t position, std::size_t count) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8U | static_cast<unsigned char>(bytes[position + i]);
  return value;
}

/// Lets every row of a document file continue in the overflow pages of the first one, and drops the pages behind these
/// (https://www.sqlite.org/fileformat2.html). The rows have to be of one length, and few enough for one leaf: page 2.
void share_overflow_pages(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  stream.close();
  const std::size_t page_bytes = big_endian_at(bytes, 16, 2);
  const std::size_t leaf = page_bytes;
  ASSERT_EQ(bytes[leaf], 13) << "a leaf of a table";
  std::string first_chain;
  for (std::size_t cell = 0; cell < big_endian_at(bytes, leaf + 3, 2); ++cell) {
    std::size_t position = leaf + big_endian_at(bytes, leaf + 8 + 2 * cell, 2);
    const std::uint64_t payload = varint_at(bytes, position);
    varint_at(bytes, position);  // The ordinal.
    const std::size_t least = (page_bytes - 12) * 32 / 255 - 23;
    const std::size_t wanted = least + (payload - least) % (page_bytes - 4);
    position += wanted <= page_bytes - 35 ? wanted : least;
    if (cell == 0) first_chain = bytes.substr(position, 4);
    bytes.replace(position, 4, first_chain);
  }
  std::size_t last_page = 0;
  for (std::size_t page = big_endian_at(first_chain, 0, 4); page != 0;
       page = big_endian_at(bytes, (page - 1) * page_bytes, 4)) {
    last_page = std::max(last_page, page);
  }
  bytes.resize(last_page * page_bytes);
  for (std::size_t i = 0; i < 4; ++i) bytes[28 + i] = static_cast<char>(last_page >> (24 - 8 * i));
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class DocumentStore : public testing::Test {
 protected:
  /// Writes these documents to path_.
  void write(const std::vector<Document>& documents) {
    auto writer = DocumentWriter::create(path_);
    ASSERT_TRUE(writer) << writer.error().message;
    for (const Document& each : documents) ASSERT_TRUE(writer->add(each));
    ASSERT_TRUE(writer->finish());
  }

  /// Makes a database at path_ with other means than the writer.
  void execute(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(::sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(::sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << ::sqlite3_errmsg(database);
    ::sqlite3_close(database);
  }

  Error open_error() const {
    const auto reader = DocumentReader::open(path_);
    return reader ? Error{ErrorCode::kIo, "no error"} : reader.error();
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "documents.sqlite";
};

TEST_F(DocumentStore, RefusesAFileThatIsLongerThanItsPages) {
  write({document("1"), document("2")});
  ASSERT_TRUE(DocumentReader::open(path_));
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) + (std::uintmax_t{1} << 30));
  const auto reader = DocumentReader::open(path_);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kCorruptData);
  EXPECT_TRUE(contains(reader.error().message, "it claims")) << reader.error().message;
}

TEST_F(DocumentStore, NoticesAnIdThatIsNotInTheIndex) {
  write({document("an-id"), document("another-id"), document("a-third-id")});
  {
    auto reader = DocumentReader::open(path_);
    ASSERT_TRUE(reader->verify(std::vector<std::uint32_t>{0, 1, 2}));
  }
  std::ifstream stream(path_, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  stream.close();
  bytes.replace(bytes.find("another-id"), 7, "ANOTHER");  // In the table or in the index: it is in both.
  std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  auto reader = DocumentReader::open(path_);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_TRUE(reader->verify(std::vector<std::uint32_t>{0, 2}));
  const Status verified = reader->verify(std::vector<std::uint32_t>{0, 1, 2});
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::kCorruptData);
  EXPECT_TRUE(contains(verified.error().message, "document 1 is not found by its id")) << verified.error().message;
}

TEST_F(DocumentStore, ReadsBackEveryByteInTheOrderAsked) {
  const std::vector<Document> documents{document("a"),
                                        {.id = "with metadata",
                                         .title = std::string("\0nul", 4),
                                         .text = std::string("\0x\0", 3),
                                         .metadata = R"({"a":[1.5,null]})"},
                                        document("é", "not UTF-8: \xFF\xC0 caf\xE9"),
                                        document("large", std::string(3'000'000, 'x'))};
  write(documents);
  const auto reader = DocumentReader::open(path_);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(reader->count(), 4U);
  const std::uint32_t ordinals[] = {3, 1, 1, 0, 2};
  const auto read = reader->read(ordinals);
  ASSERT_TRUE(read) << read.error().message;
  for (std::size_t index = 0; index < 5; ++index) EXPECT_TRUE(same((*read)[index], documents[ordinals[index]]));
  EXPECT_TRUE(reader->read({})->empty());
}

TEST_F(DocumentStore, TakesAndGivesNoMetadataButOneObject) {
  const std::vector<std::string> wrong{"x", "[1]", "1", "{} {}", R"({"a":1},"b":2)", "{\"a\":\"\xff\"}"};
  for (const std::string& metadata : wrong) {
    std::filesystem::remove(path_);
    auto writer = DocumentWriter::create(path_);
    ASSERT_TRUE(writer) << writer.error().message;
    Document each = document("a");
    each.metadata = metadata;
    EXPECT_EQ(writer->add(each).error().code, ErrorCode::kInvalidArgument) << metadata;
    std::filesystem::remove(path_);
    write({document("a")});
    execute("UPDATE documents SET metadata = '" + metadata + "'");
    const std::uint32_t ordinal = 0;
    const auto read = DocumentReader::open(path_)->read({&ordinal, 1});
    ASSERT_FALSE(read) << metadata;
    EXPECT_EQ(read.error().code, ErrorCode::kCorruptData);
    EXPECT_NE(read.error().message.find("document 0: metadata"), std::string::npos) << read.error().message;
  }
  execute("UPDATE documents SET metadata = '{ \"a\":\n\"\xe2\x80\xae\" }'");
  const std::uint32_t ordinal = 0;
  const auto read = DocumentReader::open(path_)->read({&ordinal, 1});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->front().metadata, R"({"a":"\u202e"})");
}

TEST_F(DocumentStore, IdsWithControlCharactersAreRefused) {
  auto writer = DocumentWriter::create(path_);
  ASSERT_TRUE(writer) << writer.error().message;
  EXPECT_EQ(writer->add(document("a\nb")).error().code, ErrorCode::kInvalidArgument);
  std::filesystem::remove(path_);
  write({document("a")});
  execute("UPDATE documents SET id = 'a' || char(10) || 'b'");
  const std::uint32_t ordinal = 0;
  EXPECT_EQ(DocumentReader::open(path_)->read({&ordinal, 1}).error().code, ErrorCode::kCorruptData);
}

TEST_F(DocumentStore, NamesAnIdThatCameBeforeAndKeepsTheRest) {
  auto writer = DocumentWriter::create(path_);
  ASSERT_TRUE(writer);
  for (int number = 0; number < 5000; ++number) ASSERT_TRUE(writer->add(document(std::to_string(number))));
  const Status status = writer->add(document("1234", "another text"));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kConflict);
  EXPECT_EQ(status.error().message, "two documents have the id \"1234\"");
  ASSERT_TRUE(writer->add(document("after")));
  EXPECT_EQ(writer->count(), 5001U);
  ASSERT_TRUE(writer->finish());

  const auto reader = DocumentReader::open(path_);
  ASSERT_TRUE(reader);
  const std::uint32_t ordinals[] = {1234, 5000};
  const auto documents = reader->read(ordinals);
  ASSERT_TRUE(documents);
  EXPECT_EQ((*documents)[0].text, "text");
  EXPECT_EQ((*documents)[1].id, "after");
}

TEST_F(DocumentStore, SaysWhichOrdinalDoesNotExist) {
  write({document("a")});
  const auto reader = DocumentReader::open(path_);
  ASSERT_TRUE(reader);
  const std::uint32_t ordinals[] = {0, 1};
  const auto documents = reader->read(ordinals);
  ASSERT_FALSE(documents);
  EXPECT_EQ(documents.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(contains(documents.error().message, "document 1 of 1")) << documents.error().message;
}

TEST_F(DocumentStore, RefusesFilesThatAreNoDocumentFiles) {
  EXPECT_EQ(open_error().code, ErrorCode::kNotFound);
  std::ofstream(path_) << "This is a text of some length, not a database. " << std::string(4096, 'x');
  EXPECT_EQ(open_error().code, ErrorCode::kCorruptData);
  std::ofstream(path_, std::ios::trunc).close();
  EXPECT_EQ(open_error().code, ErrorCode::kCorruptData) << "empty";
  execute("CREATE TABLE documents(ordinal INTEGER PRIMARY KEY, id TEXT)");
  EXPECT_TRUE(contains(open_error().message, "want nothing but the table CREATE TABLE documents"));
  std::filesystem::remove(path_);
  execute(
      "CREATE VIEW documents AS WITH RECURSIVE n(ordinal) AS (SELECT 1 UNION ALL SELECT ordinal FROM n) SELECT * FROM "
      "n");
  EXPECT_EQ(open_error().code, ErrorCode::kCorruptData) << "a view that never ends";
}

TEST_F(DocumentStore, RefusesWhateverElseADatabaseHolds) {
  for (const char* addition :
       {"CREATE TRIGGER t AFTER INSERT ON documents BEGIN SELECT 1; END", "CREATE VIEW v AS SELECT 1",
        "CREATE INDEX i ON documents(title)", "CREATE TABLE other(x)", "CREATE VIRTUAL TABLE f USING fts5(x)",
        "ALTER TABLE documents ADD COLUMN g AS (ordinal)", "ANALYZE"}) {
    std::filesystem::remove(path_);
    write({document("a")});
    execute(addition);
    EXPECT_EQ(open_error().code, ErrorCode::kCorruptData) << addition;
    EXPECT_TRUE(contains(open_error().message, path_.string())) << open_error().message;
  }
}

TEST_F(DocumentStore, RefusesColumnsThatHoldNoTextAndOrdinalsThatCannotBe) {
  const std::uint32_t ordinal = 0;
  for (const char* column : {"id", "title", "text", "metadata"}) {
    std::filesystem::remove(path_);
    write({document("a")});
    execute(fmt::format("UPDATE documents SET {} = x'61'", column));
    const auto read = DocumentReader::open(path_)->read({&ordinal, 1});
    ASSERT_FALSE(read) << column;
    EXPECT_EQ(read.error().code, ErrorCode::kCorruptData);
    EXPECT_TRUE(contains(read.error().message, column)) << read.error().message;
  }
  for (const char* last : {"-9223372036854775808", "9223372036854775807", "4294967296", "4000000000", "-2"}) {
    execute(fmt::format("UPDATE documents SET ordinal = {}", last));
    EXPECT_EQ(open_error().code, ErrorCode::kCorruptData) << last;
  }
}

TEST_F(DocumentStore, RefusesWhatIsNoRegularFile) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(open_error().code, ErrorCode::kInvalidArgument) << "without waiting for a writer";
}

TEST_F(DocumentStore, FindsWhatIsMissing) {
  write({document("a"), document("b"), document("c")});
  execute("DELETE FROM documents WHERE ordinal = 1");
  const auto reader = DocumentReader::open(path_);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->count(), 3U);
  const std::uint32_t ordinals[] = {1};
  EXPECT_EQ(reader->read(ordinals).error().code, ErrorCode::kCorruptData);
}

TEST_F(DocumentStore, RefusesRowsThatShareTheirPages) {
  const std::string text(40'960, 'x');
  write({document("a", text), document("b", text), document("c", text)});
  const std::uint32_t ordinals[] = {0, 1, 2};
  ASSERT_TRUE(DocumentReader::open(path_)->read(ordinals)) << "as it was written";
  share_overflow_pages(path_);
  for (const std::uint32_t ordinal : ordinals) {
    const std::uint32_t often[] = {ordinal, ordinal, ordinal};
    const auto documents = DocumentReader::open(path_)->read(often);
    ASSERT_TRUE(documents) << documents.error().message;
    EXPECT_EQ(documents->front().text, text);
  }
  // At once, and one by one: whoever reads may keep them all.
  const auto reader = DocumentReader::open(path_);
  ASSERT_TRUE(reader) << reader.error().message;
  ASSERT_TRUE(reader->read({ordinals, 1}));
  for (const auto& documents :
       {DocumentReader::open(path_)->read(ordinals), reader->read({ordinals + 1, 1}), reader->read({ordinals, 1})}) {
    ASSERT_FALSE(documents);
    EXPECT_EQ(documents.error().code, ErrorCode::kCorruptData);
    EXPECT_TRUE(contains(documents.error().message, "2 of its documents hold 81")) << documents.error().message;
  }
}

TEST_F(DocumentStore, ReadsASoundFileAsOftenAsOneLikes) {
  std::vector<Document> documents;
  for (int number = 0; number < 100; ++number) documents.push_back(document(std::to_string(number), ""));
  write(documents);
  const auto reader = DocumentReader::open(path_);
  ASSERT_TRUE(reader) << reader.error().message;
  std::vector<std::uint32_t> ordinals(documents.size());
  std::iota(ordinals.begin(), ordinals.end(), 0U);
  for (int round = 0; round < 100; ++round) ASSERT_TRUE(reader->read(ordinals));
}

// Thousands of such rows that share their pages, each as long as the file, took minutes to read.
TEST_F(DocumentStore, RefusesALongRowOfTheSchemaUnread) {
  execute("CREATE TABLE documents(ordinal INTEGER PRIMARY KEY, id TEXT /*" + std::string(10'000, 'x') + "*/)");
  EXPECT_EQ(open_error().code, ErrorCode::kCorruptData);
  EXPECT_TRUE(contains(open_error().message, "not a document file: more than 8192 bytes in a row"))
      << open_error().message;
}

TEST_F(DocumentStore, OpensUnderAnyName) {
  for (const char* name : {"with blank", "100%", "a?b#c", "%41", "é"}) {
    path_ = folder_.path() / name;
    write({document(name)});
    const auto reader = DocumentReader::open(path_);
    ASSERT_TRUE(reader) << reader.error().message;
  }
  EXPECT_TRUE(DocumentReader::open(fmt::format("/{}", path_.string()))) << "two slashes";
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  EXPECT_TRUE(DocumentReader::open("100%")) << "relative";
  std::filesystem::current_path(before);
}

TEST_F(DocumentStore, ManyThreadsReadTheFileThatWasOpenedWhateverBecomesOfIt) {
  std::vector<Document> documents;
  for (int number = 0; number < 2000; ++number) {
    documents.push_back(document(std::to_string(number), std::string(500, static_cast<char>('a' + number % 26))));
  }
  const auto stays = [](const std::filesystem::path&) {};
  const auto goes = [](const std::filesystem::path& path) { std::filesystem::remove(path); };
  const auto is_replaced = [this](const std::filesystem::path& path) {
    std::filesystem::remove(path);
    write({document("another"), document("and another")});
  };
  for (const std::function<void(const std::filesystem::path&)>& change :
       std::initializer_list<std::function<void(const std::filesystem::path&)>>{stays, goes, is_replaced}) {
    std::filesystem::remove(path_);
    write(documents);
    const auto reader = DocumentReader::open(path_);
    ASSERT_TRUE(reader);
    change(path_);
    std::vector<std::thread> threads;
    for (std::uint32_t thread = 0; thread < 12; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::uint32_t number = thread; number < documents.size(); number += 11) {
          const auto read = reader->read({&number, 1});
          ASSERT_TRUE(read) << read.error().message;
          ASSERT_TRUE(same(read->front(), documents[number]));
          ASSERT_EQ(reader->find(documents[number].id), number);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace tandem
