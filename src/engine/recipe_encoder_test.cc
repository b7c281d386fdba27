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

TEST_F(OpenEncoder, HasThePromptsOfBothRolesWhateverTheFolderSaysNow) {
  models_.write_prompts(R"({"query":"the ","passage":"one "})");
  const auto prompts_of = [](const BiEncoder& encoder) {
    return std::pair(std::string(encoder.prompt(TextRole::kQuery)), std::string(encoder.prompt(TextRole::kDocument)));
  };
  EXPECT_EQ(prompts_of(models_.bi_encoder()), std::pair(std::string("the "), std::string()));
  const BiEncoder by_name = models_.bi_encoder({.document_prompt = PromptChoice{.value = "passage"}});
  EXPECT_EQ(prompts_of(by_name), std::pair(std::string("the "), std::string("one ")));
  const BiEncoder by_text = models_.bi_encoder(
      {.query_prompt = PromptChoice{.value = "boat: "}, .document_prompt = PromptChoice{.value = ""}});
  EXPECT_EQ(prompts_of(by_text), std::pair(std::string("boat: "), std::string()));

  std::vector<EmbeddingRecipe> recipes;
  for (const BiEncoder* encoder : {&by_name, &by_text}) {
    EmbeddingRecipe& recipe = recipes.emplace_back(recipe_of(*encoder));
    recipe.query_prompt = encoder->prompt(TextRole::kQuery);
    recipe.document_prompt = encoder->prompt(TextRole::kDocument);
  }
  models_.write_prompts(R"({"query":"slow ","document":"slow "})");
  EXPECT_EQ(prompts_of(must(open_encoder(recipes[0], folders_))), prompts_of(by_name));
  EXPECT_EQ(prompts_of(must(open_encoder(recipes[1], folders_))), prompts_of(by_text));
}

TEST_F(OpenEncoder, AMisspeltPromptIsNoText) {
  models_.write_prompts(R"({"query":"the ","passage":"one "})");
  const Result<BiEncoder> encoder =
      BiEncoder::open(models_.bi_folder().path(), {.compute = {}, .document_prompt = PromptChoice{.value = "pasage"}});
  ASSERT_FALSE(encoder.has_value());
  EXPECT_EQ(encoder.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(encoder.error().message.find("no prompt is named 'pasage': its prompts are passage, query"),
            std::string::npos)
      << encoder.error().message;
  EXPECT_EQ(
      models_.bi_encoder({.query_prompt = PromptChoice{.value = "pasage", .is_text = true}}).prompt(TextRole::kQuery),
      "pasage");
}

TEST_F(OpenEncoder, VectorsAreComparedAsTheFolderDeclares) {
  const auto metric = [&](const char* similarity, const BiEncoderOptions& options = {}) {
    models_.write_prompts("{}");
    models_.bi_folder().write("config_sentence_transformers.json",
                              fmt::format(R"({{"similarity_fn_name":{}}})", similarity));
    return models_.bi_encoder(options).metric();
  };
  EXPECT_EQ(must(metric("null")), Metric::kL2);
  EXPECT_EQ(must(metric("null", {.normalize = true})), Metric::kInnerProduct);
  EXPECT_EQ(must(metric(R"("dot")")), Metric::kInnerProduct);
  EXPECT_EQ(must(metric(R"("cosine")")), Metric::kCosine);
  EXPECT_EQ(must(metric(R"("cosine")", {.normalize = true})), Metric::kInnerProduct);
  EXPECT_EQ(must(metric(R"("euclidean")")), Metric::kL2);
  const Result<Metric> refused = metric(R"("manhattan")");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(refused.error().message.find("'manhattan' (similarity_fn_name)"), std::string::npos);
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
