#include "base/text_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/testing/gzip.h"
#include "base/testing/temporary_folder.h"

namespace tandem {
namespace {

using namespace std::string_literals;
using Rows = std::vector<std::string>;

const RecordKind kDocuments{.noun = "document", .optional = {"title", "id"}, .blank_lines_count = false};
const RecordKind kPairs{.noun = "pair",
                        .required = {"query", "document"},
                        .without_header = {{"query", "document"}},
                        .lines_hold_tabs = true};
const RecordKind kQueries{
    .noun = "query", .optional = {"title", "id"}, .lines_begin_with_ids = true, .options_prefix = "--queries-"};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

class TextReaderTest : public testing::Test {
 protected:
  /// Each record as its fields with "|" between them, in the kind's order; an error as "error: …", and the reader's
  /// finding at the end, where there is one.
  Rows read(std::string_view name, std::string_view content, const TextOptions& options = {},
            const RecordKind& kind = kDocuments) {
    Rows rows;
    const auto refuse = [&](const Error& error) {
      rows.push_back("error: " + error.message);
      return rows;
    };
    auto reader = TextReader::open(folder_.write(name, content).string(), std::string(name), kind, options, 1 << 20);
    if (!reader) return refuse(reader.error());
    for (;;) {
      const Result<bool> more = reader->advance();
      if (!more) return refuse(more.error());
      if (!*more) break;
      rows.push_back(reader->has_fields() ? fields(*reader, kind) : std::string(reader->line()));
    }
    if (!reader->finding().empty()) rows.push_back("finding: " + reader->finding());
    return rows;
  }

  std::string only(std::string_view name, std::string_view content, const TextOptions& options = {},
                   const RecordKind& kind = kDocuments) {
    const Rows rows = read(name, content, options, kind);
    return rows.empty() ? "nothing" : rows.front();
  }

 private:
  static std::string fields(const TextReader& reader, const RecordKind& kind) {
    const bool has_id = kind.required.front() == "text";
    std::string row = has_id ? reader.find_id().value() : "";
    for (const std::string& field : kind.required) {
      row += (row.empty() && !has_id ? "" : "|") + std::string(reader.get_string(field).value_or("(none)"));
    }
    return row;
  }

  TemporaryFolder folder_;
};

TEST_F(TextReaderTest, GoesByTheNameWithAndWithoutGz) {
  const std::string json = R"({"_id":"a","text":"one"})";
  EXPECT_EQ(read("a.jsonl", json), Rows{"a|one"});
  EXPECT_EQ(read("a.JSONL.GZ", gzip(json)), Rows{"a|one"});
  EXPECT_EQ(read("a.csv", gzip("id,text\na,one\n")), Rows{"a|one"}) << "content says that it is gzip";
  EXPECT_EQ(read("a.tsv.gz", gzip("a\tone\n")), Rows{"a|one"});
  EXPECT_TRUE(contains(only("a.jsonl.gz", json), "named .gz and not compressed"));
  EXPECT_TRUE(contains(only("a.jsonl.gz", ""), "named .gz and not compressed"));
  EXPECT_TRUE(contains(only("a.tar.gz", gzip("one")), "a.tar.gz: .tar files are not read"));
}

TEST_F(TextReaderTest, TellsJsonLinesOfUnknownNamesByTheFirstLine) {
  const Rows rows = read("corpus", "\n  \n{\"text\":\"one\"}\n{\"_id\":\"b\",\"text\":\"two\"}\n");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0], "|one");
  EXPECT_EQ(rows[1], "b|two");
  EXPECT_TRUE(contains(rows[2], "finding: corpus: the first line is a JSON object")) << rows[2];
  EXPECT_EQ(read("a.json", "{\"text\":\"one\"}\n").front(), "|one");
  EXPECT_EQ(only("corpus", "{not json}\n"), "{not json}");
  EXPECT_TRUE(
      contains(only("corpus", "{\"text\": \"a\n"), "corpus:1: the first line begins as a JSON object and is none"));
  EXPECT_EQ(only("corpus", "[1] is a footnote\n"), "[1] is a footnote");
  EXPECT_EQ(only("corpus", "{\"text\":\"one\"}\n", {.format = TextFormat::kLines}), "{\"text\":\"one\"}");
}

