#include "tandem/encoder_cache.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "engine/testing/tiny_models.h"

namespace tandem {
namespace {

/// All different.
std::vector<std::string> texts_of(std::size_t count) {
  std::vector<std::string> texts;
  for (const Document& document : tiny_documents(count)) texts.push_back(document.full_text() + " " + document.id);
  return texts;
}

void expect_same_rows(MatrixView a, MatrixView b) {
  ASSERT_EQ(a.rows, b.rows);
  ASSERT_EQ(a.columns, b.columns);
  for (std::size_t row = 0; row < a.rows; ++row) EXPECT_TRUE(std::ranges::equal(a.row(row), b.row(row))) << row;
}

class EncoderCacheTest : public testing::Test {
 protected:
  TinyModels models_;
  TemporaryFolder folder_;
  BiEncoder bi_encoder_ = models_.bi_encoder();
  CrossEncoder cross_encoder_ = models_.cross_encoder();
  std::filesystem::path file_ = folder_.path() / "values.cache";
  std::vector<std::string> owned_ = texts_of(300);  // More than one batch.
  std::vector<std::string_view> texts_{owned_.begin(), owned_.end()};
};

TEST_F(EncoderCacheTest, VectorsHaveTheBitsOfTheEncoder) {
  EncoderCache cache = must(EncoderCache::in_memory());
  const Embeddings expected = must(bi_encoder_.encode(texts_, TextRole::kDocument));
  for (int time = 0; time < 2; ++time) {
    const CachedEmbeddings cached = must(cache.encode(bi_encoder_, texts_, TextRole::kDocument));
    expect_same_rows(cached.vectors, expected.vectors);
    EXPECT_EQ(cached.cost_ms.size(), texts_.size());
    EXPECT_TRUE(std::ranges::all_of(cached.cost_ms, [](double cost) { return cost > 0; }));
  }
}

TEST_F(EncoderCacheTest, ScoresHaveTheBitsOfTheEncoder) {
  EncoderCache cache = must(EncoderCache::in_memory());
  std::vector<TextPair> pairs;
  for (const std::string_view text : texts_) pairs.push_back({"the red boat", text});
  const PairScores expected = must(cross_encoder_.predict(pairs));
  for (int time = 0; time < 2; ++time) {
    const CachedScores cached = must(cache.predict(cross_encoder_, pairs));
    EXPECT_TRUE(std::ranges::equal(cached.scores, std::span(expected.scores.data(), pairs.size())));
    EXPECT_EQ(cached.cost_ms.size(), pairs.size());
  }
}

TEST_F(EncoderCacheTest, EqualTextsAndPairsAreComputedOnce) {
  EncoderCache cache = must(EncoderCache::in_memory());
  const std::vector<std::string_view> texts{"the cat", "the mat", "the cat", "the cat"};
  const CachedEmbeddings cached = must(cache.encode(bi_encoder_, texts, TextRole::kQuery));
  EXPECT_EQ(cached.truncation.texts, 2U);
  EXPECT_EQ(cache.counts().texts_computed, 2U);
  EXPECT_EQ(cache.counts().texts_reused, 2U);
  const std::vector<TextPair> pairs{{"a", "bc"}, {"ab", "c"}, {"a", "bc"}};
  must(cache.predict(cross_encoder_, pairs));
  must(cache.predict(cross_encoder_, pairs));
  EXPECT_EQ(cache.counts().pairs_computed, 2U) << "a pair is more than its letters";
  EXPECT_EQ(cache.counts().pairs_reused, 4U);
}

TEST_F(EncoderCacheTest, PairsThatAreMissingAreCounted) {
  EncoderCache cache = must(EncoderCache::in_memory());
  const std::vector<TextPair> pairs{{"the cat", "the mat"}, {"the cat", "the boat"}, {"the cat", "the night"}};
  EXPECT_EQ(must(cache.count_missing(cross_encoder_, pairs)), 3U);
  must(cache.predict(cross_encoder_, std::span(pairs).first(2)));
  EXPECT_EQ(must(cache.count_missing(cross_encoder_, pairs)), 1U);
  EXPECT_EQ(cache.counts().pairs_computed, 2U);
}

TEST_F(EncoderCacheTest, NothingIsMistakenForWhatAnotherEncoderComputed) {
  EncoderCache cache = must(EncoderCache::in_memory());
  const std::vector<std::string_view> texts{"the cat sat"};
  for (const BiEncoderOptions& options :
       {BiEncoderOptions{}, BiEncoderOptions{.max_length = 4}, BiEncoderOptions{.pooling = Pooling::kCls},
        BiEncoderOptions{.normalize = true}, BiEncoderOptions{.dimensions = 8}}) {
    const BiEncoder encoder = models_.bi_encoder(options);
    const CachedEmbeddings cached = must(cache.encode(encoder, texts, TextRole::kPlain));
    expect_same_rows(cached.vectors, must(encoder.encode(texts)).vectors);
  }
  const BiEncoder int8 =
      must(BiEncoder::open(models_.bi_folder().path(), {.compute = {.precision = Precision::kInt8}}));
  expect_same_rows(must(cache.encode(int8, texts, TextRole::kPlain)).vectors, must(int8.encode(texts)).vectors);
  EXPECT_EQ(cache.counts().texts_computed, 6U);
  EXPECT_EQ(cache.counts().texts_reused, 0U);
}

TEST_F(EncoderCacheTest, AReopenedFileHasEverything) {
  CachedEmbeddings before;
  {
    EncoderCache cache = must(EncoderCache::open(file_));
    before = must(cache.encode(bi_encoder_, texts_, TextRole::kDocument));
  }
  EncoderCache cache = must(EncoderCache::open(file_));
  const CachedEmbeddings after = must(cache.encode(bi_encoder_, texts_, TextRole::kDocument));
  expect_same_rows(after.vectors, before.vectors);
  EXPECT_EQ(after.cost_ms, before.cost_ms);
  EXPECT_EQ(after.truncation.texts, 0U);
  EXPECT_EQ(cache.counts().texts_computed, 0U);
  EXPECT_EQ(cache.counts().texts_reused, texts_.size());
}

TEST_F(EncoderCacheTest, AKilledProcessLeavesItsBatches) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Threads do not outlive a fork: the child has encoders of its own.
    const BiEncoder encoder = models_.bi_encoder({.compute = {.executor = Executor(1)}});
    EncoderCache cache = must(EncoderCache::open(file_));
    static_cast<void>(cache.encode(encoder, texts_, TextRole::kDocument, {.progress = [](const Progress& progress) {
                                     if (progress.done > 256) ::raise(SIGKILL);  // The first batch is over.
                                   }}));
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EncoderCache cache = must(EncoderCache::open(file_));
  const BiEncoder encoder = models_.bi_encoder({.compute = {.executor = Executor(1)}});
  const CachedEmbeddings cached = must(cache.encode(encoder, texts_, TextRole::kDocument));
  expect_same_rows(cached.vectors, must(encoder.encode(texts_, TextRole::kDocument)).vectors);
  EXPECT_EQ(cache.counts().texts_computed, texts_.size() - 256);
  EXPECT_EQ(cache.counts().texts_reused, 256U);
}

TEST_F(EncoderCacheTest, TwoMayShareAFile) {
  EncoderCache first = must(EncoderCache::open(file_));
  EncoderCache second = must(EncoderCache::open(file_));
  must(first.encode(bi_encoder_, texts_, TextRole::kDocument));
  must(second.encode(bi_encoder_, texts_, TextRole::kDocument));
  EXPECT_EQ(second.counts().texts_computed, 0U);
}

TEST_F(EncoderCacheTest, RefusesAFileThatIsSomethingElse) {
  std::ofstream(file_) << std::string(5000, 'x');
  const auto cache = EncoderCache::open(file_);
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(cache.error().message.find("values.cache: not a file of computed values"), std::string::npos)
      << cache.error().message;
  EXPECT_EQ(std::filesystem::file_size(file_), 5000U) << "it is left as it was";

  const auto nowhere = EncoderCache::open(folder_.path() / "no" / "such");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::kNotFound);
}

