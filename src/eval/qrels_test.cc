#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>

#include "base/testing/temporary_folder.h"
#include "tandem/evaluation.h"

namespace tandem {
namespace {

Result<Qrels> read(std::string_view text) {
  const TemporaryFolder folder;
  return Qrels::read(folder.write("qrels", text));
}

std::string error_of(std::string_view text) {
  const Result<Qrels> qrels = read(text);
  EXPECT_FALSE(qrels.has_value());
  if (qrels) return "";
  EXPECT_EQ(qrels.error().code, ErrorCode::kCorruptData);
  return qrels.error().message;
}

/// "query/document:relevance" for each judgement, in order.
std::vector<std::string> listed(const Qrels& qrels) {
  std::vector<std::string> all;
  for (const std::string_view query : qrels.query_ids()) {
    for (const Judgement& judged : qrels.judgements_of(query)) {
      all.push_back(fmt::format("{}/{}:{}", query, judged.document_id, judged.relevance));
    }
  }
  return all;
}

using Listed = std::vector<std::string>;

TEST(Qrels, TrecIsReadWhateverSeparatesItsColumns) {
  const Result<Qrels> qrels = read("q1 0 a 1\nq1\t0\tb\t-1\r\n  q2  Q0 a   +3 \n");
  ASSERT_TRUE(qrels) << qrels.error().message;
  EXPECT_EQ(listed(*qrels), (Listed{"q1/a:1", "q1/b:-1", "q2/a:3"}));
  EXPECT_EQ(qrels->queries(), 2U);
  EXPECT_EQ(qrels->judgements(), 3U);
}

TEST(Qrels, BeirIsReadWithAndWithoutItsHeader) {
  const Result<Qrels> with = read("query-id\tcorpus-id\tscore\nq 1\ta doc\t2\n");
  ASSERT_TRUE(with) << with.error().message;
  EXPECT_EQ(listed(*with), Listed{"q 1/a doc:2"});
  const Result<Qrels> without = read("q1\ta\t2\n");
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_EQ(listed(*without), Listed{"q1/a:2"});
}

TEST(Qrels, CommentsAndEmptyLinesAreSkipped) {
  const Result<Qrels> qrels = read("# judged in 2019\n\n \t \nq1 0 a 1");
  ASSERT_TRUE(qrels) << qrels.error().message;
  EXPECT_EQ(listed(*qrels), Listed{"q1/a:1"});
}

TEST(Qrels, AQueryMayComeBackLater) {
  const Result<Qrels> qrels = read("q1 0 a 1\nq2 0 a 1\nq1 0 b 0\n");
  ASSERT_TRUE(qrels) << qrels.error().message;
  EXPECT_EQ(listed(*qrels), (Listed{"q1/a:1", "q1/b:0", "q2/a:1"}));
}

TEST(Qrels, ErrorsNameTheLine) {
  EXPECT_NE(error_of("q1 0 a 1\nq1 0 b\n").find("qrels:2: expected 4 columns"), std::string::npos);
  EXPECT_NE(error_of("q1 0 a 1 5\n").find("qrels:1: expected 4 columns"), std::string::npos);
  EXPECT_NE(error_of("q1 0 a 1\n\nq1 0 b 0.5\n").find("qrels:3: expected a whole number as relevance, got '0.5'"),
            std::string::npos);
  EXPECT_NE(error_of("q1 0 a 3000000000\n").find("'3000000000'"), std::string::npos);
  EXPECT_NE(error_of("q1\ta\t1\nq1 0 b 1\n").find("qrels:2: expected 3 columns"), std::string::npos);
  EXPECT_NE(error_of("query-id\tcorpus-id\tscore\n\ta\t1\n").find("qrels:2: the id of the query is empty"),
            std::string::npos);
}

TEST(Qrels, ADocumentThatIsJudgedTwiceIsRefused) {
  EXPECT_NE(error_of("q1 0 a 1\nq2 0 a 1\nq1 0 a 1\n").find("qrels:3: query 'q1' has document 'a' twice"),
            std::string::npos);
}

TEST(Qrels, FilesWithoutJudgementsAreRefused) {
  for (const char* text : {"", "\n\n", "# nothing\n", "query-id\tcorpus-id\tscore\n"}) {
    EXPECT_NE(error_of(text).find("holds no judgement"), std::string::npos) << text;
  }
}

TEST(Qrels, AMissingFileIsNotFound) {
  const Result<Qrels> qrels = Qrels::read("no/such/qrels");
  ASSERT_FALSE(qrels);
  EXPECT_EQ(qrels.error().code, ErrorCode::kNotFound);
}

TEST(Qrels, AddRefusesWhatAFileMayNotHold) {
  Qrels qrels;
  EXPECT_EQ(qrels.add("", "a", 1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(qrels.add("q", "", 1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(qrels.add("q", "a", 1));
  EXPECT_EQ(qrels.add("q", "a", 2).error().code, ErrorCode::kConflict);
  EXPECT_EQ(listed(qrels), Listed{"q/a:1"});
}

TEST(Qrels, IdsThatTheFormatCannotHoldAreRefusedAndLeaveTheOldFile) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.write("qrels", "old");
  Qrels qrels;
  ASSERT_TRUE(qrels.add("q 1", "a", 1));
  EXPECT_EQ(qrels.write(path, QrelsFormat::kTrec).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(std::filesystem::file_size(path), 3U);
  EXPECT_TRUE(qrels.write(path, QrelsFormat::kBeir));
  EXPECT_EQ(listed(Qrels::read(path).value()), Listed{"q 1/a:1"});
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Qrels, ManyIdsKeepTheirNumbersAsTablesGrow) {
  Qrels qrels;
  const std::string long_id(100'000, 'x');
  ASSERT_TRUE(qrels.add("q", long_id, 7));
  for (int i = 0; i < 50'000; ++i) ASSERT_TRUE(qrels.add(fmt::format("q{}", i % 100), fmt::format("d{}", i), i));
  for (int i = 0; i < 50'000; ++i) {
    ASSERT_EQ(qrels.add(fmt::format("q{}", i % 100), fmt::format("d{}", i), i).error().code, ErrorCode::kConflict);
  }
  EXPECT_EQ(qrels.judgements_of("q")[0].document_id, long_id);
  EXPECT_EQ(qrels.judgements_of("q42")[3].document_id, "d342");
  EXPECT_EQ(qrels.judgements_of("q42")[3].relevance, 342);
}

RC_GTEST_PROP(QrelsProperty, WhatIsWrittenIsReadAgain, (bool beir)) {
  Qrels qrels;
  const auto ids = rc::gen::nonEmpty(rc::gen::string<std::string>());
  RC_ASSERT(qrels.add("query", "document", 1).has_value());
  for (int i = *rc::gen::inRange(1, 20); i > 0; --i) {
    // Ids that are taken, empty, or hold control characters are refused; what counts is what is in there at last.
    static_cast<void>(qrels.add(*ids, *ids, *rc::gen::arbitrary<std::int32_t>()));
  }
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "qrels";
  const Status written = qrels.write(path, beir ? QrelsFormat::kBeir : QrelsFormat::kTrec);
  if (!written) {
    RC_ASSERT(written.error().code == ErrorCode::kUnsupported);
    return;
  }
  const Result<Qrels> again = Qrels::read(path);
  RC_ASSERT(again.has_value());
  RC_ASSERT(listed(*again) == listed(qrels));
}

}  // namespace
}  // namespace tandem
