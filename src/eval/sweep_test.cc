#include "tandem/sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <set>

#include "engine/testing/tiny_models.h"
#include "index/vector_search.h"
#include "tandem/search_run.h"

namespace tandem {
namespace {

constexpr std::size_t kDocuments = 60;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

/// Questions in words of the tiny models, each with two or three judged documents.
class SweepTest : public testing::Test {
 protected:
  SweepTest() {
    const std::vector<std::string> texts{"the cat",        "fast boat?",   "search the water", "what is a red night",
                                         "one slow model", "day and night"};
    for (std::size_t number = 0; number < texts.size(); ++number) {
      const std::string id = "q" + std::to_string(number);
      queries_.push_back({.id = id, .text = texts[number]});
      judge(id, (number * 7) % kDocuments, 2);
      judge(id, (number * 11 + 3) % kDocuments, 1);
      judge(id, (number * 13 + 5) % kDocuments, 0);
    }
    stages_.push_back({.name = "bi", .bi_encoder = &bi_encoder_});
  }

  void judge(const std::string& query, std::size_t document, std::int32_t relevance) {
    ASSERT_TRUE(qrels_.add(query, "d" + std::to_string(document), relevance));
  }

  SweepInput input() const {
    return {.documents = documents_,
            .queries = queries_,
            .qrels = &qrels_,
            .first_stages = stages_,
            .cross_encoder = &cross_encoder_};
  }

  /// Without the cross-encoder over everything, unless a test asks for it.
  static SweepOptions options() {
    SweepOptions options;
    options.depths = {20, 10, 5};
    options.cross_only = false;
    options.bootstrap.resamples = 100;
    return options;
  }

  Result<SweepResult> sweep_with(const SweepInput& input, const SweepOptions& options) {
    EncoderCache cache = must(EncoderCache::in_memory());
    return sweep(input, options, cache);
  }

  std::string error_of(const SweepInput& input, const SweepOptions& options, ErrorCode code) {
    const auto result = sweep_with(input, options);
    if (result) return "no error";
    EXPECT_EQ(result.error().code, code) << result.error().message;
    return result.error().message;
  }

  /// Metrics of what the Retriever finds with the same setting.
  Evaluation expected(const PipelineSetting& setting, const std::vector<RankingMetric>& metrics,
                      bool drop_self = false) {
    CollectionWriter writer = must(CollectionWriter::create(folder_.path() / "c", bi_encoder_));
    for (const Document& document : documents_) must_succeed(writer.add(document));
    must(writer.commit());
    const Collection collection = must(Collection::open(folder_.path() / "c"));
    const Retriever retriever(collection, bi_encoder_, cross_encoder_);
    SearchOptions search{.mode = setting.mode, .final_top_k = 20, .alpha = setting.alpha};
    if (setting.mode == SearchMode::kHybrid) search.initial_top_k = search.final_top_k = setting.candidates;
    search.drop_self = drop_self;
    return must(evaluate(must(search_run(retriever, queries_, search)).run, qrels_, metrics));
  }

  static void must_succeed(const Status& status) {
    if (!status) throw std::runtime_error(status.error().message);
  }

  static bool remarked(const SweepResult& result, std::string_view part) {
    return std::ranges::any_of(result.remarks, [&](const std::string& remark) { return contains(remark, part); });
  }

