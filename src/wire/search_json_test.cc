// The exact JSON of hits, times and what a search lost.
#include "wire/search_json.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "wire/compute_json.h"

namespace tandem {
namespace {

std::shared_ptr<const Document> shared(Document document) {
  return std::make_shared<const Document>(std::move(document));
}

template <class Value>
std::string json_of(const Value& value) {
  JsonWriter json;
  return write_json(json, value).take();
}

TEST(ComputeJson, TruncationIsThreeCounts) {
  EXPECT_EQ(json_of(Truncation{.texts = 12, .texts_truncated = 3, .tokens_dropped = 812}),
            R"({"texts":12,"texts_truncated":3,"tokens_dropped":812})");
}

TEST(ComputeJson, ANoteIsThereOnlyWhereThereIsOne) {
  ComputeInfo info{.precision = Precision::kBf16, .isa = "avx512_bf16", .threads = 2, .note = {}};
  EXPECT_EQ(json_of(info), R"({"precision":"bf16","isa":"avx512_bf16","threads":2})");
  info = {.precision = Precision::kF32, .isa = "avx2", .threads = 1, .note = "no \"bf16\" here"};
  EXPECT_EQ(json_of(info), R"({"precision":"f32","isa":"avx2","threads":1,"note":"no \"bf16\" here"})");
}

TEST(SearchJson, AHitOfOneStageHasNoScoresOfTheOther) {
  const SearchHit hit{.rank = 1,
                      .document = shared({.id = "a", .text = "one"}),
                      .retrieval_rank = 1,
                      .retrieval_score = 0.5F,
                      .distance = {},
                      .cross_encoder_score = {},
                      .final_score = 0.5F};
  EXPECT_EQ(json_of(hit),
            R"({"rank":1,"id":"a","text":"one","retrieval_rank":1,"retrieval_score":0.5,"final_score":0.5})");
}

TEST(SearchJson, AHitHasEverythingThatIsKnownOfIt) {
  const SearchHit hit{.rank = 2,
                      .document = shared({.id = "b", .title = "B", .text = "two", .metadata = R"({"year": 1997})"}),
                      .retrieval_rank = 7,
                      .retrieval_score = -1.25F,
                      .distance = 1.25F,
                      .cross_encoder_score = 8.5F,
                      .final_score = 0.1F};
  EXPECT_EQ(json_of(hit), R"({"rank":2,"id":"b","title":"B","text":"two","metadata":{"year": 1997},"retrieval_rank":7,)"
                          R"("retrieval_score":-1.25,"distance":1.25,"cross_encoder_score":8.5,"final_score":0.1})");
}

TEST(SearchJson, AResponseIsTheMembersOfAnObject) {
  SearchResponse response;
  SearchHit& hit = response.hits.emplace_back();
  hit.rank = 1;
  hit.document = shared({.id = "a"});
  hit.final_score = 1;
  response.candidates = 20;
  response.times = {.encode_ms = 1.5, .retrieve_ms = 0.25, .rerank_ms = 61, .total_ms = 63};
  response.truncation = {.texts = 21};
  JsonWriter json;
  write_members(json.begin_object().key("query").value("q"), response);
  EXPECT_EQ(json.end_object().take(),
            R"({"query":"q","results":[{"rank":1,"id":"a","text":"","final_score":1}],"candidates":20,)"
            R"("times":{"encode_ms":1.5,"retrieve_ms":0.25,"rerank_ms":61,"total_ms":63},)"
            R"("truncation":{"texts":21,"texts_truncated":0,"tokens_dropped":0}})");
}

TEST(SearchJson, WithoutHitsTheResultsAreAnEmptyArray) {
  JsonWriter json;
  const std::string text = write_members(json.begin_object(), SearchResponse{}).end_object().take();
  EXPECT_TRUE(text.starts_with(R"({"results":[],"candidates":0,)")) << text;
}

TEST(SearchJson, ARankingHasTheTextsThatWereRanked) {
  const Ranking ranking{.documents = {{.index = 1, .cross_encoder_score = 8.5F, .final_score = 0.75F},
                                      {.index = 0, .cross_encoder_score = -1, .final_score = 0.25F}},
                        .truncation = {}};
  const std::vector<std::string_view> documents{"one", "two"};
  const std::vector<float> initial_scores{0.5F, 0.125F};
  JsonWriter json;
  EXPECT_EQ(write_json(json, ranking, {.documents = documents}).take(),
            R"([{"rank":1,"index":1,"cross_encoder_score":8.5,"final_score":0.75,"text":"two"},)"
            R"({"rank":2,"index":0,"cross_encoder_score":-1,"final_score":0.25,"text":"one"}])");
  EXPECT_EQ(write_json(json, ranking, {.documents = documents, .initial_scores = initial_scores}).take(),
            R"([{"rank":1,"index":1,"cross_encoder_score":8.5,"initial_score":0.125,"final_score":0.75,"text":"two"},)"
            R"({"rank":2,"index":0,"cross_encoder_score":-1,"initial_score":0.5,"final_score":0.25,"text":"one"}])");
}

}  // namespace
}  // namespace tandem
