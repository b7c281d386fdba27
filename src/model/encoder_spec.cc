#include "model/encoder_spec.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace tandem {
namespace {

// transformers, activations.py: ACT2FN.
std::optional<Pointwise> activation_by_name(std::string_view name) {
  static constexpr std::pair<std::string_view, Pointwise> kActivations[] = {
      {"gelu", Pointwise::kGelu},          {"gelu_new", Pointwise::kGeluTanh},
      {"gelu_fast", Pointwise::kGeluTanh}, {"gelu_pytorch_tanh", Pointwise::kGeluTanh},
      {"relu", Pointwise::kRelu},          {"tanh", Pointwise::kTanh},
  };
  for (const auto& [known, function] : kActivations) {
    if (known == name) return function;
  }
  return std::nullopt;
}

Status check_sizes(const EncoderSpec& spec) {
  if (spec.heads == 0 || spec.hidden_size % spec.heads != 0) {
    return fail(ErrorCode::kCorruptData, "config.json: hidden_size {} is not a multiple of num_attention_heads {}",
                spec.hidden_size, spec.heads);
  }
  // Vector instructions read four int8 at a time along these sizes. Every published model has multiples of 8.
  for (const auto& [name, size] :
       {std::pair{"hidden_size", spec.hidden_size}, std::pair{"intermediate_size", spec.intermediate_size}}) {
    if (size == 0 || size % 4 != 0) {
      return fail(ErrorCode::kUnsupported, "config.json: {} is {}, want a multiple of 4", name, size);
    }
  }
  if (spec.positions <= spec.position_offset) {
    return fail(ErrorCode::kCorruptData, "config.json: max_position_embeddings is {}, want more than {}",
                spec.positions, spec.position_offset);
  }
  return {};
}

bool ends_with_any(const std::vector<std::string>& names, std::string_view ending) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return name.ends_with(ending); });
}

// transformers, models/bert/modeling_bert.py.
Result<EncoderSpec> bert_spec(const TransformerConfig& config) {
  if (config.position_embedding_type != "absolute") {
    return fail(ErrorCode::kUnsupported, "config.json: position_embedding_type '{}' is not supported, want 'absolute'",
                config.position_embedding_type);
  }
  EncoderSpec spec;
  spec.prefixes = {"", "bert."};
  spec.word_embeddings = "embeddings.word_embeddings.weight";
  spec.position_embeddings = "embeddings.position_embeddings.weight";
  spec.token_type_embeddings = "embeddings.token_type_embeddings.weight";
  const auto linear = [](const std::string& name) { return LinearNames{name + ".weight", name + ".bias"}; };
  spec.embeddings_norm = linear("embeddings.LayerNorm");
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    const std::string at = "encoder.layer." + std::to_string(layer) + ".";
    spec.layer_names.push_back({.query = linear(at + "attention.self.query"),
                                .key = linear(at + "attention.self.key"),
                                .value = linear(at + "attention.self.value"),
                                .attention_output = linear(at + "attention.output.dense"),
                                .attention_norm = linear(at + "attention.output.LayerNorm"),
                                .up = linear(at + "intermediate.dense"),
                                .down = linear(at + "output.dense"),
                                .output_norm = linear(at + "output.LayerNorm")});
  }
  spec.token_types = config.token_types;
  spec.head_names = {.dense = linear("pooler.dense"), .output = linear("classifier")};
  return spec;
}

}  // namespace

Result<EncoderSpec> make_encoder_spec(const TransformerConfig& config, ModelTask task) {
  if (config.model_type != "bert") {
    return fail(ErrorCode::kUnsupported, "config.json: model_type '{}' is not supported, want 'bert'",
                config.model_type);
  }
  ASSIGN_OR_RETURN(EncoderSpec spec, bert_spec(config));
  spec.hidden_size = config.hidden_size;
  spec.layers = config.layers;
  spec.heads = config.heads;
  spec.intermediate_size = config.intermediate_size;
  spec.vocabulary_size = config.vocabulary_size;
  spec.positions = config.positions;
  spec.layer_norm_eps = static_cast<float>(config.layer_norm_eps);
  const std::optional<Pointwise> activation = activation_by_name(config.activation);
  if (!activation) {
    return fail(
        ErrorCode::kUnsupported,
        "config.json: hidden_act '{}' is not supported, want gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, relu "
        "or tanh",
        config.activation);
  }
  spec.activation = *activation;
  if (task == ModelTask::kClassify) {
    if (!ends_with_any(config.architectures, "ForSequenceClassification")) {
      return fail(ErrorCode::kInvalidArgument,
                  "config.json: architectures is [{}], want one that ends in ForSequenceClassification: this model has "
                  "no head to score pairs with",
                  config.architectures.empty() ? "" : config.architectures.front());
    }
    spec.head = HeadKind::kPoolerClassifier;
    spec.labels = config.labels.size();
  }
  RETURN_IF_ERROR(check_sizes(spec));
  return spec;
}

}  // namespace tandem
