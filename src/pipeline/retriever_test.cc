#include "tandem/retriever.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/testing/tiny_models.h"

namespace tandem {
namespace {

constexpr std::size_t kDocuments = 60;

std::vector<std::string_view> tiny_queries() {
  return {"the cat", "fast boat?", "search the water", "what is a red night", "one slow model, that was it"};
}

void expect_same_hits(const SearchResponse& a, const SearchResponse& b) {
  ASSERT_EQ(a.hits.size(), b.hits.size());
  EXPECT_EQ(a.candidates, b.candidates);
  for (std::size_t index = 0; index < a.hits.size(); ++index) {
    EXPECT_EQ(a.hits[index].rank, b.hits[index].rank);
    EXPECT_EQ(a.hits[index].document->id, b.hits[index].document->id);
    EXPECT_EQ(a.hits[index].document->text, b.hits[index].document->text);
    EXPECT_EQ(a.hits[index].retrieval_rank, b.hits[index].retrieval_rank);
    EXPECT_EQ(a.hits[index].retrieval_score, b.hits[index].retrieval_score);
    EXPECT_EQ(a.hits[index].distance, b.hits[index].distance);
    EXPECT_EQ(a.hits[index].cross_encoder_score, b.hits[index].cross_encoder_score);
    EXPECT_EQ(a.hits[index].final_score, b.hits[index].final_score);
  }
}

TEST(FuseScores, ScalesInitialScoresWhoseRangeIsWiderThanAFloat) {
  const std::vector<float> scores{0, 0, 0};
  const std::vector<float> initial{3e38F, -3e38F, 0};
  EXPECT_EQ(fuse_scores(scores, initial, 0.0F), (std::vector<float>{1, 0, 0.5F}));
}

class RetrieverTest : public testing::Test {
 protected:
  RetrieverTest() {
    CollectionWriter writer = must(CollectionWriter::create(folder_.path() / "c", bi_encoder_));
    for (const Document& document : tiny_documents(kDocuments)) {
      if (!writer.add(document)) throw std::runtime_error("cannot add");
    }
    must(writer.commit());
    collection_.emplace(must(Collection::open(folder_.path() / "c")));
    retriever_.emplace(*collection_, bi_encoder_, cross_encoder_);
  }

  /// The cross-encoder's score of one pair, asked for alone.
  Document document(std::uint32_t row) const {
    const RowId id{.row = row};
    return must(collection_->documents({&id, 1})).front();
  }

  float cross_score(std::string_view query, std::uint32_t row) const {
    const std::string text = document(row).full_text();
    const TextPair pair{query, text};
    return must(cross_encoder_.predict({&pair, 1})).scores.row(0)[0];
  }

  std::vector<VectorHit> first_stage(std::string_view query, std::size_t top_k) const {
    const Embeddings embeddings = must(bi_encoder_.encode({&query, 1}, TextRole::kQuery));
    return must(collection_->search(embeddings.vectors, top_k))[0];
  }

  std::string id(std::uint32_t row) const { return document(row).id; }

  std::string error_of(std::string_view query, const SearchOptions& options) const {
    const auto response = retriever_->search(query, options);
    if (response) return "no error";
    EXPECT_EQ(response.error().code, ErrorCode::kInvalidArgument);
    return response.error().message;
  }

