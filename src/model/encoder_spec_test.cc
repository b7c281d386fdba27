#include "model/encoder_spec.h"

#include <gtest/gtest.h>

#include <functional>

namespace tandem {
namespace {

TransformerConfig bert() {
  TransformerConfig config;
  config.model_type = "bert";
  config.architectures = {"BertForSequenceClassification"};
  config.hidden_size = 384;
  config.layers = 2;
  config.heads = 12;
  config.intermediate_size = 1536;
  config.vocabulary_size = 100;
  config.positions = 512;
  config.token_types = 2;
  config.activation = "gelu";
  config.labels = {"LABEL_0"};
  return config;
}

TEST(EncoderSpec, DescribesBert) {
  const auto spec = make_encoder_spec(bert(), ModelTask::kClassify);
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->layer_names.size(), 2U);
  EXPECT_EQ(spec->layer_names[1].query.weight, "encoder.layer.1.attention.self.query.weight");
  EXPECT_EQ(spec->usable_positions(), 512U);
  EXPECT_EQ(spec->labels, 1U);
}

TEST(EncoderSpec, EveryFamilyHasItsOwnNamesAndPositions) {
  struct Case {
    std::string_view family;
    std::string_view query;  ///< Of the second layer.
    std::size_t first_position;
    std::size_t token_types;
    std::string_view head;
    Pointwise head_activation;
  };
  const Case cases[] = {
      {"bert", "encoder.layer.1.attention.self.query.weight", 0, 2, "pooler.dense.weight", Pointwise::kTanh},
      {"roberta", "encoder.layer.1.attention.self.query.weight", 6, 2, "classifier.dense.weight", Pointwise::kTanh},
      {"xlm-roberta", "encoder.layer.1.attention.self.query.weight", 6, 2, "classifier.dense.weight", Pointwise::kTanh},
      {"camembert", "encoder.layer.1.attention.self.query.weight", 6, 2, "classifier.dense.weight", Pointwise::kTanh},
      {"electra", "encoder.layer.1.attention.self.query.weight", 0, 2, "classifier.dense.weight", Pointwise::kGelu},
      {"mpnet", "encoder.layer.1.attention.attn.q.weight", 2, 0, "classifier.dense.weight", Pointwise::kTanh},
      {"distilbert", "transformer.layer.1.attention.q_lin.weight", 0, 0, "pre_classifier.weight", Pointwise::kRelu},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.family);
    TransformerConfig config = bert();
    config.model_type = c.family;
    config.pad_token_id = 5;
    const auto spec = make_encoder_spec(config, ModelTask::kClassify);
    ASSERT_TRUE(spec) << spec.error().message;
    ASSERT_EQ(spec->layer_names.size(), 2U);
    EXPECT_EQ(spec->layer_names[1].query.weight, c.query);
    EXPECT_EQ(spec->position_rule.first, c.first_position);
    EXPECT_EQ(spec->usable_positions(), 512 - c.first_position);
    EXPECT_EQ(spec->token_types, c.token_types);
    EXPECT_EQ(spec->relative_bias.has_value(), c.family == "mpnet");
    ASSERT_TRUE(spec->head);
    EXPECT_EQ(spec->head->dense.weight, c.head);
    EXPECT_EQ(spec->head->activation, c.head_activation);
    EXPECT_FALSE(make_encoder_spec(config, ModelTask::kEmbed)->head);
  }
}

TEST(EncoderSpec, ElectraProjectsEmbeddingsOfAnotherWidth) {
  TransformerConfig config = bert();
  config.model_type = "electra";
  config.embedding_size = 128;
  const auto narrow = make_encoder_spec(config, ModelTask::kEmbed);
  ASSERT_TRUE(narrow) << narrow.error().message;
  EXPECT_EQ(narrow->embedding_size, 128U);
  ASSERT_TRUE(narrow->embedding_projection);
  EXPECT_EQ(narrow->embedding_projection->weight, "embeddings_project.weight");
  config.embedding_size = config.hidden_size;
  EXPECT_FALSE(make_encoder_spec(config, ModelTask::kEmbed)->embedding_projection);
}

