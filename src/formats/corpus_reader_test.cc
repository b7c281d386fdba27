#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/testing/cost.h"
#include "base/testing/gzip.h"
#include "base/testing/temporary_folder.h"
#include "tandem/corpus.h"

namespace tandem {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

struct Reading {
  std::vector<Document> documents;
  std::optional<Error> error;
  CorpusReport report;

  std::vector<std::string> texts() const {
    std::vector<std::string> result;
    for (const Document& document : documents) result.push_back(document.text);
    return result;
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> result;
    for (const Document& document : documents) result.push_back(document.id);
    return result;
  }
};

/// Everything up to the end or the first error.
Reading read_all(std::vector<std::string> paths, const CorpusOptions& options = {}) {
  Reading reading;
  Result<CorpusReader> reader = CorpusReader::open(std::move(paths), options);
  if (!reader) {
    reading.error = reader.error();
    return reading;
  }
  for (;;) {
    Result<std::optional<Document>> document = reader->next();
    if (!document) {
      reading.error = document.error();
      break;
    }
    if (!*document) break;
    reading.documents.push_back(std::move(**document));
  }
  if (!reading.error && reader->bytes_total() > 0) {
    EXPECT_EQ(reader->bytes_read(), reader->bytes_total());
  }
  reading.report = reader->report();
  return reading;
}

class Corpus : public testing::Test {
 protected:
  Reading read(std::string_view name, std::string_view content, const CorpusOptions& options = {}) {
    return read_all({folder_.write(name, content).string()}, options);
  }
  std::string error_of(std::string_view name, std::string_view content, ErrorCode code = ErrorCode::kCorruptData) {
    const Reading reading = read(name, content);
    if (!reading.error) return "no error";
    EXPECT_EQ(reading.error->code, code) << reading.error->message;
    const std::string prefix = (folder_.path() / name).string() + ":";
    EXPECT_TRUE(reading.error->message.starts_with(prefix)) << reading.error->message;
    return reading.error->message.substr(std::min(prefix.size(), reading.error->message.size()));
  }