  TinyModels models_;
  TemporaryFolder folder_;
  BiEncoder bi_encoder_ = models_.bi_encoder();
  CrossEncoder cross_encoder_ = models_.cross_encoder();
  std::vector<Document> documents_ = tiny_documents(kDocuments);
  std::vector<SweepQuery> queries_;
  Qrels qrels_;
  std::vector<SweepStage> stages_;
};

TEST_F(SweepTest, EverySettingIsMeasuredAsWhatTheRetrieverFinds) {
  SweepOptions wanted = options();
  wanted.alphas = {1.0F, 0.7F, 0.0F};
  wanted.cross_only = true;
  const SweepResult result = must(sweep_with(input(), wanted));
  ASSERT_EQ(result.settings.size(), 1U + 3 * 3 + 1);
  for (const SettingResult& setting : result.settings) {
    const Evaluation evaluation = expected(setting.setting, result.metrics);
    EXPECT_EQ(result.query_ids, evaluation.query_ids);
    EXPECT_EQ(setting.values, evaluation.values) << setting.setting.name();
    EXPECT_EQ(setting.means, evaluation.means) << setting.setting.name();
  }
  EXPECT_EQ(result.settings[0].setting.name(), "bi");
  EXPECT_EQ(result.settings[2].setting.name(), "bi + cross, top 20, alpha 0.7");
  EXPECT_EQ(result.settings.back().setting.name(), "cross over all");
  EXPECT_EQ(result.documents, kDocuments);
}

TEST_F(SweepTest, AQueryThatIsADocumentDoesNotFindItself) {
  for (const std::size_t number : {7U, 20U}) {
    queries_.push_back({.id = documents_[number].id, .text = documents_[number].full_text()});
    judge(documents_[number].id, number, 1);  // What it finds of itself would show.
    judge(documents_[number].id, number + 1, 1);
  }
  SweepOptions wanted = options();
  wanted.cross_only = true;
  wanted.drop_self = true;
  const SweepResult result = must(sweep_with(input(), wanted));
  wanted.drop_self = false;
  EXPECT_NE(result.settings[0].values, must(sweep_with(input(), wanted)).settings[0].values);
  for (const SettingResult& setting : result.settings) {
    EXPECT_EQ(setting.values, expected(setting.setting, result.metrics, /*drop_self=*/true).values)
        << setting.setting.name();
  }
}

TEST_F(SweepTest, EachTextIsEncodedAndEachPairScoredOnce) {
  const BiEncoder other = models_.bi_encoder({.pooling = Pooling::kCls});
  stages_.push_back({.name = "cls", .bi_encoder = &other});
  std::set<std::pair<std::string, std::string>> pairs;
  for (const BiEncoder* encoder : std::initializer_list<const BiEncoder*>{&bi_encoder_, &other}) {
    std::vector<std::string> texts;
    for (const Document& document : documents_) texts.push_back(document.full_text());
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    const Embeddings embeddings = must(encoder->encode(views, TextRole::kDocument));
    const VectorSearch search = must(VectorSearch::over(embeddings.vectors, Metric::kL2));
    for (const SweepQuery& query : queries_) {
      const std::string_view text = query.text;
      const Embeddings embedded = must(encoder->encode({&text, 1}, TextRole::kQuery));
      const std::vector<std::vector<VectorHit>> hits = must(search.search(embedded.vectors, 20, Executor()));
      for (const VectorHit& hit : hits[0]) {
        pairs.insert({query.text, texts[hit.row.row]});
      }
    }
  }
  std::set<std::string> texts;
  for (const Document& document : documents_) texts.insert(document.full_text());
  const SweepResult result = must(sweep_with(input(), options()));
  EXPECT_EQ(result.counts.texts_computed, 2 * (texts.size() + queries_.size()));
  EXPECT_EQ(result.counts.pairs_computed, pairs.size());

  SweepOptions everything = options();
  everything.cross_only = true;
  const SweepResult all = must(sweep_with(input(), everything));
  EXPECT_EQ(all.counts.pairs_computed, texts.size() * queries_.size());
}

TEST_F(SweepTest, VectorsThatExistAreNotComputedAgain) {
  CollectionWriter writer = must(CollectionWriter::create(folder_.path() / "c", bi_encoder_));
  for (const Document& document : documents_) must_succeed(writer.add(document));
  must(writer.commit());
  const Collection collection = must(Collection::open(folder_.path() / "c"));
  const SweepResult before = must(sweep_with(input(), options()));
  stages_[0].collection = &collection;
  const SweepResult after = must(sweep_with(input(), options()));
  EXPECT_EQ(after.counts.texts_computed, queries_.size());
  EXPECT_EQ(after.documents_encode_ms, 0);
  EXPECT_GT(before.documents_encode_ms, 0);
  for (std::size_t i = 0; i < before.settings.size(); ++i) {
    EXPECT_EQ(after.settings[i].values, before.settings[i].values);
  }
  documents_.pop_back();
  EXPECT_TRUE(contains(error_of(input(), options(), ErrorCode::kInvalidArgument),
                       "the collection has 60 vectors of 64 dimensions, want 59 of 64"));
}

TEST_F(SweepTest, TimesAddUpToWhatThePairsCost) {
  const SweepResult result = must(sweep_with(input(), options()));
  const auto find = [&](std::size_t depth) {
    return *std::ranges::find_if(result.settings, [&](const SettingResult& each) {
      return each.setting.candidates == depth && each.setting.alpha == 1;
    });
  };
  for (std::size_t query = 0; query < queries_.size(); ++query) {
    EXPECT_EQ(result.settings[0].times[query].rerank_ms, 0);
    EXPECT_GT(find(5).times[query].rerank_ms, 0);
    EXPECT_GT(find(10).times[query].rerank_ms, find(5).times[query].rerank_ms);
    EXPECT_GT(find(20).times[query].rerank_ms, find(10).times[query].rerank_ms);
    EXPECT_EQ(find(20).times[query].encode_ms, result.settings[0].times[query].encode_ms);
  }
  EXPECT_GT(result.pair_ms, 0);
  const SettingResult& deepest = find(20);
  EXPECT_LE(deepest.total.p50, deepest.total.p95);
  EXPECT_LE(deepest.total.p95, deepest.total.p99);
  EXPECT_NEAR(deepest.total.mean, deepest.encode.mean + deepest.retrieve.mean + deepest.rerank.mean, 1e-9);
}

TEST_F(SweepTest, ARunIsRerankedInItsOwnOrder) {
  tandem::Run run;
  for (const SweepQuery& query : queries_) {
    for (int i = 0; i < 12; ++i) must_succeed(run.add(query.id, "d" + std::to_string(i * 4), 12 - i));
  }
  must_succeed(run.add("q0", "nobody", 100));
  stages_ = {{.name = "BM25", .run = &run}};
  SweepOptions wanted = options();
  wanted.depths = {10};
  const SweepResult result = must(sweep_with(input(), wanted));
  ASSERT_EQ(result.settings.size(), 3U);
  tandem::Run reranked;
  for (const SweepQuery& query : queries_) {
    std::vector<std::string> owned;
    std::vector<float> initial;
    for (int i = 0; i < 10; ++i) {
      owned.push_back(documents_[static_cast<std::size_t>(i) * 4].full_text());
      initial.push_back(static_cast<float>(12 - i));
    }
    const std::vector<std::string_view> texts(owned.begin(), owned.end());
    const Ranking ranking = must(cross_encoder_.rank(query.text, texts, {.initial_scores = initial, .alpha = 0.7F}));
    for (const RankedDocument& each : ranking.documents) {
      must_succeed(reranked.add(query.id, "d" + std::to_string(each.index * 4), each.final_score));
    }
  }
  EXPECT_EQ(result.settings[2].values, must(evaluate(reranked, qrels_, result.metrics)).values);
  EXPECT_TRUE(remarked(result, "BM25: 1 of 73 results are not among the documents"));
  EXPECT_TRUE(remarked(result, "the time of finding them is not known"));
  EXPECT_EQ(result.settings[0].total.mean, 0);
}

TEST_F(SweepTest, CeilingsAreThoseOfTheBestOrder) {
  tandem::Run run;
  must_succeed(run.add("q0", "d1", 4));
  must_succeed(run.add("q0", "d3", 3));  // Relevance 1.
  must_succeed(run.add("q0", "d0", 2));  // Relevance 2.
  queries_.resize(1);
  stages_ = {{.name = "BM25", .run = &run}};
  SweepOptions wanted = options();
  wanted.depths = {3, 2, 1};
  wanted.metrics = {{RankingMeasure::kMrr, 0}, {RankingMeasure::kNdcg, 0}};
  const SweepResult result = must(sweep_with(input(), wanted));
  ASSERT_EQ(result.ceilings.size(), 3U);
  EXPECT_EQ(result.ceilings[0].means, (std::vector<double>{1, 1}));
  EXPECT_EQ(result.ceilings[0].recall, 1);
  EXPECT_EQ(result.ceilings[1].means[0], 1);
  EXPECT_LT(result.ceilings[1].means[1], 0.5);
  EXPECT_EQ(result.ceilings[1].recall, 0.5);
  EXPECT_EQ(result.ceilings[2].means, (std::vector<double>{0, 0}));
}

TEST_F(SweepTest, AnswersAreFoundOrLostInOneOfTheStages) {
  tandem::Run run;
  must_succeed(run.add("q0", "d0", 3));  // Relevant and first.
  must_succeed(run.add("q1", "d1", 3));  // d7 is relevant, and third.
  must_succeed(run.add("q1", "d2", 2));
  must_succeed(run.add("q1", "d7", 1));
  must_succeed(run.add("q2", "d1", 1));  // Nothing relevant.
  queries_.resize(3);
  queries_.push_back({.id = "none", .text = "a cat"});
  judge("none", 1, 0);
  must_succeed(run.add("none", "d1", 1));
  stages_ = {{.name = "run", .run = &run}};
  SweepInput wanted = input();
  wanted.cross_encoder = nullptr;
  SweepOptions one_result = options();
  one_result.results = 1;
  const SweepResult result = must(sweep_with(wanted, one_result));
  ASSERT_EQ(result.settings.size(), 1U);
  EXPECT_EQ(result.settings[0].answers.found, 1U);
  EXPECT_EQ(result.settings[0].answers.in_ranking, 1U);
  EXPECT_EQ(result.settings[0].answers.in_retrieval, 1U);
  EXPECT_TRUE(remarked(result, "1 query has no relevant document"));
}

TEST_F(SweepTest, DrawnQueriesAreTheSameForASeed) {
  SweepOptions wanted = options();
  wanted.queries_max = 4;
  wanted.seed = 7;
  const SweepResult once = must(sweep_with(input(), wanted));
  EXPECT_EQ(once.query_ids, must(sweep_with(input(), wanted)).query_ids);
  EXPECT_EQ(once.query_ids.size(), 4U);
  EXPECT_TRUE(remarked(once, "4 of 6 judged queries were drawn with seed 7"));
  wanted.queries_max = 2;
  const SweepResult fewer = must(sweep_with(input(), wanted));
  EXPECT_TRUE(std::ranges::equal(fewer.query_ids, std::span(once.query_ids).first(2)));
}

TEST_F(SweepTest, ABudgetLeavesAFewQueriesWithAllOfTheirJudgedDocuments) {
  documents_ = tiny_documents(2000);
  SweepOptions wanted = options();
  wanted.cross_only = true;
  wanted.depths = {5};  // Fewer than the judged documents, so that pairs are left to score.
  wanted.budget_s = 1e-6;
  const SweepResult result = must(sweep_with(input(), wanted));
  EXPECT_EQ(result.query_ids.size(), 5U);
  std::set<std::string_view> judged;
  for (const std::string& query : result.query_ids) {
    for (const Judgement& judgement : qrels_.judgements_of(query)) judged.insert(judgement.document_id);
  }
  EXPECT_EQ(result.documents, judged.size());
  EXPECT_TRUE(remarked(result, "Encoding all 2000 documents takes more than half of the budget"));
  EXPECT_TRUE(remarked(result, std::to_string(judged.size()) + " judged for 5 queries and 0 others"));
  EXPECT_TRUE(remarked(result, "1 query was left out: documents judged for it were not reached"));
  EXPECT_TRUE(remarked(result, "The cross-encoder over all"));
  EXPECT_EQ(result.settings.back().setting.mode, SearchMode::kHybrid);
  for (const SettingResult& setting : result.settings) {
    EXPECT_EQ(setting.times.size(), 5U);
    for (const std::vector<double>& values : setting.values) EXPECT_EQ(values.size(), 5U);
  }
}

TEST_F(SweepTest, ABudgetEndsAfterAFewQueries) {
  tandem::Run run;
  for (const SweepQuery& query : queries_) must_succeed(run.add(query.id, "d1", 1));
  stages_ = {{.name = "run", .run = &run}};
  SweepOptions wanted = options();
  wanted.budget_s = 1e-6;
  const SweepResult result = must(sweep_with(input(), wanted));
  EXPECT_EQ(result.query_ids.size(), 5U);
  EXPECT_EQ(result.documents, kDocuments) << "there is nothing to encode";
  EXPECT_TRUE(remarked(result, "The budget of 1e-06 s ended after 5 of 6 queries"));
}

TEST_F(SweepTest, DepthsThatABudgetHasNoRoomForAreLeftOut) {
  EncoderCache cache = must(EncoderCache::in_memory());
  SweepOptions wanted = options();
  wanted.budget_s = 1e-6;
  const SweepResult result = must(sweep(input(), wanted, cache));
  // With the first of five queries, each 5 pairs; the 10 then ask for 5 more, and for 10 of each of the others.
  EXPECT_TRUE(remarked(result, "Reranking the top 10, 20 was left out: for 5 queries, 45 more pairs at "));
  EXPECT_EQ(result.counts.pairs_computed, 25U);
  std::vector<std::string> names;
  for (const SettingResult& setting : result.settings) {
    names.push_back(setting.setting.name());
    EXPECT_EQ(setting.times.size(), 5U) << names.back();
  }
  EXPECT_EQ(names, (std::vector<std::string>{"bi", "bi + cross, top 5, alpha 1", "bi + cross, top 5, alpha 0.7"}));
  EXPECT_EQ(result.ceilings.size(), wanted.depths.size()) << "they cost nothing";
}

TEST_F(SweepTest, ADepthThatOneFirstStageHasNoRoomForIsLeftOutOfAll) {
  tandem::Run run;
  for (const SweepQuery& query : queries_) {
    for (std::size_t document = 0; document < 30; ++document) {
      must_succeed(run.add(query.id, "d" + std::to_string(document), static_cast<double>(document)));
    }
  }
  const SweepStage known{.name = "run", .run = &run};
  const SweepStage unknown{.name = "bi", .bi_encoder = &bi_encoder_};
  EncoderCache cache = must(EncoderCache::in_memory());
  SweepOptions wanted = options();
  wanted.depths = {20, 5};
  stages_ = {known};
  EXPECT_EQ(must(sweep(input(), wanted, cache)).settings.size(), 5U);
  stages_ = {known, unknown};
  wanted.budget_s = 1e-6;
  const SweepResult result = must(sweep(input(), wanted, cache));
  EXPECT_TRUE(remarked(result, "Reranking the top 20 was left out"));
  ASSERT_EQ(result.settings.size(), 6U);
  for (const SettingResult& setting : result.settings) {
    EXPECT_EQ(setting.setting.candidates, setting.setting.mode == SearchMode::kHybrid ? 5U : 0U);
    EXPECT_EQ(setting.times.size(), 5U);
  }
}

TEST_F(SweepTest, ProgressExpectsTheQueriesThatTheBudgetHasTimeFor) {
  EncoderCache cache = must(EncoderCache::in_memory());
  SweepOptions wanted = options();
  std::set<std::uint64_t> totals;
  const ProgressCallback progress = [&](const Progress& progress) {
    if (progress.what == "answering") totals.insert(progress.total);
  };
  must(sweep(input(), wanted, cache, {.progress = progress}));
  EXPECT_EQ(totals, std::set<std::uint64_t>{6});
  totals.clear();
  wanted.budget_s = 1e-6;
  must(sweep(input(), wanted, cache, {.progress = progress}));
  EXPECT_EQ(totals, std::set<std::uint64_t>{5});
}

TEST_F(SweepTest, WhatTheCacheHasFitsIntoAnyBudget) {
  EncoderCache cache = must(EncoderCache::in_memory());
  SweepOptions wanted = options();
  wanted.cross_only = true;
  const std::size_t settings = must(sweep(input(), wanted, cache)).settings.size();
  wanted.budget_s = 1e-6;
  const SweepResult result = must(sweep(input(), wanted, cache));
  EXPECT_EQ(result.counts.pairs_computed, 0U);
  EXPECT_EQ(result.settings.size(), settings);
  EXPECT_EQ(result.settings.back().setting.mode, SearchMode::kCross);
}

// To look up what the cache has of every query with every document takes time too.
TEST_F(SweepTest, ABudgetIsNotSpentOnLookingForWhatItHasNoRoomFor) {
  documents_ = tiny_documents(20'000);
  tandem::Run run;
  for (const SweepQuery& query : queries_) must_succeed(run.add(query.id, "d1", 1));
  stages_ = {{.name = "run", .run = &run}};  // So that all documents are kept: there is nothing to encode.
  SweepOptions wanted = options();
  wanted.budget_s = 1e-6;
  const auto cpu_ms = [&](bool cross_only) {
    wanted.cross_only = cross_only;
    const std::clock_t start = std::clock();
    const SweepResult result = must(sweep_with(input(), wanted));
    EXPECT_EQ(result.documents, documents_.size());
    EXPECT_EQ(result.counts.pairs_computed, 5U);
    EXPECT_EQ(cross_only, remarked(result, "The cross-encoder over all 20000 documents was left out: about "));
    return 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  constexpr double kFloorMs = 20;
  EXPECT_LT(cpu_ms(true), 3 * std::max(cpu_ms(false), kFloorMs));
}

TEST_F(SweepTest, WhatTheCacheHasIsLookedUpNoLongerThanTheBudgetAllows) {
  documents_ = tiny_documents(15'000);
  for (std::size_t place = 0; place < documents_.size(); ++place) documents_[place].text = place % 2 == 0 ? "a" : "b";
  tandem::Run run;
  for (const SweepQuery& query : queries_) must_succeed(run.add(query.id, "d1", 1));
  stages_ = {{.name = "run", .run = &run}};
  EncoderCache cache = must(EncoderCache::in_memory());
  SweepOptions wanted = options();
  wanted.cross_only = true;
  must(sweep(input(), wanted, cache));
  wanted.budget_s = 1e-6;
  const SweepResult result = must(sweep(input(), wanted, cache));
  EXPECT_EQ(result.counts.pairs_computed, 0U);
  EXPECT_TRUE(remarked(result,
                       "The cross-encoder over all 15000 documents was left out: looking up which of its 75000 "
                       "pairs are known takes longer than the budget has room for."));
}

TEST_F(SweepTest, ALargeBudgetChangesNothing) {
  SweepOptions wanted = options();
  wanted.budget_s = 3600;
  const SweepResult result = must(sweep_with(input(), wanted));
  const SweepResult without = must(sweep_with(input(), options()));
  EXPECT_EQ(result.documents, kDocuments);
  ASSERT_EQ(result.settings.size(), without.settings.size());
  for (std::size_t i = 0; i < result.settings.size(); ++i) {
    EXPECT_NEAR(result.settings[i].means[0], without.settings[i].means[0], 1e-12);
  }
}

TEST_F(SweepTest, UnjudgedQueriesAndMissingAnswersAreRemarked) {
  queries_.push_back({.id = "unknown", .text = "a day"});
  judge("q1", 4000, 1);
  const SweepResult result = must(sweep_with(input(), options()));
  EXPECT_EQ(result.query_ids.size(), 6U);
  EXPECT_TRUE(remarked(result, "1 query has no judgement: left out."));
  EXPECT_TRUE(remarked(result, "1 relevant answer is not among the documents"));
  EXPECT_TRUE(remarked(result, "The intervals are too narrow: they come from 6 queries."));
  SweepOptions deep = options();
  deep.metrics = {{RankingMeasure::kRecall, 100}};
  EXPECT_TRUE(remarked(must(sweep_with(input(), deep)), "recall@100 looks at more than the 20 results"));
}

TEST_F(SweepTest, RefusesInputThatContradictsItself) {
  const auto refused = [&](const SweepInput& input) { return error_of(input, options(), ErrorCode::kInvalidArgument); };
  const auto conflict = [&](const SweepInput& input) { return error_of(input, options(), ErrorCode::kConflict); };
  SweepInput wrong = input();
  wrong.qrels = nullptr;
  EXPECT_TRUE(contains(refused(wrong), "no judgements"));
  wrong = input();
  wrong.documents = {};
  EXPECT_TRUE(contains(refused(wrong), "no documents"));
  wrong = input();
  wrong.first_stages = {};
  EXPECT_TRUE(contains(refused(wrong), "no first stage"));
  const CrossEncoder classifier = models_.classifier();
  wrong = input();
  wrong.cross_encoder = &classifier;
  EXPECT_TRUE(contains(refused(wrong), "one label, this one has 3"));

  const std::vector<SweepStage> neither{{.name = "bi"}};
  wrong = input();
  wrong.first_stages = neither;
  EXPECT_TRUE(contains(refused(wrong), "bi: the first stage has neither"));
  stages_.push_back(stages_.front());
  EXPECT_TRUE(contains(refused(input()), "a first stage is called 'bi': want names that differ"));
  stages_.pop_back();

  tandem::Run run;
  must_succeed(run.add("q0", "nobody", 1));
  const std::vector<SweepStage> unknown{{.name = "BM25", .run = &run}};
  wrong = input();
  wrong.first_stages = unknown;
  EXPECT_TRUE(contains(conflict(wrong), "BM25: none of its 1 result for these queries is among the documents"));

  queries_.push_back(queries_.front());
  EXPECT_TRUE(contains(conflict(input()), "two queries have the id 'q0'"));
  queries_ = {{.id = "other", .text = "a cat"}};
  EXPECT_TRUE(contains(conflict(input()), "none of the 1 queries is among the 6 that are judged"));
  queries_ = {{.id = "q0", .text = " "}};
  EXPECT_TRUE(contains(refused(input()), "query 'q0' is empty"));
  documents_.push_back(documents_.front());
  EXPECT_TRUE(contains(conflict(input()), "two documents have the id 'd0'"));
}

TEST_F(SweepTest, RefusesOptionsThatMakeNoSense) {
  const auto refused = [&](void (*change)(SweepOptions&)) {
    SweepOptions wrong = options();
    change(wrong);
    return error_of(input(), wrong, ErrorCode::kInvalidArgument);
  };
  EXPECT_TRUE(contains(refused([](SweepOptions& o) { o.depths = {10, 0}; }), "a depth is 0"));
  EXPECT_TRUE(contains(refused([](SweepOptions& o) { o.depths = {}; }), "no depth"));
  EXPECT_TRUE(contains(refused([](SweepOptions& o) { o.alphas = {0.5F, 1.5F}; }), "alpha is 1.5, want 0 to 1"));
  EXPECT_TRUE(contains(refused([](SweepOptions& o) { o.alphas = {}; }), "no alpha"));
  EXPECT_TRUE(contains(refused([](SweepOptions& o) { o.relevance_level = 0; }), "the relevance level is 0"));
  EXPECT_TRUE(contains(refused([](SweepOptions& o) { o.bootstrap.confidence = 2; }), "confidence"));
  EXPECT_TRUE(contains(refused([](SweepOptions& o) { o.results = 0; }), "results is 0"));
  EXPECT_TRUE(contains(refused([](SweepOptions& o) { o.budget_s = -1; }), "the budget is -1 s"));
  EXPECT_TRUE(contains(refused([](SweepOptions& o) { o.budget_s = 1e300; }), "at most 1e+09"));
}

}  // namespace
}  // namespace tandem
