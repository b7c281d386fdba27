// Many searches, and the run that they make.
#include "tandem/search_run.h"

#include <gtest/gtest.h>

#include <stop_token>

#include "base/error.h"
#include "engine/testing/tiny_models.h"

namespace tandem {
namespace {

class SearchRunTest : public testing::Test {
 protected:
  SearchRunTest() {
    CollectionWriter writer = must(CollectionWriter::create(folder_.path() / "c", bi_encoder_));
    for (const Document& document : tiny_documents(20)) {
      if (!writer.add(document)) throw std::runtime_error("cannot add");
    }
    must(writer.commit());
    collection_.emplace(must(Collection::open(folder_.path() / "c")));
    retriever_.emplace(*collection_, bi_encoder_);
  }

  static std::vector<SweepQuery> queries(std::size_t count) {
    std::vector<SweepQuery> queries;
    for (std::size_t i = 0; i < count; ++i) {
      queries.push_back({.id = fmt::format("q{}", i), .text = fmt::format("boat {}", i)});
    }
    return queries;
  }

  TinyModels models_;
  TemporaryFolder folder_;
  BiEncoder bi_encoder_ = models_.bi_encoder();
  std::optional<Collection> collection_;
  std::optional<Retriever> retriever_;
  SearchOptions options_{.mode = SearchMode::kBi, .final_top_k = 3};
};

TEST_F(SearchRunTest, ARunHoldsTheHitsOfEveryQuery) {
  // More than are answered together.
  const std::vector<SweepQuery> asked = queries(100);
  const SearchedRun searched = must(search_run(*retriever_, asked, options_));
  EXPECT_EQ(searched.run.queries(), 100U);
  EXPECT_EQ(searched.run.results(), 300U);
  EXPECT_EQ(searched.truncation.texts, 100U);
  const SearchResponse alone = must(retriever_->search(asked[70].text, options_));
  const std::vector<RunResult> ranking = searched.run.ranking_of("q70");
  ASSERT_EQ(ranking.size(), 3U);
  EXPECT_EQ(ranking[0].document_id, alone.hits[0].document->id);
  EXPECT_EQ(ranking[0].score, alone.hits[0].final_score);
}

TEST_F(SearchRunTest, QueriesComeInTheirOrderAndTheirNumberIsReported) {
  std::vector<std::string> ids;
  std::vector<std::uint64_t> done;
  const auto take = [&](const SweepQuery& query, const SearchResponse& response) -> Status {
    EXPECT_EQ(response.hits.size(), 3U);
    ids.push_back(query.id);
    return {};
  };
  const auto on_progress = [&](const Progress& progress) {
    EXPECT_EQ(progress.unit, "queries");
    EXPECT_EQ(progress.total, 130U);
    done.push_back(progress.done);
  };
  ASSERT_TRUE(search_each(*retriever_, queries(130), options_, take, {.progress = on_progress}));
  ASSERT_EQ(ids.size(), 130U);
  EXPECT_EQ(ids[0], "q0");
  EXPECT_EQ(ids[129], "q129");
  EXPECT_EQ(done, (std::vector<std::uint64_t>{0, 64, 128}));
}

TEST_F(SearchRunTest, EndsWithTheFirstErrorOfItsTaker) {
  std::size_t taken = 0;
  const auto refuse = [&](const SweepQuery& query, const SearchResponse&) -> Status {
    if (++taken == 2) return fail(ErrorCode::kNoSpace, "no room for {}", query.id);
    return {};
  };
  const Status status = search_each(*retriever_, queries(5), options_, refuse);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().message, "no room for q1");
  EXPECT_EQ(taken, 2U);
}

TEST_F(SearchRunTest, StopsWhereItIsTold) {
  std::stop_source stop;
  std::size_t taken = 0;
  const auto stop_at_first = [&](const SweepQuery&, const SearchResponse&) -> Status {
    ++taken;
    stop.request_stop();
    return {};
  };
  const Status status = search_each(*retriever_, queries(100), options_, stop_at_first, {.stop = stop.get_token()});
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(taken, 64U);
}

TEST_F(SearchRunTest, AQueryThatIsThereTwiceIsAConflict) {
  std::vector<SweepQuery> twice = queries(1);
  twice.push_back(twice.front());
  const Result<SearchedRun> searched = search_run(*retriever_, twice, options_);
  ASSERT_FALSE(searched.has_value());
  EXPECT_EQ(searched.error().code, ErrorCode::kConflict);
}

TEST_F(SearchRunTest, NoQueriesMakeAnEmptyRun) {
  EXPECT_EQ(must(search_run(*retriever_, {}, options_)).run.queries(), 0U);
}

}  // namespace
}  // namespace tandem