  TemporaryFolder folder_;
};

using Texts = std::vector<std::string>;

TEST_F(Corpus, ReadsBeirFieldsFromJsonLines) {
  const Reading reading =
      read("corpus.jsonl", R"({"_id":"a","title":"Fern","text":"A fern\nis green.","metadata":{"k":[1,"é"]}})"
                           "\n"
                           R"({"_id":17,"title":null,"text":"two","metadata":null,"url":"ignored"})"
                           "\r\n\n  \t\n"
                           R"({"id":"c","text":""})"
                           "\n"
                           R"({"text":"last"})");
  ASSERT_FALSE(reading.error) << reading.error->message;
  ASSERT_EQ(reading.ids(), (Texts{"a", "17", "c", "4"}));
  EXPECT_EQ(reading.documents[0].title, "Fern");
  EXPECT_EQ(reading.documents[0].text, "A fern\nis green.");
  EXPECT_EQ(reading.documents[0].metadata, R"({"k":[1,"é"]})");
  EXPECT_EQ(reading.documents[1].metadata, "");
  EXPECT_EQ(reading.texts(), (Texts{"A fern\nis green.", "two", "", "last"}));
}

TEST_F(Corpus, NamesFileAndLineOfBadJson) {
  EXPECT_EQ(error_of("c.jsonl", "{\"text\":\"a\"}\n\n{\"text\": \n").substr(0, 27), "3: document: not valid JSON");
  EXPECT_EQ(error_of("c.jsonl", "{}\n"), "1: document: text is missing");
  EXPECT_EQ(error_of("c.jsonl", "{\"text\":7}\n"), "1: document: text: expected a string, got an integer");
  EXPECT_EQ(error_of("c.jsonl", "[\"text\"]\n"), "1: document: what holds text: expected an object, got an array");
  EXPECT_EQ(error_of("c.jsonl", R"({"text":"a","_id":[1]})"), "1: document: _id: expected a string, got an array");
  EXPECT_EQ(error_of("c.jsonl", R"({"text":"a","metadata":"b"})"),
            "1: document: metadata: expected an object, got a string");
  EXPECT_TRUE(error_of("c.jsonl", "{\"text\":\"caf\xE9\"}").starts_with("1: document: not valid JSON"));
}

TEST_F(Corpus, SkipsBadLinesAndCountsThemWhenAsked) {
  std::string content;
  for (int line = 0; line < 30; ++line) content += line % 2 == 0 ? "{\"text\":\"good\"}\n" : "bad\n";
  const Reading reading = read("corpus.jsonl", content, {.skip_bad_lines = true});
  ASSERT_FALSE(reading.error) << reading.error->message;
  EXPECT_EQ(reading.documents.size(), 15U);
  EXPECT_EQ(reading.report.lines_skipped, 15U);
  ASSERT_EQ(reading.report.skipped_errors.size(), 10U);
  EXPECT_TRUE(contains(reading.report.skipped_errors[9], "corpus.jsonl:20: ")) << reading.report.skipped_errors[9];
  EXPECT_EQ(reading.ids().back(), "15") << "documents are numbered, not lines";
}

TEST_F(Corpus, TakesByteOrderMarksOffEveryFormat) {
  EXPECT_EQ(read("a.jsonl", "\xEF\xBB\xBF{\"text\":\"a\"}").texts(), Texts{"a"});
  EXPECT_EQ(read("a.csv", "\xEF\xBB\xBFtext\na\n").texts(), Texts{"a"});
  EXPECT_EQ(read("a", "\xEF\xBB\xBFone\n\xEF\xBB\xBFtwo").texts(), (Texts{"one", "\xEF\xBB\xBFtwo"}));
  EXPECT_EQ(read("a", "\xEF\xBB\xBF").texts(), Texts{});
}

TEST_F(Corpus, RefusesUtf16ByName) {
  const Reading reading = read("a.txt", std::string("\xFF\xFEh\0i\0", 6), {.skip_bad_lines = true});
  ASSERT_TRUE(reading.error);
  EXPECT_EQ(reading.error->code, ErrorCode::kUnsupported);
  EXPECT_TRUE(contains(reading.error->message, "a.txt: the text is UTF-16, want UTF-8")) << reading.error->message;
}

TEST_F(Corpus, KeepsPlainLinesAsTheyAre) {
  EXPECT_EQ(read("a.txt", "one\r\n\r\n \t \ntwo\tcells \n\xC0\x80 caf\xE9\nlast").texts(),
            (Texts{"one", "two\tcells ", "\xC0\x80 caf\xE9", "last"}));
  EXPECT_EQ(read("a.txt", "").texts(), Texts{});
}

TEST_F(Corpus, ReadsTsvWithAndWithoutHeader) {
  const Reading header = read("a.tsv", "Title\tprice\t_ID\ttext\r\nBee\t3 \"x\"\tb1\thums\r\n");
  ASSERT_EQ(header.documents.size(), 1U);
  EXPECT_EQ(header.documents[0].id, "b1");
  EXPECT_EQ(header.documents[0].title, "Bee");
  EXPECT_EQ(header.documents[0].text, "hums");
  EXPECT_EQ(header.documents[0].metadata, R"({"price":"3 \"x\""})");
  EXPECT_EQ(read("a.tsv", "q7\twhat is moss\nq8\t\n").ids(), (Texts{"q7", "q8"}));
  EXPECT_EQ(read("a.tsv", "what is moss\nand fern\n").texts(), (Texts{"what is moss", "and fern"}));
}

TEST_F(Corpus, RefusesRowsOfAnotherWidth) {
  EXPECT_EQ(error_of("a.tsv", "a\tb\nc\td\te\n"), "2: expected 2 columns, got 3");
  EXPECT_EQ(error_of("a.csv", "id,text\n\n\"a\nb\"\n"), "3: expected 2 columns, got 1");
  EXPECT_EQ(error_of("a.tsv", "a\tb\tc\n", ErrorCode::kInvalidArgument).substr(0, 30),
            "1: 3 columns and no header lin");
  EXPECT_EQ(error_of("a.csv", "id,text,_id\n", ErrorCode::kInvalidArgument),
            "1: the header line names two columns _id");
}

