#include "pipeline/first_stage.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace tandem {
namespace {

// A batch of vectors is at most 64 MiB: of these, 16 queries.
TEST(DenseStage, GivesEachQueryItsOwnInBatches) {
  constexpr std::size_t kDimensions = std::size_t{1} << 20;
  std::vector<std::size_t> batches;
  const EncodeQueries encode = [&](std::span<const std::string_view> queries,
                                   const CallOptions& call) -> Result<CachedEmbeddings> {
    batches.push_back(queries.size());
    call.progress({.what = "encoding", .unit = "texts", .done = queries.size(), .total = queries.size()});
    CachedEmbeddings embeddings{.vectors = Matrix(queries.size(), 1), .cost_ms = {}, .truncation = {.texts = 1}};
    for (std::size_t i = 0; i < queries.size(); ++i) {
      embeddings.vectors.row(i)[0] = std::stof(std::string(queries[i]));
      embeddings.cost_ms.push_back(2);
    }
    return embeddings;
  };
  const DenseStage::Search search = [](MatrixView vectors, std::size_t top_k, const CallOptions&) {
    std::vector<std::vector<VectorHit>> hits;
    for (std::size_t i = 0; i < vectors.rows; ++i) {
      hits.push_back(std::vector<VectorHit>(top_k, {{.row = static_cast<std::uint32_t>(vectors.row(i)[0])}, 1.0F}));
    }
    return Result<std::vector<std::vector<VectorHit>>>(hits);
  };
  std::vector<std::string> texts;
  for (int i = 0; i < 20; ++i) texts.push_back(std::to_string(i));
  std::vector<StageQuery> queries;
  for (const std::string& text : texts) queries.push_back({.text = text});
  std::vector<std::uint64_t> done;
  const CallOptions call{.progress = [&](const Progress& progress) {
    EXPECT_EQ(progress.total, 20U);
    done.push_back(progress.done);
  }};
  const auto found = DenseStage(encode, kDimensions, search).retrieve(queries, 3, call);
  ASSERT_TRUE(found);
  EXPECT_EQ(batches, (std::vector<std::size_t>{16, 4}));
  EXPECT_EQ(done, (std::vector<std::uint64_t>{16, 20}));
  std::size_t truncations = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(found->at(i).hits.size(), 3U);
    EXPECT_EQ(found->at(i).hits.front().row.row, i);
    EXPECT_EQ(found->at(i).encode_ms, 2);
    truncations += found->at(i).truncation.texts;
  }
  EXPECT_EQ(truncations, 2U);
}

}  // namespace
}  // namespace tandem
