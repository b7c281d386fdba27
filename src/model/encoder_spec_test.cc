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

TEST(EncoderSpec, NamesWhatItDoesNotRun) {
  struct Case {
    std::function<void(TransformerConfig&)> change;
    ErrorCode code;
    std::string_view word;
  };
  const Case cases[] = {
      {[](auto& c) { c.model_type = "t5"; }, ErrorCode::kUnsupported, "t5"},
      {[](auto& c) { c.activation = "swish"; }, ErrorCode::kUnsupported, "swish"},
      {[](auto& c) { c.position_embedding_type = "relative_key"; }, ErrorCode::kUnsupported, "relative_key"},
      {[](auto& c) { c.heads = 7; }, ErrorCode::kCorruptData, "7"},
      {[](auto& c) { c.heads = 0; }, ErrorCode::kCorruptData, "num_attention_heads"},
      {[](auto& c) { c.intermediate_size = 1534; }, ErrorCode::kUnsupported, "1534"},
      {[](auto& c) { c.positions = 0; }, ErrorCode::kCorruptData, "max_position_embeddings"},
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
