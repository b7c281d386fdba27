#include "model/encoder_spec.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "model/encoder_families.h"

namespace tandem {
namespace {

Status check_sizes(const EncoderSpec& spec) {
  if (spec.heads == 0 || spec.hidden_size % spec.heads != 0) {
    return fail(ErrorCode::kCorruptData, "hidden_size {} is not a multiple of num_attention_heads {}", spec.hidden_size,
                spec.heads);
  }
  // Vector instructions read four int8 at a time along these sizes. Every published model has multiples of 8.
  for (const auto& [name, size] :
       {std::pair{"hidden_size", spec.hidden_size}, std::pair{"embedding_size", spec.embedding_size},
        std::pair{"intermediate_size", spec.intermediate_size}}) {
    if (size == 0 || size % 4 != 0) {
      return fail(ErrorCode::kUnsupported, "{} is {}, want a multiple of 4", name, size);
    }
  }
  if (spec.positions <= spec.position_rule.first) {
    return fail(ErrorCode::kCorruptData, "max_position_embeddings is {}, want more than {}", spec.positions,
                spec.position_rule.first);
  }
  return {};
}

bool ends_with_any(const std::vector<std::string>& names, std::string_view ending) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return name.ends_with(ending); });
}

}  // namespace

std::optional<Pointwise> activation_by_name(std::string_view name) {
  static constexpr std::pair<std::string_view, Pointwise> kActivations[] = {
      {"gelu", Pointwise::kGelu},          {"gelu_new", Pointwise::kGeluTanh},
      {"gelu_fast", Pointwise::kGeluTanh}, {"gelu_pytorch_tanh", Pointwise::kGeluTanh},
      {"relu", Pointwise::kRelu},          {"tanh", Pointwise::kTanh},
      {"silu", Pointwise::kSilu},          {"swish", Pointwise::kSilu},
      {"sigmoid", Pointwise::kSigmoid},
  };
  for (const auto& [known, function] : kActivations) {
    if (known == name) return function;
  }
  return std::nullopt;
}

std::string_view name_of(Pointwise function) {
  switch (function) {
    case Pointwise::kNone:
      return "none";
    case Pointwise::kGelu:
      return "gelu";
    case Pointwise::kGeluFast:
      return "gelu approximated";
    case Pointwise::kGeluTanh:
      return "gelu_pytorch_tanh";
    case Pointwise::kRelu:
      return "relu";
    case Pointwise::kTanh:
      return "tanh";
    case Pointwise::kSigmoid:
      return "sigmoid";
    case Pointwise::kSilu:
      return "silu";
  }
  return "";
}

std::string_view activation_names() {
  return "gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, relu, tanh, silu, swish or sigmoid";
}

std::size_t RelativeBias::bucket(std::int64_t distance) const {
  const std::size_t half = buckets / 2;
  const std::size_t exact = half / 2;
  const std::size_t first = distance > 0 ? half : 0;
  const auto away = static_cast<std::size_t>(distance > 0 ? distance : -distance);
  if (away < exact) return first + away;
  // In single precision, as the reference computes it.
  const float octaves = std::log(static_cast<float>(away) / static_cast<float>(exact));
  const auto octaves_max = static_cast<float>(std::log(static_cast<double>(distance_max) / static_cast<double>(exact)));
  const auto grown = static_cast<std::size_t>(octaves / octaves_max * static_cast<float>(half - exact));
  return first + std::min(exact + grown, half - 1);
}

Result<EncoderSpec> make_encoder_spec(const TransformerConfig& config, ModelTask task) {
  const FamilySpec family = find_family(config.model_type);
  if (family == nullptr) {
    return fail(ErrorCode::kUnsupported, "model_type '{}' is not supported, want {}", config.model_type,
                family_names());
  }
  if (config.position_embedding_type != "absolute") {
    return fail(ErrorCode::kUnsupported, "position_embedding_type '{}' is not supported, want 'absolute'",
                config.position_embedding_type);
  }
  if (config.pad_token_id < 0 || static_cast<std::uint64_t>(config.pad_token_id) >= config.vocabulary_size) {
    return fail(ErrorCode::kCorruptData, "pad_token_id is {}, want an id below {}", config.pad_token_id,
                config.vocabulary_size);
  }
  EncoderSpec spec = family(config);
  spec.hidden_size = config.hidden_size;
  if (spec.embedding_size == 0) spec.embedding_size = config.hidden_size;
  spec.layers = config.layers;
  spec.heads = config.heads;
  spec.intermediate_size = config.intermediate_size;
  spec.vocabulary_size = config.vocabulary_size;
  spec.positions = config.positions;
  spec.layer_norm_eps = static_cast<float>(config.layer_norm_eps);
  const std::optional<Pointwise> activation = activation_by_name(config.activation);
  if (!activation) {
    return fail(ErrorCode::kUnsupported, "hidden_act '{}' is not supported, want {}", config.activation,
                activation_names());
  }
  spec.activation = *activation;
  if (task == ModelTask::kClassify) {
    if (!ends_with_any(config.architectures, "ForSequenceClassification")) {
      return fail(ErrorCode::kInvalidArgument,
                  "architectures is [{}], want one that ends in ForSequenceClassification: this model has "
                  "no head to score pairs with",
                  config.architectures.empty() ? "" : config.architectures.front());
    }
    spec.labels = config.labels.size();
    if (spec.labels == 0) return fail(ErrorCode::kCorruptData, "id2label is empty, want at least one label");
  } else {
    spec.head.reset();
  }
  RETURN_IF_ERROR(check_sizes(spec));
  return spec;
}

}  // namespace tandem