TEST_F(TextReaderTest, RefusesJsonThatIsNoJsonLines) {
  for (const char* content :
       {"[{\"text\":\"a\"}]", "[\n{\"text\":\"a\"}\n]\n", "{\n  \"text\": \"a\"\n}\n", "[ {\"text\": "}) {
    EXPECT_TRUE(contains(only("corpus", content), "error: corpus:1: a JSON document")) << only("corpus", content);
    EXPECT_TRUE(contains(only("a.json", content), "error: a.json: .json files are not read")) << content;
  }
}

TEST_F(TextReaderTest, RefusesContentThatContradictsTheName) {
  EXPECT_TRUE(contains(only("a.txt", "{\"text\":\"a\"}\n"), "a.txt:1: the first line is a JSON object"));
  EXPECT_TRUE(contains(only("a.txt", "id,text\n1,a\n"), "a.txt:1: the first line is that of a table"));
  EXPECT_TRUE(contains(only("a", "id\ttext\n1\ta\n"), "--format tsv reads it so"));
  EXPECT_TRUE(contains(only("a", "17\tsome text\n"), "two columns with a tab"));
  EXPECT_TRUE(contains(only("a", "sep=|\nid|text\n"), "the first line is that of a table"));
  EXPECT_TRUE(contains(only("a", "price;text\n3;a\n"), "the first line is that of a table"));
  EXPECT_TRUE(contains(only("a.tsv", "[{\"text\": \"a\"}]\n"), "names no column text"));
  EXPECT_TRUE(contains(only("a.tsv", "sep=|\nid|text\n"), "names no column text"));
  EXPECT_TRUE(contains(only("a", "text\nsome text\n"), "the first line is that of a table"));
  EXPECT_TRUE(contains(only("a.tsv", "{\"text\":\"a\"}\n"), "names no column text"));
  EXPECT_TRUE(contains(only("a.tsv", "id,text\n1,a\n"), "--format csv makes more columns of it"));
  EXPECT_TRUE(contains(only("a.csv", "id\ttext\n1\ta\n"), "--separator tab makes more columns of it"));
  EXPECT_EQ(only("a.txt", "id, text and other words\n"), "id, text and other words");
  EXPECT_EQ(only("a", "\tindented\n"), "\tindented");
  EXPECT_EQ(only("a", "\"Good morning,\" she said.\n"), "\"Good morning,\" she said.");
  EXPECT_EQ(only("a.tsv", "\"open\n"), "|\"open");
  EXPECT_EQ(only("a", "some words\tand more\n"), "some words\tand more");
}

TEST_F(TextReaderTest, RefusesAFirstLineThatEndsInACarriageReturn) {
  for (const char* name : {"a", "a.txt", "a.tsv"}) {
    EXPECT_TRUE(contains(only(name, "one\rtwo\nthree\r"), ":1: the first line holds a carriage return")) << name;
  }
  EXPECT_EQ(only("a", "one\rtwo\n", {.format = TextFormat::kLines}), "one\rtwo");
}

TEST_F(TextReaderTest, WantsTheHeaderOfCsvToNameTheFields) {
  EXPECT_EQ(only("a.csv", "question,answer\nhow?,so\n"),
            "error: a.csv:1: the header line names no column text, but question, answer; --columns text=NAME says "
            "which column it is, --no-header that there is no header");
  EXPECT_EQ(only("a.csv", "question,answer\nhow?,so\n",
                 {.columns = {{.field = "text", .column = "Answer"}, {.field = "id", .column = "question"}}}),
            "how?|so");
  EXPECT_EQ(only("a.csv", "1,so\n", {.no_header = true}), "1|so");
  EXPECT_EQ(only("a.csv", "x,y,1,so\n",
                 {.columns = {{.field = "text", .column = "4"}, {.field = "id", .column = "3"}}, .no_header = true}),
            "1|so");
  EXPECT_TRUE(contains(only("a.csv", "x,y\n", {.columns = {{.field = "text", .column = "4"}}, .no_header = true}),
                       "--columns text=4: expected a number from 1 to 2"));
  EXPECT_TRUE(contains(only("a.csv", "id,text\n1,a\n", {.columns = {{.field = "title", .column = "heading"}}}),
                       "names no column heading, but id, text"));
  EXPECT_TRUE(contains(only("a.csv", "a,b\n", {.columns = {{.field = "txt", .column = "a"}}}),
                       "--columns txt=a: expected a name for one of text, title, id"));
}

