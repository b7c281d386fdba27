// Opening the encoder that a collection remembers.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/testing/tiny_models.h"
#include "tandem/bi_encoder.h"

namespace tandem {
namespace {

constexpr const char* kPoolingAlone = R"([
  {"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
  {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"}])";
constexpr const char* kNormalizing = R"([
  {"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
  {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
  {"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.models.Normalize"}])";

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
  EXPECT_TRUE(opened.normalized());
}

/// Every combination of what a caller may choose about vectors, with and without what a folder says of the same.
TEST_F(OpenEncoder, GivesTheVectorsThatTheCollectionsOwnEncoderGave) {
  const std::vector<std::string_view> texts{"the cat sat", "one fast boat is slow"};
  int combinations = 0;
  for (const bool folder_normalizes : {false, true}) {
    for (const bool folder_cuts : {false, true}) {
      models_.bi_folder().write("modules.json", folder_normalizes ? kNormalizing : kPoolingAlone);
      models_.bi_folder().write("1_Pooling/config.json", R"({"word_embedding_dimension":64})");
      models_.bi_folder().write("config_sentence_transformers.json", folder_cuts ? R"({"truncate_dim":16})" : "{}");
      for (const std::optional<bool> normalize : {std::optional<bool>(), std::optional(true), std::optional(false)}) {
        for (const std::optional<std::size_t> dimensions :
             {std::optional<std::size_t>(), std::optional<std::size_t>(8), std::optional<std::size_t>(64)}) {
          for (const std::optional<Pooling> pooling : {std::optional<Pooling>(), std::optional(Pooling::kMax)}) {
            const BiEncoder encoder =
                models_.bi_encoder({.pooling = pooling, .normalize = normalize, .dimensions = dimensions});
            const BiEncoder opened = must(open_encoder(recipe_of(encoder), folders_));
            const Matrix want = must(encoder.encode(texts)).vectors;
            const Matrix got = must(opened.encode(texts)).vectors;
            const std::string what = fmt::format(
                "folder normalises {}, cuts {}; normalize {}, dimensions {}, pooling {}", folder_normalizes,
                folder_cuts, normalize.has_value() ? *normalize + 1 : 0, dimensions.value_or(0), pooling.has_value());
            ASSERT_EQ(got.columns(), want.columns()) << what;
            for (std::size_t row = 0; row < texts.size(); ++row) {
              ASSERT_TRUE(std::ranges::equal(got.row(row), want.row(row))) << what;
            }
            EXPECT_EQ(must(opened.identity()).normalization, must(encoder.identity()).normalization) << what;
            ++combinations;
          }
        }
      }
    }
  }
  EXPECT_EQ(combinations, 72);
}

TEST_F(OpenEncoder, FindsOutHowACollectionOfBeforeWasNormalised) {
  models_.bi_folder().write("modules.json", kNormalizing);
  models_.bi_folder().write("1_Pooling/config.json", R"({"word_embedding_dimension":64})");
  for (const BiEncoderOptions& options : {BiEncoderOptions{.normalize = false}, BiEncoderOptions{.dimensions = 8}}) {
    const BiEncoder encoder = models_.bi_encoder(options);
    EmbeddingRecipe recipe = recipe_of(encoder);
    recipe.encoder.normalization.reset();
    EXPECT_EQ(must(open_encoder(recipe, folders_)).normalization(), encoder.normalization());
  }
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
