// The exact JSON of what a collection remembers.
#include "wire/collection_json.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

/// With prompts, unless asked for one of which they are not known.
EmbeddingRecipe recipe(const std::optional<std::string>& query_prompt = "query: ") {
  return {.encoder = {.model = "org/model",
                      .weights_hash = "sha256:00",
                      .settings = "activation gelu",
                      .pooling = "mean",
                      .prompt_name = {},
                      .dimensions = 384,
                      .max_length = 256,
                      .normalization = Normalization::kAtEnd},
          .precision = Precision::kBf16,
          .title_separator = "[SEP]",
          .query_prompt = query_prompt,
          .document_prompt = {}};
}

TEST(CollectionJson, ARecipeIsTheEncodersIdentityAndHowItIsUsed) {
  JsonWriter json;
  EXPECT_EQ(write_json(json, recipe()).take(),
            R"({"model":"org/model","weights_hash":"sha256:00","settings":"activation gelu","pooling":"mean",)"
            R"("dimensions":384,"normalized":true,"normalization":"at_end","max_length":256,"prompt_name":"",)"
            R"("query_prompt":"query: ",)"
            R"("precision":"bf16","title_separator":"[SEP]"})");
}

TEST(CollectionJson, WhatWasNotRecordedIsLeftOut) {
  EmbeddingRecipe old = recipe(/*query_prompt=*/{});
  old.encoder.settings.clear();
  old.precision = Precision::kAuto;
  JsonWriter json;
  EXPECT_EQ(
      write_json(json, old).take(),
      R"({"model":"org/model","weights_hash":"sha256:00","pooling":"mean","dimensions":384,"normalized":true,)"
      R"("normalization":"at_end","max_length":256,"prompt_name":"","precision":"auto","title_separator":"[SEP]"})");
}

TEST(CollectionJson, ACollectionHasItsRecipeInside) {
  const CollectionInfo info{.recipe = recipe(),
                            .metric = Metric::kL2,
                            .documents = 3,
                            .created = "2026-01-02T03:04:05Z",
                            .size_bytes = 4096,
                            .truncation = {.texts = 3, .texts_truncated = 1, .tokens_dropped = 7},
                            .not_recorded = {"title separator: a blank"}};
  JsonWriter inner;
  const std::string recipe_json = write_json(inner, info.recipe).take();
  JsonWriter json;
  EXPECT_EQ(
      write_members(json.begin_object(), info, 2).end_object().take(),
      R"({"documents":3,"segments":2,"size_bytes":4096,"created":"2026-01-02T03:04:05Z","metric":"l2","recipe":)" +
          recipe_json +
          R"(,"not_recorded":["title separator: a blank"],)"
          R"("truncation":{"texts":3,"texts_truncated":1,"tokens_dropped":7}})");
}

}  // namespace
}  // namespace tandem