TEST_F(TextReaderTest, TakesTheSeparatorThatIsSaid) {
  EXPECT_EQ(only("a.csv", "sep=;\r\nid;text\r\n1;\"a;b\"\r\n"), "1|a;b");
  EXPECT_EQ(only("a.csv", "id|text\n1|a,b\n", {.separator = '|'}), "1|a,b");
  EXPECT_TRUE(contains(only("a.csv", "sep=;\nsep=;\n"), "names no column text, but sep="));
  EXPECT_TRUE(contains(only("a.csv", "id;text\n1;a\n"), "; --separator semicolon makes more columns of it"));
  EXPECT_TRUE(contains(only("a.tsv", "id\ttext\n", {.separator = ';'}), "--format csv reads the file so"));
  EXPECT_TRUE(contains(only("a.csv", "id,text\n1,a\r2,b\n"), "column 2: a carriage return that ends no line"));
  EXPECT_TRUE(contains(only("a.csv", "id;text\n1;\"a\"b\n", {.separator = ';'}), "expected ';' or the line's end"));
}

TEST_F(TextReaderTest, TellsTheHeaderOfTsvByItsNames) {
  EXPECT_EQ(only("a.tsv", "7\twhat is moss\n"), "7|what is moss");
  EXPECT_EQ(only("a.tsv", "_id\ttext\n7\twhat is moss\n"), "7|what is moss");
  EXPECT_TRUE(contains(only("a.tsv", "qid\tquery\n7\tmoss\n"), "names no column text, but qid, query"));
  EXPECT_TRUE(contains(only("a.tsv", "id\ttex\n7\tmoss\n"), "names no column text, but id, tex"));
  EXPECT_TRUE(contains(only("a.tsv", "a\tb\tc\n"), "3 columns and no header line"));
  EXPECT_EQ(only("a.tsv", "how?\tso\n", {}, kPairs), "how?|so");
  EXPECT_EQ(only("a.tsv", "document\tquery\nso\thow?\n", {}, kPairs), "how?|so");
  EXPECT_EQ(only("a", "how?\tso\n", {}, kPairs), "how?\tso");
  EXPECT_TRUE(contains(only("a", "query\tdocument\nhow?\tso\n", {}, kPairs), "the first line is that of a table"));
}

TEST_F(TextReaderTest, NeverTakesAnotherColumnForTheId) {
  EXPECT_TRUE(contains(only("a.csv", "qid,text\n7,moss\n", {}, kQueries),
                       "names no column id, but qid: --queries-columns id=qid takes the ids from there"));
  EXPECT_EQ(only("a.csv", "qid,text\n7,moss\n", {.columns = {{.field = "id", .column = "qid"}}}, kQueries), "7|moss");
  EXPECT_EQ(only("a.csv", "qid,text\n7,moss\n", {.columns = {{.field = "id", .column = ""}}}, kQueries), "|moss");
}

TEST_F(TextReaderTest, RefusesTabsInLinesOfQueries) {
  EXPECT_TRUE(contains(only("q.txt", "what is it\tmoss\n", {}, kQueries), "--queries-format tsv reads it so"));
  EXPECT_EQ(only("q.txt", "what is it\tmoss\n", {.format = TextFormat::kLines}, kQueries), "what is it\tmoss");
}

TEST_F(TextReaderTest, TakesMembersOfJsonLinesByTheNamesThatAreGiven) {
  EXPECT_EQ(only("a.jsonl", R"({"docno":"d","contents":"one"})",
                 {.columns = {{.field = "id", .column = "docno"}, {.field = "text", .column = "contents"}}}),
            "d|one");
}

TEST_F(TextReaderTest, PlainLinesHaveNoColumns) {
  const TextOptions options{.columns = {{.field = "text", .column = "body"}}};
  EXPECT_TRUE(contains(only("a", "one\n", options), "a:1: plain lines have no columns"));
  EXPECT_EQ(only("a", "{\"body\":\"one\"}\n", options), "|one") << "the first line says that it is no plain line";
}

TEST_F(TextReaderTest, CountsRecordsThatAreNotUtf8) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a.csv", "text\ncaf\xE9\nfine\n\"two\nlines \xFF\"\n").string();
  TextReader reader = TextReader::open(path, "a.csv", kDocuments, {}, 1000).value();
  while (reader.advance().value()) {
  }
  EXPECT_EQ(reader.records(), 3U);
  EXPECT_EQ(reader.records_not_utf8(), 2U);
}

}  // namespace
}  // namespace tandem