// A header's names stand in the metadata of every row.
TEST_F(Corpus, RefusesHeadersThatEveryRowWouldRepeatAtLength) {
  const std::string name(1024, 'x');
  const Reading reading = read("a.csv", "text," + name + "\na,b\n");
  ASSERT_FALSE(reading.error) << reading.error->message;
  EXPECT_EQ(reading.documents.at(0).metadata, "{\"" + name + "\":\"b\"}");
  EXPECT_EQ(error_of("a.csv", "text," + name + "x\na,b\n", ErrorCode::kInvalidArgument),
            "1: column 2: its name takes 1025 bytes, want at most 1024");
  EXPECT_EQ(error_of("a.tsv", name + "x\ttext\n", ErrorCode::kInvalidArgument),
            "1: column 1: its name takes 1025 bytes, want at most 1024");
  std::string names = "text";
  for (int column = 0; column < 64; ++column) names += "\t" + name;
  EXPECT_EQ(error_of("a.tsv", names + "\n", ErrorCode::kInvalidArgument),
            "1: the names of the 65 columns take 65540 bytes, want at most 65536");
  EXPECT_EQ(read("a.tsv", name + "x\t" + name + "x\n").texts(), (Texts{name + "x"})) << "what is no header is a row";
}

// Each row repeats a name as JSON spells it: six bytes for a control character, two for a quotation mark.
TEST_F(Corpus, CountsWhatNamesOfColumnsTakeWhereTheyAreWritten) {
  EXPECT_EQ(error_of("a.csv", "text,a\x01\na,b\n", ErrorCode::kInvalidArgument),
            "1: column 2: the column 'a\x01' holds the control character U+0001, want none");
  EXPECT_EQ(error_of("a.csv", "\n\"te\nxt\",text\na,b\n", ErrorCode::kInvalidArgument).substr(0, 14), "2: column 1: t");
  EXPECT_EQ(error_of("a.tsv", "text\t" + std::string(513, '\\') + "\na\tb\n", ErrorCode::kInvalidArgument),
            "1: column 2: its name takes 1026 bytes, want at most 1024");
  const Reading quotes = read("a.tsv", "text\t" + std::string(512, '\\') + "\na\tb\n", {.skip_bad_lines = true});
  EXPECT_EQ(quotes.texts(), Texts{"a"});
  const Reading skipped = read("a.csv", "text,a\x01\na,b\n", {.skip_bad_lines = true});
  EXPECT_TRUE(skipped.error) << "without its header the next row would be one";
}

TEST_F(Corpus, RefusesTablesOfTooManyColumns) {
  const auto row = [](std::size_t columns, char separator) { return std::string(columns - 1, separator); };
  const Reading widest = read("a.csv", "text" + row(1024, ',') + "\na" + row(1024, ',') + "\n");
  ASSERT_FALSE(widest.error) << widest.error->message;
  EXPECT_EQ(widest.texts(), Texts{"a"});
  for (const char* name : {"a.csv", "a.tsv"}) {
    const char separator = name == std::string_view("a.csv") ? ',' : '\t';
    EXPECT_EQ(error_of(name, "text" + row(1025, separator) + "\n", ErrorCode::kInvalidArgument),
              "1: 1025 columns, want at most 1024");
    EXPECT_EQ(error_of(name, "text\na" + row(3000, separator) + "\n"), "2: expected 1 columns, got 3000");
  }
  // What is not kept is still read: the line feed belongs to the last field, and the next line to the next record.
  const Reading after = read("a.csv", "text\n" + row(2000, ',') + "\"a\nb\"\nnext\n", {.skip_bad_lines = true});
  EXPECT_EQ(after.texts(), Texts{"next"});
  EXPECT_EQ(after.report.lines_skipped, 2U) << "both lines of the record";
}

