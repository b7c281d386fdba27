// Collections that every earlier version of the program wrote (tests/oracle/collection_versions.py) are read, and mean
// what they meant.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/testing/tiny_models.h"
#include "tandem/collection.h"
#include "tandem/corpus.h"

namespace tandem {
namespace {

class CollectionVersion : public testing::TestWithParam<int> {
 protected:
  std::filesystem::path path_ = goldens_folder() / fmt::format("collections/version-{}", GetParam());
  Collection collection_ = must(Collection::open(path_));
  TinyModels models_;
};

TEST_P(CollectionVersion, KnowsItsModelAndHowItWasMade) {
  const CollectionInfo& info = collection_.info();
  EXPECT_EQ(info.documents, 5U);
  EXPECT_EQ(info.metric, Metric::kL2);
  EXPECT_EQ(info.truncation.texts, 5U);
  EXPECT_EQ(info.recipe.encoder.model, "tiny-bert");
  const BiEncoder encoder = must(BiEncoder::open(models_.bi_folder().path(), encoder_options(info.recipe)));
  const Status status = collection_.check_encoder(encoder);
  EXPECT_TRUE(status) << status.error().message;
  EXPECT_TRUE(collection_.verify());
}

TEST_P(CollectionVersion, HoldsTheDocumentsAndTheirVectors) {
  const BiEncoder encoder = models_.bi_encoder();
  const MatrixView vectors = must(collection_.vectors(0));
  ASSERT_EQ(vectors.rows, 5U);
  CorpusReader reader = must(CorpusReader::open({(goldens_folder() / "collections/documents.jsonl").string()}));
  for (std::size_t place = 0; place < 5; ++place) {
    const Document document = *must(reader.next());
    const Document found = must(collection_.document(document.id));
    EXPECT_EQ(found.title, document.title);
    EXPECT_EQ(found.text, document.text);
    EXPECT_EQ(found.metadata, document.metadata);
    const std::string text = document.full_text("[SEP]");
    const std::string_view view = text;
    const Matrix expected = must(encoder.encode({&view, 1}, TextRole::kDocument)).vectors;
    for (std::size_t i = 0; i < vectors.columns; ++i) {
      EXPECT_NEAR(vectors.row(place)[i], expected.row(0)[i], 1e-5F);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, CollectionVersion, testing::Values(1, 2));

TEST(CollectionVersions, WhatTheFirstOneDidNotRecordIsSaidAndTakenAsItWas) {
  const Collection first = must(Collection::open(goldens_folder() / "collections/version-1"));
  EXPECT_EQ(first.info().recipe.title_separator, " ");
  EXPECT_EQ(first.info().recipe.precision, Precision::kAuto);
  EXPECT_EQ(first.info().recipe.query_prompt, std::nullopt);
  EXPECT_EQ(first.info().not_recorded,
            (std::vector<std::string>{"precision: as --precision has it", "title separator: a blank",
                                      "prompts: those of the model", "settings: those of the model"}));
  EXPECT_FALSE(first.has_checksums());

  const Collection second = must(Collection::open(goldens_folder() / "collections/version-2"));
  EXPECT_EQ(second.info().recipe.title_separator, "[SEP]");
  EXPECT_EQ(second.info().recipe.precision, Precision::kF32);
  EXPECT_EQ(second.info().recipe.query_prompt, "");
  EXPECT_TRUE(second.info().not_recorded.empty());
  EXPECT_TRUE(second.has_checksums());
}

}  // namespace
}  // namespace tandem
