// Opening the encoder that a collection remembers.
#include <gtest/gtest.h>

#include "engine/testing/tiny_models.h"
#include "tandem/bi_encoder.h"

namespace tandem {
namespace {

class OpenEncoder : public testing::Test {
 protected:
  static EmbeddingRecipe recipe_of(const BiEncoder& encoder) {
    EmbeddingRecipe recipe;
    recipe.encoder = must(encoder.identity());
    recipe.precision = Precision::kF32;
    return recipe;
  }

  TinyModels models_;
  ModelFolders folders_{.model = models_.bi_folder().path(), .adapter = {}};
};

TEST_F(OpenEncoder, IsTheOneOfTheRecipeWithItsSettings) {
  const EmbeddingRecipe recipe =
      recipe_of(models_.bi_encoder({.max_length = 7, .pooling = Pooling::kCls, .normalize = true, .dimensions = 8}));
  const BiEncoderIdentity opened = must(must(open_encoder(recipe, folders_)).identity());
  EXPECT_EQ(opened.weights_hash, recipe.encoder.weights_hash);
  EXPECT_EQ(opened.max_length, 7U);
  EXPECT_EQ(opened.pooling, "cls");
  EXPECT_EQ(opened.dimensions, 8U);
  EXPECT_TRUE(opened.normalized);
}

TEST_F(OpenEncoder, OtherWeightsAreAnotherEncoder) {
  EmbeddingRecipe recipe = recipe_of(models_.bi_encoder());
  recipe.encoder.model = "org/wanted";
  recipe.encoder.weights_hash = "sha256:00";
  const Result<BiEncoder> opened = open_encoder(recipe, folders_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(opened.error().message.starts_with("the collection was made by another encoder, org/wanted: "))
      << opened.error().message;
}

TEST_F(OpenEncoder, AFolderThatIsNotThereNamesTheEncoderThatIsWanted) {
  const EmbeddingRecipe recipe = recipe_of(models_.bi_encoder());
  folders_.model /= "nowhere";
  const Result<BiEncoder> opened = open_encoder(recipe, folders_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(opened.error().message.starts_with("the encoder of the collection, " + recipe.encoder.model + ": "))
      << opened.error().message;
}

}  // namespace
}  // namespace tandem