TEST_F(Corpus, RefusesATableWhoseNamesOutgrowIt) {
  std::string header = "text";
  for (int column = 0; column < 63; ++column) header += fmt::format(",{}{}", std::string(1000, 'n'), column);
  std::string rows;
  for (int row = 0; row < 8000; ++row) rows += "x" + std::string(63, ',') + "\n";
  EXPECT_TRUE(contains(error_of("a.csv", header + "\n" + rows, ErrorCode::kInvalidArgument), "shorter names"));
  // Cells of one letter under names of a common length.
  std::string common = "text";
  for (int column = 0; column < 63; ++column) common += fmt::format(",name_of_column_{}", column);
  common += "\n";
  for (int row = 0; row < 20'000; ++row) {
    for (int column = 0; column < 63; ++column) common += "x,";
    common += "x\n";
  }
  const Reading reading = read("a.csv", common);
  EXPECT_FALSE(reading.error) << reading.error->message;
}

TEST_F(Corpus, RefusesWhatIsNoTextByItsName) {
  for (const char* name : {"a.jsonl.gz", "a.JSON", "a.parquet"}) {
    EXPECT_TRUE(contains(error_of(name, "text\n", ErrorCode::kUnsupported), "files are not read")) << name;
    EXPECT_FALSE(read(name, "text\n", {.text = {.format = TextFormat::kLines}}).error) << name;
  }
}

TEST_F(Corpus, KeepsIdsThatAreNumbers) {
  EXPECT_EQ(read("a.JSONL",
                 "{\"_id\":18446744073709551615,\"text\":\"a\"}\n{\"_id\":-7,\"text\":\"b\"}\n"
                 "{\"_id\":1.5,\"text\":\"c\"}\n")
                .ids(),
            (std::vector<std::string>{"18446744073709551615", "-7", "1.5"}));
  EXPECT_TRUE(contains(error_of("a.jsonl", "{\"_id\":18446744073709551617,\"text\":\"a\"}\n"), "want it in quotes"));
}

TEST_F(Corpus, ALineOfSeparatorsTakesItsOwnSize) {
  const std::string file = folder_.write("a.tsv", "text" + std::string(5'000'000, '\t') + "\n").string();
  const std::string csv = folder_.write("a.csv", "text" + std::string(5'000'000, ',') + "\n").string();
  const Cost nothing = cost_of([] { return true; });
  for (const std::string& path : {file, csv}) {
    const Cost cost = cost_of([&] { return read_all({path}).error.has_value(); });
    EXPECT_TRUE(cost.succeeded);
    EXPECT_LT(cost.memory_mib - nothing.memory_mib, 64) << path;
  }
}

TEST_F(Corpus, ReadsQuotedCsvFields) {
  const Reading reading = read("a.csv",
                               "id,title,text\r\n"
                               "1,\"comma, and \"\"quotes\"\"\",\"line one\r\nline two\n\nline four\"\r\n"
                               "2,,bare \"quote\" stays\r\n"
                               "\"3\",\"\",\"\"\"\"\r\n"
                               "4,x,no line end");
  ASSERT_FALSE(reading.error) << reading.error->message;
  ASSERT_EQ(reading.documents.size(), 4U);
  EXPECT_EQ(reading.documents[0].title, "comma, and \"quotes\"");
  EXPECT_EQ(reading.texts(), (Texts{"line one\r\nline two\n\nline four", "bare \"quote\" stays", "\"", "no line end"}));
}

TEST_F(Corpus, NamesTheLineOfBrokenCsv) {
  EXPECT_EQ(error_of("a.csv", "text\nfine\n\"open\nmore\n"), "3: a quoted field is not closed within the file");
  EXPECT_EQ(error_of("a.csv", "id,text\n1,\"a\"b\n"),
            "2: column 2: after a closing quote: expected a comma or the line's end");
  const Reading reading = read("a.csv", "text\n\"a\"b\nc\n", {.skip_bad_lines = true});
  EXPECT_EQ(reading.texts(), Texts{"c"});
  EXPECT_EQ(reading.report.lines_skipped, 1U);
}