// MPNetEncoder.relative_position_bucket of transformers 5.23: where each bucket begins, seen from the query.
TEST(EncoderSpec, RelativePositionsFallIntoTheReferencesBuckets) {
  const RelativeBias bias{.table = "", .buckets = 32, .distance_max = 128};
  const std::int64_t begins[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91};
  for (std::size_t bucket = 0; bucket < std::size(begins); ++bucket) {
    const std::int64_t end = bucket + 1 < std::size(begins) ? begins[bucket + 1] : 600;
    for (std::int64_t distance = begins[bucket]; distance < end; ++distance) {
      ASSERT_EQ(bias.bucket(-distance), bucket) << distance;
      if (distance > 0) {
        ASSERT_EQ(bias.bucket(distance), 16 + bucket) << distance;
      }
    }
  }
}

// create_position_ids_from_input_ids of transformers' roberta: padding that a text spells is not counted.
TEST(TokenBatch, PaddingInTheTextHasThePositionBeforeTheFirst) {
  TokenBatch batch;
  const std::int32_t ids[] = {0, 7, 1, 8, 2};
  const std::int32_t types[] = {0, 0, 0, 0, 0};
  TokenTables tables{.vocabulary_size = 1000, .token_types = 2, .positions = 10, .position_rule = {}};
  tables.position_rule = {.first = 2, .padding_id = 1};
  batch.append(ids, types, tables);
  tables.position_rule = {.first = 0};
  batch.append(ids, types, tables);
  EXPECT_EQ(batch.position_ids, (std::vector<std::int32_t>{2, 3, 1, 4, 5, 0, 1, 2, 3, 4}));
  EXPECT_EQ(batch.offsets, (std::vector<std::size_t>{0, 5, 10}));
}

TEST(TokenBatchDeathTest, HoldsNothingOutsideTheTables) {
  const TokenTables tables{
      .vocabulary_size = 10, .token_types = 2, .positions = 4, .position_rule = {.first = 1, .padding_id = 0}};
  const auto append = [](std::vector<std::int32_t> ids, std::vector<std::int32_t> types, const TokenTables& into) {
    TokenBatch().append(ids, types, into);
  };
  append({9, 0, 1}, {0, 1, 0}, tables);
  EXPECT_DEATH(append({10}, {0}, tables), "all_below");
  EXPECT_DEATH(append({-1}, {0}, tables), "all_below");
  EXPECT_DEATH(append({1}, {2}, tables), "all_below");
  EXPECT_DEATH(append({1}, {-1}, tables), "all_below");
  EXPECT_DEATH(append({1, 1, 1, 1}, {0, 0, 0, 0}, tables), "positions");
  EXPECT_DEATH(append({1}, {0, 0}, tables), "size");
  TokenTables without_types = tables;
  without_types.token_types = 1;
  append({1}, {200}, without_types);
}

TEST(EncoderSpec, NamesWhatItDoesNotRun) {
  struct Case {
    std::function<void(TransformerConfig&)> change;
    ErrorCode code;
    std::string_view word;
  };
  const Case cases[] = {
      {[](auto& c) { c.model_type = "t5"; }, ErrorCode::kUnsupported,
       "'t5' is not supported, want bert, camembert, distilbert"},
      {[](auto& c) { c.activation = "mish"; }, ErrorCode::kUnsupported, "mish"},
      {[](auto& c) { c.position_embedding_type = "relative_key"; }, ErrorCode::kUnsupported, "relative_key"},
      {[](auto& c) { c.heads = 7; }, ErrorCode::kCorruptData, "7"},
      {[](auto& c) { c.heads = 0; }, ErrorCode::kCorruptData, "num_attention_heads"},
      {[](auto& c) { c.intermediate_size = 1534; }, ErrorCode::kUnsupported, "1534"},
      {[](auto& c) { c.positions = 0; }, ErrorCode::kCorruptData, "max_position_embeddings"},
      {[](auto& c) { c.pad_token_id = -1; }, ErrorCode::kCorruptData, "pad_token_id"},
      {[](auto& c) { c.pad_token_id = 100; }, ErrorCode::kCorruptData, "pad_token_id"},
      {[](auto& c) { c.labels.clear(); }, ErrorCode::kCorruptData, "id2label is empty"},
      {[](auto& c) { c.architectures = {"BertModel"}; }, ErrorCode::kInvalidArgument, "BertModel"},
  };
  for (const Case& c : cases) {
    TransformerConfig config = bert();
    c.change(config);
    const auto spec = make_encoder_spec(config, ModelTask::kClassify);
    ASSERT_FALSE(spec) << c.word;
    EXPECT_EQ(spec.error().code, c.code) << spec.error().message;
    EXPECT_NE(spec.error().message.find(c.word), std::string::npos) << spec.error().message;
  }
}

}  // namespace
}  // namespace tandem
