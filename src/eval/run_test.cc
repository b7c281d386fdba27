#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/testing/temporary_folder.h"
#include "tandem/evaluation.h"

namespace tandem {
namespace {

Result<tandem::Run> read(std::string_view text) {
  const TemporaryFolder folder;
  return tandem::Run::read(folder.write("run", text));
}

std::string error_of(std::string_view text) {
  const Result<tandem::Run> run = read(text);
  EXPECT_FALSE(run.has_value());
  if (run) return "";
  EXPECT_EQ(run.error().code, ErrorCode::kCorruptData);
  return run.error().message;
}

using Ids = std::vector<std::string>;

Ids ranking(const Run& run, std::string_view query) {
  Ids ids;
  for (const RunResult& result : run.ranking_of(query)) ids.emplace_back(result.document_id);
  return ids;
}

TEST(Run, ScoresDecideAndRanksDoNot) {
  const Result<tandem::Run> run =
      read("q1 Q0 a 1 0.5 t\nq1\tQ0\tb\t2\t7\tt\nq1 Q0 c 3 -1e-3 t and more\nq2 Q0 a 1 +2 t\n");
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(ranking(*run, "q1"), (Ids{"b", "a", "c"}));
  EXPECT_EQ(ranking(*run, "q2"), Ids{"a"});
  EXPECT_EQ(ranking(*run, "q3"), Ids{});
  EXPECT_EQ(run->results(), 4U);
  EXPECT_EQ(run->queries(), 2U);
}

TEST(Run, TiesGoByDescendingIdByteByByte) {
  const Result<tandem::Run> run = read("q Q0 d9 1 1 t\nq Q0 d10 2 1 t\nq Q0 \xC3\xA4 3 1 t\nq Q0 D 4 1 t\n");
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(ranking(*run, "q"), (Ids{"\xC3\xA4", "d9", "d10", "D"}));
}

TEST(Run, ScoresAreComparedAsF32) {
  tandem::Run run;
  ASSERT_TRUE(run.add("q", "a", 1.00000002));
  ASSERT_TRUE(run.add("q", "b", 1.00000001));
  ASSERT_TRUE(run.add("q", "c", -0.0));
  ASSERT_TRUE(run.add("q", "d", 0.0));
  ASSERT_TRUE(run.add("q", "e", 1e39));
  ASSERT_TRUE(run.add("q", "f", 1e40));
  EXPECT_EQ(ranking(run, "q"), (Ids{"f", "e", "b", "a", "d", "c"}));
}

TEST(Run, InfiniteScoresStandFirstAndLast) {
  const Result<tandem::Run> run =
      read("q Q0 a 1 -inf t\nq Q0 b 2 -3e38 t\nq Q0 c 3 3e38 t\nq Q0 d 4 inf t\nq Q0 e 5 1e999 t\n");
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(ranking(*run, "q"), (Ids{"e", "d", "c", "b", "a"}));
}

TEST(Run, NanHasNoPlaceInAnOrder) {
  EXPECT_NE(error_of("q Q0 a 1 nan t\n").find("run:1: the score of document 'a' for query 'q' is NaN"),
            std::string::npos);
  tandem::Run run;
  EXPECT_EQ(run.add("q", "a", std::nan("")).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(run.results(), 0U);
}

TEST(Run, ErrorsNameTheLine) {
  EXPECT_NE(error_of("q Q0 a 1 1 t\nq Q0 b 2 0.5\n").find("run:2: expected 6 columns"), std::string::npos);
  for (const char* score : {"high", "1,5", "1e", "+-1", "--1", "0x10"}) {
    const std::string text = fmt::format("q Q0 a 1 {} t\n", score);
    EXPECT_NE(error_of(text).find(fmt::format("run:1: expected a number as score, got '{}'", score)), std::string::npos)
        << text;
  }
}

TEST(Run, IdsWithBlanksAreRefusedByTheirLine) {
  for (const char* line : {"1 Q0 alpha one 1 9.0 r\n", "1 Q0 doc 1 1 9.0 r\n", "a query Q0 doc 1 9.0 r\n"}) {
    const std::string error = error_of("q Q0 a 1 1 t\n" + std::string(line));
    EXPECT_NE(error.find("run:2: expected 6 columns"), std::string::npos) << error;
    EXPECT_NE(error.find("blank"), std::string::npos) << error;
  }
}

TEST(Run, KeepsTheOrderOfASearchWhereItIsToldTo) {
  tandem::Run run(RunOrder::kAsAdded);
  for (const char* id : {"b", "c", "a"}) ASSERT_TRUE(run.add("q", id, 1));
  EXPECT_EQ(ranking(run, "q"), (Ids{"b", "c", "a"}));
}

TEST(Run, ADocumentThatAQueryHasTwiceIsRefused) {
  EXPECT_NE(error_of("q Q0 a 1 2 t\nr Q0 a 1 2 t\nq Q0 a 2 1 t\n").find("run:3: query 'q' has document 'a' twice"),
            std::string::npos);
}

// Few documents are compared one by one, many are looked up; either way a query's own count alone.
TEST(Run, EveryDocumentOfEveryQueryIsFoundAgainHoweverTheyMix) {
  constexpr int kQueries = 3;
  constexpr int kDocuments = 300;
  tandem::Run run;
  for (int document = 0; document < kDocuments; ++document) {
    for (int query = 0; query < kQueries; ++query) {
      ASSERT_TRUE(run.add(std::to_string(query), "d" + std::to_string(document), document));
      const Status again = run.add(std::to_string(query), "d" + std::to_string(document / 2), 0);
      ASSERT_FALSE(again);
      EXPECT_EQ(again.error().code, ErrorCode::kConflict);
    }
  }
  EXPECT_EQ(run.results(), std::size_t{kQueries * kDocuments});
  for (int query = 0; query < kQueries; ++query) {
    const std::vector<RunResult> results = run.ranking_of(std::to_string(query));
    ASSERT_EQ(results.size(), std::size_t{kDocuments});
    EXPECT_EQ(results.front().document_id, "d299");
    EXPECT_EQ(results.back().document_id, "d0");
  }
}

TEST(Run, FilesWithoutResultsAreRefused) {
  for (const char* text : {"", "\n", "# nothing\n"}) {
    EXPECT_NE(error_of(text).find("holds no result"), std::string::npos) << text;
  }
}

TEST(Run, ALineThatIsTooLongIsNamed) {
  EXPECT_NE(error_of("q Q0 a 1 1 t\nq Q0 " + std::string(2 << 20, 'x') + " 1 1 t\n").find("run:2: "),
            std::string::npos);
}

TEST(Run, IdsAndTagsThatWouldNotBeReadBackCannotBeWritten) {
  const TemporaryFolder folder;
  const auto code_of = [&](const char* query, const char* document, const char* tag) {
    tandem::Run run;
    EXPECT_TRUE(run.add(query, document, 1));
    return run.write(folder.path() / "run", tag).error().code;
  };
  EXPECT_EQ(code_of("q", "a b", "tag"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of("#q", "a", "tag"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of("q", "a", ""), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of("q", "a", "tag\x1b"), ErrorCode::kUnsupported);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "run"));
}

TEST(Run, IdsWithControlCharactersAreRefused) {
  tandem::Run run;
  for (const char* id : {"a\nq Q0 b 1 9 t", "a\x1b[2J", "a\xc2\x85", "a\xe2\x80\xa8"}) {
    EXPECT_EQ(run.add("q", id, 1).error().code, ErrorCode::kCorruptData) << id;
    EXPECT_EQ(run.add(id, "d", 1).error().code, ErrorCode::kCorruptData) << id;
  }
  EXPECT_EQ(run.results(), 0U);
}

/// The definition of the order, on strings.
bool stands_before(const std::pair<std::string, float>& left, const std::pair<std::string, float>& right) {
  return left.second != right.second ? left.second > right.second : left.first > right.first;
}

// Few and many results take different ways through the sort.
RC_GTEST_PROP(RunProperty, AnyOrderOfLinesGivesTheSameRanking, (std::uint32_t seed, bool ties)) {
  std::mt19937 random(seed);
  std::vector<std::pair<std::string, float>> results;
  for (int i = *rc::gen::inRange(0, 600); i > 0; --i) {
    const auto score = ties ? static_cast<float>(random() % 4) : std::normal_distribution<float>()(random);
    results.emplace_back(fmt::format("d{}", i), score);
  }
  std::ranges::shuffle(results, random);
  tandem::Run run;
  for (const auto& [id, score] : results) RC_ASSERT(run.add("q", id, score).has_value());
  std::ranges::sort(results, stands_before);
  const std::vector<RunResult> ranked = run.ranking_of("q");
  RC_ASSERT(ranked.size() == results.size());
  for (std::size_t i = 0; i < ranked.size(); ++i) RC_ASSERT(ranked[i].document_id == results[i].first);
}

RC_GTEST_PROP(RunProperty, WhatIsWrittenIsReadAgainBestFirst, (const std::vector<float>& scores)) {
  tandem::Run run;
  std::size_t count = 0;
  for (const float score : scores) {
    if (std::isnan(score)) continue;
    RC_ASSERT(run.add(fmt::format("q{}", count % 3), fmt::format("d{}", count), score).has_value());
    ++count;
  }
  RC_PRE(count > 0);
  const TemporaryFolder folder;
  RC_ASSERT(run.write(folder.path() / "run", "tag").has_value());
  const Result<tandem::Run> again = tandem::Run::read(folder.path() / "run");
  RC_ASSERT(again.has_value() && again->query_ids() == run.query_ids());
  for (const std::string_view query : run.query_ids()) {
    const std::vector<RunResult> before = run.ranking_of(query);
    const std::vector<RunResult> after = again->ranking_of(query);
    RC_ASSERT(before.size() == after.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      RC_ASSERT(before[i].document_id == after[i].document_id && before[i].score == after[i].score);
    }
  }
}

}  // namespace
}  // namespace tandem