  TinyModels models_;
  TemporaryFolder folder_;
  BiEncoder bi_encoder_ = models_.bi_encoder();
  CrossEncoder cross_encoder_ = models_.cross_encoder();
  std::optional<Collection> collection_;
  std::optional<Retriever> retriever_;
};

TEST_F(RetrieverTest, BiModeIsTheFirstStageAlone) {
  const SearchResponse response = must(retriever_->search("fast boat", {.mode = SearchMode::kBi, .final_top_k = 7}));
  const std::vector<VectorHit> expected = first_stage("fast boat", 7);
  ASSERT_EQ(response.hits.size(), 7U);
  EXPECT_EQ(response.candidates, kDocuments);
  for (std::size_t index = 0; index < 7; ++index) {
    const SearchHit& hit = response.hits[index];
    EXPECT_EQ(hit.rank, index + 1);
    EXPECT_EQ(hit.retrieval_rank, index + 1);
    EXPECT_EQ(hit.document->id, id(expected[index].row.row));
    EXPECT_EQ(hit.final_score, expected[index].score);
    EXPECT_EQ(hit.retrieval_score, expected[index].score);
    EXPECT_EQ(hit.distance, -expected[index].score) << "the tiny model is not normalised: L2";
    EXPECT_FALSE(hit.cross_encoder_score);
  }
  EXPECT_GT(response.times.encode_ms, 0);
  EXPECT_GT(response.times.retrieve_ms, 0);
  EXPECT_EQ(response.times.rerank_ms, 0);
  EXPECT_GE(response.times.total_ms, response.times.encode_ms + response.times.retrieve_ms);
}

TEST_F(RetrieverTest, HybridModeFusesAsTheFormulaSays) {
  for (const float alpha : {0.0F, 0.3F, 0.7F, 1.0F}) {
    const SearchOptions options{.initial_top_k = 20, .rerank_top_n = 12, .final_top_k = 6, .alpha = alpha};
    const SearchResponse response = must(retriever_->search("search the water", options));
    const std::vector<VectorHit> candidates = first_stage("search the water", 12);
    const double best = candidates.front().score;
    const double worst = candidates.back().score;
    ASSERT_LT(worst, best);
    struct Expected {
      std::size_t position;
      float cross;
      double final_score;
    };
    std::vector<Expected> expected;
    for (std::size_t position = 0; position < candidates.size(); ++position) {
      const float cross = cross_score("search the water", candidates[position].row.row);
      const double scaled = (candidates[position].score - worst) / (best - worst);
      expected.push_back({position, cross, alpha * cross + (1 - static_cast<double>(alpha)) * scaled});
    }
    std::ranges::stable_sort(expected, std::greater<>(), &Expected::final_score);

    ASSERT_EQ(response.hits.size(), 6U);
    EXPECT_EQ(response.candidates, 12U);
    for (std::size_t index = 0; index < 6; ++index) {
      const SearchHit& hit = response.hits[index];
      EXPECT_EQ(hit.rank, index + 1);
      EXPECT_EQ(hit.document->id, id(candidates[expected[index].position].row.row));
      EXPECT_EQ(hit.retrieval_rank, expected[index].position + 1);
      EXPECT_EQ(hit.retrieval_score, candidates[expected[index].position].score);
      EXPECT_EQ(hit.cross_encoder_score, expected[index].cross) << "alone or in a batch";
      EXPECT_NEAR(hit.final_score, expected[index].final_score, 1e-5);
    }
    EXPECT_GT(response.times.rerank_ms, 0);
  }
}

TEST_F(RetrieverTest, CrossModeScoresEveryDocument) {
  const Retriever retriever(*collection_, std::nullopt, cross_encoder_);
  const SearchResponse response = must(retriever.search("red boat", {.mode = SearchMode::kCross, .final_top_k = 100}));
  ASSERT_EQ(response.hits.size(), kDocuments);
  EXPECT_EQ(response.candidates, kDocuments);
  std::vector<std::uint32_t> order(kDocuments);
  std::vector<float> scores(kDocuments);
  std::iota(order.begin(), order.end(), 0U);
  for (const std::uint32_t row : order) scores[row] = cross_score("red boat", row);
  std::ranges::stable_sort(order, std::greater<>(), [&](std::uint32_t row) { return scores[row]; });
  for (std::size_t index = 0; index < kDocuments; ++index) {
    const SearchHit& hit = response.hits[index];
    EXPECT_EQ(hit.document->id, id(order[index])) << "ties by lower row";
    EXPECT_EQ(hit.cross_encoder_score, scores[order[index]]);
    EXPECT_EQ(hit.final_score, scores[order[index]]);
    EXPECT_FALSE(hit.retrieval_score || hit.retrieval_rank || hit.distance);
  }
}

// 60 documents and 25 queries are more pairs than one batch, and queries straddle the batches.
TEST_F(RetrieverTest, ManyQueriesGiveWhatEachGivesAlone) {
  std::vector<std::string_view> queries;
  for (int round = 0; round < 5; ++round) {
    for (const std::string_view query : tiny_queries()) queries.push_back(query);
  }
  for (const SearchMode mode : {SearchMode::kBi, SearchMode::kCross, SearchMode::kHybrid}) {
    const SearchOptions options{.mode = mode, .initial_top_k = 37, .final_top_k = 9};
    Truncation together;
    Truncation alone;
    const std::vector<SearchResponse> responses = must(retriever_->search_many(queries, options));
    ASSERT_EQ(responses.size(), queries.size());
    for (std::size_t query = 0; query < queries.size(); ++query) {
      const SearchResponse response = must(retriever_->search(queries[query], options));
      expect_same_hits(responses[query], response);
      together += responses[query].truncation;
      alone += response.truncation;
    }
    EXPECT_EQ(together.texts, alone.texts);
    EXPECT_EQ(together.texts_truncated, alone.texts_truncated);
    EXPECT_EQ(together.tokens_dropped, alone.tokens_dropped);
  }
  EXPECT_TRUE(must(retriever_->search_many({})).empty());
}

TEST_F(RetrieverTest, CountsWhatTruncationTakesFromQueryAndPairs) {
  std::string query;
  for (int word = 0; word < 50; ++word) query += "cat ";
  const SearchResponse bi = must(retriever_->search(query, {.mode = SearchMode::kBi}));
  EXPECT_EQ(bi.truncation.texts, 1U);
  EXPECT_EQ(bi.truncation.texts_truncated, 1U);
  EXPECT_EQ(bi.truncation.tokens_dropped, 50U + 2 - 36);
  const SearchResponse hybrid = must(retriever_->search(query, {.initial_top_k = 10}));
  EXPECT_EQ(hybrid.truncation.texts, 11U);
  EXPECT_EQ(hybrid.truncation.texts_truncated, 11U);
}

TEST_F(RetrieverTest, ReportsProgressOverAllBatches) {
  std::vector<std::string_view> queries(20, "the cat");
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  bool embedded = false;
  const auto progress = [&](const Progress& report) {
    if (report.what != "reranking") {
      embedded = true;
      return;
    }
    EXPECT_GE(report.done, last);
    last = report.done;
    total = report.total;
  };
  ASSERT_TRUE(retriever_->search_many(queries, {}, {.progress = progress}));
  EXPECT_TRUE(embedded);
  EXPECT_EQ(total, 20 * kDocuments);
  EXPECT_EQ(last, total);
}

TEST_F(RetrieverTest, TakesMoreCandidatesThanThereAreDocuments) {
  const SearchResponse response =
      must(retriever_->search("the day", {.initial_top_k = 100'000, .final_top_k = 50'000}));
  EXPECT_EQ(response.hits.size(), kDocuments);
  EXPECT_EQ(response.candidates, kDocuments);
}

TEST_F(RetrieverTest, ResultsWithALowerScoreAreLeftOut) {
  for (const SearchMode mode : {SearchMode::kBi, SearchMode::kCross, SearchMode::kHybrid}) {
    SearchOptions options{.mode = mode, .initial_top_k = 30, .final_top_k = 20};
    const SearchResponse all = must(retriever_->search("red boat", options));
    options.min_score = all.hits[7].final_score;
    SearchResponse some = must(retriever_->search("red boat", options));
    ASSERT_GE(some.hits.size(), 8U);
    ASSERT_LT(some.hits.size(), 20U);
    EXPECT_GE(some.hits.back().final_score, *options.min_score);
    EXPECT_LT(all.hits[some.hits.size()].final_score, *options.min_score);
    options.min_score = all.hits[0].final_score + 1;
    some = must(retriever_->search("red boat", options));
    EXPECT_TRUE(some.hits.empty());
    EXPECT_EQ(some.candidates, all.candidates);
  }
}

TEST_F(RetrieverTest, ResultsThatTheCrossEncoderCallsImprobableAreLeftOut) {
  for (const SearchMode mode : {SearchMode::kCross, SearchMode::kHybrid}) {
    SearchOptions options{.mode = mode, .initial_top_k = 30, .final_top_k = 100};
    const SearchResponse all = must(retriever_->search("red boat", options));
    std::vector<float> logits;
    for (const SearchHit& hit : all.hits) logits.push_back(*hit.cross_encoder_score);
    std::ranges::sort(logits, std::greater<>());
    const float middle = (logits[9] + logits[10]) / 2;
    options.min_probability = 1 / (1 + std::exp(-middle));
    const SearchResponse probable = must(retriever_->search("red boat", options));
    ASSERT_EQ(probable.hits.size(), 10U);
    for (const SearchHit& hit : probable.hits) EXPECT_GT(hit.cross_encoder_score, middle);
    options.final_top_k = 5;
    EXPECT_EQ(must(retriever_->search("red boat", options)).hits.size(), 5U) << "of the probable ones";
  }
}

TEST_F(RetrieverTest, AQueryThatIsADocumentDoesNotFindItself) {
  const std::string text = document(7).full_text();
  const std::string own = id(7);
  const std::vector<std::string_view> queries{text, text, "red boat"};
  const std::vector<std::string_view> ids{own, "not a document", ""};
  for (const SearchMode mode : {SearchMode::kBi, SearchMode::kCross, SearchMode::kHybrid}) {
    const SearchOptions options{
        .mode = mode, .initial_top_k = 12, .final_top_k = 12, .drop_self = true, .query_ids = ids};
    const std::vector<SearchResponse> responses = must(retriever_->search_many(queries, options));
    ASSERT_EQ(responses[0].hits.size(), 12U) << "another takes its place";
    for (const SearchHit& hit : responses[0].hits) EXPECT_NE(hit.document->id, own);
    const bool found =
        std::ranges::any_of(responses[1].hits, [&](const SearchHit& hit) { return hit.document->id == own; });
    EXPECT_TRUE(found || mode == SearchMode::kCross);
    expect_same_hits(responses[2],
                     must(retriever_->search("red boat", {.mode = mode, .initial_top_k = 12, .final_top_k = 12})));
  }
}

TEST_F(RetrieverTest, RefusesThresholdsAndIdsThatMakeNoSense) {
  EXPECT_EQ(error_of("a", {.min_score = NAN}), "min_score is nan, want a finite number");
  EXPECT_EQ(error_of("a", {.min_probability = 1.5F}), "min_probability is 1.5, want 0 to 1");
  EXPECT_NE(error_of("a", {.mode = SearchMode::kBi, .min_probability = 0.5F}).find("cross-encoder"), std::string::npos);
  EXPECT_EQ(error_of("a", {.drop_self = true}), "drop_self goes by the ids of queries: there are 0 for 1");
}

TEST_F(RetrieverTest, RefusesOptionsThatMakeNoSense) {
  EXPECT_EQ(error_of("a", {.final_top_k = 0}), "final_top_k is 0, want at least 1");
  EXPECT_EQ(error_of("a", {.initial_top_k = 0}), "initial_top_k is 0, want at least 1");
  EXPECT_EQ(error_of("a", {.rerank_top_n = 5, .final_top_k = 6}),
            "final_top_k is 6, want at most rerank_top_n, 5: candidates that are not reranked are dropped");
  EXPECT_EQ(error_of("a", {.alpha = 1.5F}), "alpha is 1.5, want 0 to 1");
  EXPECT_EQ(error_of("a", {.alpha = NAN}), "alpha is nan, want 0 to 1");
  EXPECT_EQ(error_of("a", {.mode = SearchMode::kBi, .rerank_top_n = 5}), "no error") << "bi mode does not rerank";
}

TEST_F(RetrieverTest, SaysThatAQueryIsEmpty) {
  EXPECT_EQ(error_of("", {}), "the query is empty");
  EXPECT_EQ(error_of(" \t\u3000", {}), "the query is empty");
  const std::vector<std::string_view> queries{"a", " ", "b"};
  EXPECT_EQ(retriever_->search_many(queries).error().message, "query 2 of 3 is empty");
}

TEST_F(RetrieverTest, SaysWhichEncoderAModeNeeds) {
  const Retriever bare(*collection_, std::nullopt);
  EXPECT_EQ(bare.search("a", {.mode = SearchMode::kBi}).error().message, "this search mode needs a bi-encoder");
  EXPECT_EQ(bare.search("a", {.mode = SearchMode::kCross}).error().message, "this search mode needs a cross-encoder");
  EXPECT_EQ(Retriever(*collection_, bi_encoder_).search("a").error().message, "this search mode needs a cross-encoder");
  const CrossEncoder classifier = models_.classifier();
  EXPECT_NE(Retriever(*collection_, bi_encoder_, classifier).search("a").error().message.find("one label"),
            std::string::npos);
}

TEST_F(RetrieverTest, RefusesAnEncoderThatDidNotMakeTheCollection) {
  const BiEncoder other = models_.bi_encoder({.pooling = Pooling::kMax});
  const Retriever retriever(*collection_, other, cross_encoder_);
  EXPECT_EQ(retriever.search("a").error().code, ErrorCode::kConflict);
  EXPECT_TRUE(retriever.search("a", {.mode = SearchMode::kCross})) << "where the bi-encoder is not used";
}

TEST(RetrieverWithPublishedModels, RanksTheAnswerFirst) {
  const std::filesystem::path bi_path = published_model("all-MiniLM-L6-v2");
  const std::filesystem::path cross_path = published_model("ms-marco-MiniLM-L-12-v2");
  if (bi_path.empty() || cross_path.empty()) GTEST_SKIP() << "TANDEM_TEST_MODELS does not have the models";
  const BiEncoder bi_encoder = must(BiEncoder::open(bi_path));
  const CrossEncoder cross_encoder = must(CrossEncoder::open(cross_path));
  const TemporaryFolder folder;
  CollectionWriter writer = must(CollectionWriter::create(folder.path() / "c", bi_encoder));
  const std::vector<std::pair<std::string, std::string>> texts{
      {"museums", "Berlin is well known for its museums."},
      {"people", "Berlin had a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers."},
      {"refund", "Purchases may be returned within thirty days for a full refund."},
      {"bank", "The bank of the river was covered with reeds."},
      {"sky", "Air scatters short waves of light more than long ones, so the sky looks blue."}};
  for (const auto& [id, text] : texts) {
    ASSERT_TRUE(writer.add({.id = id, .title = "", .text = text, .metadata = ""}));
  }
  EXPECT_EQ(must(writer.commit()).metric, Metric::kInnerProduct);
  const Collection collection = must(Collection::open(folder.path() / "c"));
  const Retriever retriever(collection, bi_encoder, cross_encoder);
  const std::vector<std::string_view> queries{"How many people live in Berlin?", "can I get my money back",
                                              "why is the sky blue"};
  const std::vector<std::string> answers{"people", "refund", "sky"};
  for (const SearchMode mode : {SearchMode::kBi, SearchMode::kCross, SearchMode::kHybrid}) {
    const auto responses = must(retriever.search_many(queries, {.mode = mode, .final_top_k = 2}));
    for (std::size_t query = 0; query < queries.size(); ++query) {
      EXPECT_EQ(responses[query].hits.at(0).document->id, answers[query]);
    }
    // sentence-transformers 6.2 on the same int8-rounded weights in f32: 9.085 and -3.934.
    if (mode != SearchMode::kBi) {
      EXPECT_NEAR(*responses[0].hits[0].cross_encoder_score, 9.085, 0.07);
      EXPECT_NEAR(*responses[0].hits[1].cross_encoder_score, -3.934, 0.07);
    }
  }
}

}  // namespace
}  // namespace tandem