TEST_F(Corpus, ReadsBackEveryCsvThatFollowsTheRfc) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces{"a", "\"", ",", "\n", "\r\n", "\r", " ", "é", "\t", "'"};
  for (int round = 0; round < 300; ++round) {
    std::string file = "id,text\n";
    Texts texts;
    for (std::size_t row = 0, rows = random() % 5; row < rows; ++row) {
      std::string text;
      std::string quoted;
      for (std::size_t piece = 0, count = random() % 6; piece < count; ++piece) {
        const std::string& chosen = pieces[random() % pieces.size()];
        text += chosen;
        quoted += chosen == "\"" ? "\"\"" : chosen;
      }
      file += fmt::format("{},\"{}\"{}", row, quoted, random() % 2 == 0 ? "\n" : "\r\n");
      texts.push_back(text);
    }
    const Reading reading = read("a.csv", file);
    ASSERT_FALSE(reading.error) << reading.error->message << "\n" << file;
    ASSERT_EQ(reading.texts(), texts) << file;
  }
}

TEST_F(Corpus, BoundsLinesRecordsAndFiles) {
  const std::string long_line(600'000, 'x');
  const CorpusOptions options{.skip_bad_lines = true, .line_bytes_max = 500'000};
  const Reading lines = read("a.log", "before\n" + long_line + "\nafter\n" + long_line, options);
  EXPECT_EQ(lines.texts(), (Texts{"before", "after"}));
  EXPECT_EQ(lines.report.lines_skipped, 2U);
  EXPECT_TRUE(contains(lines.report.skipped_errors[0], "a.log:2: the line is longer than 500000 bytes"))
      << lines.report.skipped_errors[0];

  std::string open_quote = "text\n\"";
  for (int line = 0; line < 600; ++line) open_quote += std::string(999, 'y') + '\n';
  const Reading record = read("a.csv", open_quote, options);
  EXPECT_TRUE(
      contains(record.report.skipped_errors.at(0), "a.csv:2: a quoted field is not closed within 500000 bytes"));

  folder_.write("big/a.md", open_quote);
  folder_.write("big/b.md", "small");
  const Reading files = read_all({(folder_.path() / "big").string()}, options);
  EXPECT_EQ(files.ids(), Texts{"b.md"});
  EXPECT_EQ(files.report.lines_skipped, 1U);
}

TEST_F(Corpus, ALineAsLongAsTheLimitIsRead) {
  const Reading reading = read("a.log", "12345\n123456\n12345", {.skip_bad_lines = true, .line_bytes_max = 5});
  EXPECT_EQ(reading.texts(), (Texts{"12345", "12345"}));
}

TEST_F(Corpus, ReadsFoldersInTheOrderOfTheirPaths) {
  folder_.write("notes/b.md", "\xEF\xBB\xBF# B\r\n\r\ntext\r\n");
  folder_.write("notes/a/z.TXT", "");
  folder_.write("notes/a/picture.png", "no");
  folder_.write("notes/ab.txt", "ab");
  std::filesystem::create_directory_symlink(folder_.path() / "notes", folder_.path() / "notes/loop");
  std::filesystem::create_symlink("nowhere", folder_.path() / "notes/dangling.txt");
  const Reading reading = read_all({(folder_.path() / "notes").string() + "/"});
  ASSERT_FALSE(reading.error) << reading.error->message;
  EXPECT_EQ(reading.ids(), (Texts{"a/z.TXT", "ab.txt", "b.md"}));
  EXPECT_EQ(reading.texts(), (Texts{"", "ab\n", "# B\n\ntext\n"}));
}

// A folder may come from somebody else, who must not get the reader's other files into a collection.
TEST_F(Corpus, LinksOutOfAFolderAreLeftOut) {
  const std::filesystem::path secret = folder_.write("secret", "secret");
  folder_.write("notes-more/b.txt", "outside, under a name that begins alike");
  folder_.write("notes/a.txt", "a");
  folder_.write("notes/deep/text", "inside");
  const std::filesystem::path notes = folder_.path() / "notes";
  std::filesystem::create_symlink(secret, notes / "absolute.txt");
  std::filesystem::create_symlink("../secret", notes / "relative.md");
  std::filesystem::create_symlink("../notes-more/b.txt", notes / "beside.txt");
  std::filesystem::create_symlink("../../secret", notes / "deep/hop");
  std::filesystem::create_symlink("deep/hop", notes / "hops.txt");
  std::filesystem::create_symlink("deep/text", notes / "inside.txt");
  std::filesystem::create_directory_symlink(notes, folder_.path() / "linked");
  for (const char* name : {"notes", "linked", "notes/deep/.."}) {
    const Reading reading = read_all({(folder_.path() / name).string()});
    ASSERT_FALSE(reading.error) << reading.error->message;
    EXPECT_EQ(reading.ids(), (Texts{"a.txt", "inside.txt"})) << name;
    EXPECT_EQ(reading.texts(), (Texts{"a\n", "inside\n"})) << name;
  }
  const std::filesystem::path links = folder_.path() / "links";
  std::filesystem::create_directory(links);
  std::filesystem::create_symlink(secret, links / "only.txt");
  const Reading reading = read_all({links.string()});
  ASSERT_TRUE(reading.error);
  EXPECT_TRUE(contains(reading.error->message, "links that lead out of it do not count")) << reading.error->message;
}

TEST_F(Corpus, FoldersThatAreTooDeepAreRefused) {
  std::string path = "notes";
  for (int level = 0; level < 255; ++level) path += "/d";
  folder_.write(path + "/a.txt", "a");
  const std::string notes = (folder_.path() / "notes").string();
  EXPECT_EQ(read_all({notes}).texts(), Texts{"a\n"});
  folder_.write(path + "/d/a.txt", "a");
  const Reading reading = read_all({notes});
  ASSERT_TRUE(reading.error);
  EXPECT_TRUE(contains(reading.error->message, "256 deep")) << reading.error->message;
}

TEST_F(Corpus, AFileOfSeveralNamesIsReadOnce) {
  const std::filesystem::path notes = folder_.path() / "notes";
  folder_.write("notes/b.txt", "b");
  folder_.write("notes/deep/text", "text");
  std::filesystem::create_symlink("b.txt", notes / "a.txt");
  std::filesystem::create_hard_link(notes / "b.txt", notes / "c.md");
  std::filesystem::create_symlink("deep/text", notes / "e.txt");
  std::filesystem::create_symlink("../notes/deep/text", notes / "d.txt");
  const Reading reading = read_all({notes.string()});
  ASSERT_FALSE(reading.error) << reading.error->message;
  EXPECT_EQ(reading.ids(), (Texts{"b.txt", "d.txt"}));
}

// What was a text when the folder was listed may be a link hours later, when its turn comes.
TEST_F(Corpus, LinksThatComeLaterAreNotFollowed) {
  namespace fs = std::filesystem;
  folder_.write("outside/secret", "secret");
  const fs::path notes = folder_.path() / "notes";
  const auto error_after = [&](const std::function<void()>& change) {
    fs::remove_all(notes);
    folder_.write("notes/a.txt", "a");
    folder_.write("notes/deep/secret", "b");
    fs::create_symlink("deep/secret", notes / "c.txt");
    Result<CorpusReader> reader = CorpusReader::open({notes.string()});
    change();
    std::string texts;
    for (;;) {
      const Result<std::optional<Document>> document = reader->next();
      if (!document) return texts + document.error().message;
      if (!*document) return texts;
      texts += (*document)->text;
    }
  };
  const std::string prefix = notes.string() + "/";
  const std::string refused = ": there is a link on the way to it, which is not followed";
  EXPECT_EQ(error_after([] {}), "a\nb\n");
  EXPECT_EQ(error_after([&] {
              fs::remove(notes / "a.txt");
              fs::create_symlink("../outside/secret", notes / "a.txt");
            }),
            prefix + "a.txt" + refused);
  EXPECT_EQ(error_after([&] {
              fs::remove_all(notes / "deep");
              fs::create_directory_symlink("../outside", notes / "deep");
            }),
            "a\n" + prefix + "c.txt" + refused);
  EXPECT_EQ(error_after([&] {
              fs::remove(notes / "a.txt");
              ASSERT_EQ(::mkfifo((notes / "a.txt").c_str(), 0600), 0);
            }),
            prefix + "a.txt: not a regular file");
  EXPECT_EQ(error_after([&] {
              fs::rename(notes, folder_.path() / "moved");
              fs::create_directory_symlink("outside", notes);
            }),
            "a\nb\n")
      << "the folder is the one that was listed";
  fs::remove_all(folder_.path() / "moved");
}

TEST_F(Corpus, RefusesNulsWithTheirPlace) {
  for (const bool skip_bad_lines : {false, true}) {
    const Reading reading = read("a.txt", std::string("one\nnul\0inside\n", 15), {.skip_bad_lines = skip_bad_lines});
    ASSERT_TRUE(reading.error);
    EXPECT_EQ(reading.error->code, ErrorCode::kUnsupported);
    EXPECT_TRUE(contains(reading.error->message, "a.txt:2: byte 4 of the line is NUL")) << reading.error->message;
  }
}

TEST_F(Corpus, ReadsWhatGzipHoldsWithItsOwnSize) {
  const std::string whole = gzip("{\"_id\":\"a\",\"text\":\"one\"}\n{\"_id\":\"b\",\"text\":\"two\"}\n");
  EXPECT_EQ(read("a.jsonl.gz", whole).ids(), (Texts{"a", "b"}));
  const Reading cut = read("a.jsonl.gz", whole.substr(0, whole.size() - 3), {.skip_bad_lines = true});
  ASSERT_TRUE(cut.error) << "what is missing is no bad line";
  EXPECT_TRUE(contains(cut.error->message, "a.jsonl.gz: the gzip data end too early")) << cut.error->message;
}

TEST_F(Corpus, LooksAtEveryFileBeforeTheFirstDocument) {
  const std::string fine = folder_.write("a.jsonl", "{\"text\":\"a\"}\n").string();
  const std::string pdf = folder_.write("b.txt", "%PDF-1.7\n").string();
  const Result<CorpusReader> reader = CorpusReader::open({fine, pdf});
  ASSERT_FALSE(reader);
  EXPECT_TRUE(contains(reader.error().message, "b.txt: is a PDF document")) << reader.error().message;
}

TEST_F(Corpus, CountsWhatAFolderHoldsBesideTexts) {
  folder_.write("notes/a.txt", "a");
  folder_.write("notes/b.md.gz", gzip("b\n"));
  folder_.write("notes/c.pdf", "c");
  folder_.write("notes/.hidden.txt", "hidden");
  folder_.write("notes/.git/log.txt", "hidden");
  folder_.write("notes/deep/d.txt", std::string("d\0", 2));
  folder_.write("notes/e.txt", "%PDF-1.4\n");
  std::filesystem::create_symlink("../outside", folder_.path() / "notes/f.txt");
  const Reading reading = read_all({(folder_.path() / "notes").string()});
  ASSERT_FALSE(reading.error) << reading.error->message;
  EXPECT_EQ(reading.ids(), (Texts{"a.txt", "b.md.gz"}));
  EXPECT_EQ(reading.texts(), (Texts{"a\n", "b\n"}));
  EXPECT_EQ(reading.report.files_passed_over, 6U);
  std::string all;
  for (const std::string& entry : reading.report.passed_over) all += entry + "\n";
  for (const char* part : {"notes/c.pdf: not a .txt or .md file", "notes/.hidden.txt: hidden", "notes/.git: hidden",
                           "notes/deep/d.txt:1: byte 2", "notes/e.txt: is a PDF", "notes/f.txt: a link"}) {
    EXPECT_TRUE(contains(all, part)) << part << " in\n" << all;
  }
}

TEST_F(Corpus, CountsDocumentsWithoutTextAndThoseThatAreNotUtf8) {
  const Reading reading = read("a.jsonl", "{\"text\":\" \\n\"}\n{\"text\":\"\",\"title\":\"t\"}\n{\"text\":\"b\"}\n");
  EXPECT_EQ(reading.report.documents_blank, 1U);
  EXPECT_EQ(reading.report.documents_not_utf8, 0U);
  EXPECT_EQ(read("a.log", "caf\xE9\nplain\n").report.documents_not_utf8, 1U);
  folder_.write("notes/a.txt", "caf\xE9");
  folder_.write("notes/b.txt", "");
  const Reading folder = read_all({(folder_.path() / "notes").string()});
  EXPECT_EQ(folder.report.documents_blank, 1U);
  EXPECT_EQ(folder.report.documents_not_utf8, 1U);
}

TEST_F(Corpus, SaysWhereTheFirstLineHasToldTheFormat) {
  const Reading reading = read("corpus", "{\"text\":\"a\"}\n");
  EXPECT_EQ(reading.texts(), Texts{"a"});
  ASSERT_EQ(reading.report.findings.size(), 1U);
  EXPECT_TRUE(contains(reading.report.findings[0], "corpus: the first line is a JSON object"));
}

TEST_F(Corpus, NumbersDocumentsOverAllFiles) {
  const std::string lines = folder_.write("a.log", "one\ntwo\n").string();
  const std::string json =
      folder_.write("b.jsonl", "{\"_id\":\"x\",\"text\":\"t\"}\n{\"_id\":\"\",\"text\":\"u\"}").string();
  EXPECT_EQ(read_all({lines, json, lines}).ids(), (Texts{"1", "2", "x", "4", "5", "6"}));
}

TEST_F(Corpus, AnExplicitFormatWinsOverTheName) {
  EXPECT_EQ(read("a.txt", "{\"text\":\"t\"}", {.text = {.format = TextFormat::kJsonl}}).texts(), Texts{"t"});
  EXPECT_EQ(read("a.jsonl", "{\"text\":\"t\"}", {.text = {.format = TextFormat::kLines}}).texts(),
            Texts{"{\"text\":\"t\"}"});
}

TEST_F(Corpus, NamesWhatCannotBeOpened) {
  const Reading missing = read_all({folder_.write("a.log", "x").string(), (folder_.path() / "b.log").string()});
  ASSERT_TRUE(missing.error);
  EXPECT_EQ(missing.error->code, ErrorCode::kNotFound);
  EXPECT_TRUE(contains(missing.error->message, "b.log: cannot open: No such file")) << missing.error->message;

  std::filesystem::create_directory(folder_.path() / "empty");
  const Reading empty = read_all({(folder_.path() / "empty").string()});
  ASSERT_TRUE(empty.error);
  EXPECT_EQ(empty.error->code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(contains(empty.error->message, "empty: the folder has no .txt or .md file")) << empty.error->message;

  ASSERT_TRUE(read_all({}).error);
  EXPECT_EQ(read_all({}).error->code, ErrorCode::kInvalidArgument);
}

TEST_F(Corpus, NamesFilesWithoutPermission) {
  const std::filesystem::path file = folder_.write("a.log", "x");
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(file, std::filesystem::perms::none);
  constexpr uid_t kNobody = 65534;  // Root may read everything, so look as somebody else.
  const bool is_root = ::geteuid() == 0;
  ASSERT_TRUE(!is_root || ::seteuid(kNobody) == 0);
  const Reading reading = read_all({file.string()});
  ASSERT_TRUE(!is_root || ::seteuid(0) == 0);
  ASSERT_TRUE(reading.error);
  EXPECT_EQ(reading.error->code, ErrorCode::kPermission);
}

TEST_F(Corpus, StreamsFromPipesWithoutKnowingTheirSize) {
  const std::filesystem::path pipe = folder_.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const pid_t writer = ::fork();
  if (writer == 0) {
    std::ofstream(pipe) << "from\nanother process\n" << std::flush;
    ::_exit(0);
  }
  Result<CorpusReader> reader = CorpusReader::open({pipe.string()});
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(reader->bytes_total(), 0U);
  EXPECT_EQ(reader->next()->value().text, "from");
  EXPECT_EQ(reader->next()->value().text, "another process");
  EXPECT_FALSE(reader->next()->has_value());
  EXPECT_EQ(reader->bytes_read(), 21U);
}

TEST_F(Corpus, ReadsStandardInput) {
  const std::filesystem::path file = folder_.write("a", "one\ntwo");
  const Result<FileDescriptor> replacement = FileDescriptor::open(file, 0);
  ASSERT_TRUE(replacement);
  const int saved = ::dup(STDIN_FILENO);
  ASSERT_GE(::dup2(replacement->get(), STDIN_FILENO), 0);
  EXPECT_EQ(read_all({"-"}).texts(), (Texts{"one", "two"}));
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
}

}  // namespace
}  // namespace tandem