TEST_F(EncoderCacheTest, DamageIsAnError) {
  {
    EncoderCache cache = must(EncoderCache::open(file_));
    must(cache.encode(bi_encoder_, texts_, TextRole::kDocument));
  }
  // Everything but the first page, which holds the schema.
  std::fstream stream(file_, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekp(4096);
  stream << std::string(std::filesystem::file_size(file_) - 4096, '\xA5');
  stream.close();
  EncoderCache cache = must(EncoderCache::open(file_));
  const auto embeddings = cache.encode(bi_encoder_, texts_, TextRole::kDocument);
  ASSERT_FALSE(embeddings);
  EXPECT_EQ(embeddings.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(embeddings.error().message.find("values.cache"), std::string::npos) << embeddings.error().message;
}

TEST_F(EncoderCacheTest, RefusesAModelWithSeveralLabels) {
  EncoderCache cache = must(EncoderCache::in_memory());
  const TextPair pair{"a", "b"};
  const auto scores = cache.predict(models_.classifier(), {&pair, 1});
  ASSERT_FALSE(scores);
  EXPECT_EQ(scores.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(scores.error().message.find("with one label, this one has 3"), std::string::npos) << scores.error().message;
}

TEST_F(EncoderCacheTest, ProgressCountsWhatIsComputed) {
  EncoderCache cache = must(EncoderCache::in_memory());
  std::uint64_t last = 0;
  must(cache.encode(bi_encoder_, std::span(texts_).first(10), TextRole::kDocument));
  must(cache.encode(bi_encoder_, texts_, TextRole::kDocument, {.progress = [&](const Progress& progress) {
                      EXPECT_GE(progress.done, last);
                      EXPECT_EQ(progress.unit, "texts");
                      last = progress.done;
                    }}));
  EXPECT_GT(last, 0U);
  EXPECT_LE(last, texts_.size() - 10);
}

}  // namespace
}  // namespace tandem
