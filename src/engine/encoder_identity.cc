#include "engine/encoder_identity.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "formats/tokenizer_folder.h"

namespace tandem {
namespace {

/// What a folder's settings and modules do to its vectors, but for the poolings and the last normalisation, which
/// BiEncoderIdentity names.
Status hash_modules(const ModelConfig& config, const ModuleTensors& modules, const CallOptions& call, Hasher& hasher) {
  if (config.do_lower_case) hasher.update("do_lower_case");
  for (std::size_t i = 0; i < config.modules.size(); ++i) {
    if (const auto* pooling = std::get_if<PoolingModule>(&config.modules[i])) {
      if (!pooling->include_prompt) hasher.update("without prompt");
    } else if (const auto* dense = std::get_if<DenseModule>(&config.modules[i])) {
      hasher.update(fmt::format("module {}: dense {} {}", i, dense->activation, dense->use_residual));
    } else if (std::holds_alternative<LayerNormModule>(config.modules[i])) {
      hasher.update(fmt::format("module {}: layer norm", i));
    }
    if (modules[i]) RETURN_IF_ERROR(modules[i]->hash(hasher, call));
  }
  return {};
}

/// What a hash calls a model's activation. Those that the first collections knew have numbers, by which they still find
/// their models; another one gets a name.
std::string_view hashed_name(Pointwise activation) {
  switch (activation) {
    case Pointwise::kNone:
      return "0";
    case Pointwise::kGelu:
      return "1";
    case Pointwise::kGeluFast:
      return "2";
    case Pointwise::kGeluTanh:
      return "3";
    case Pointwise::kRelu:
      return "4";
    case Pointwise::kTanh:
      return "5";
    case Pointwise::kSigmoid:
      return "6";
    case Pointwise::kSilu:
      return "7";
  }
  return "";
}

void describe_module(const Module& module, std::vector<std::string>& settings) {
  if (const auto* pooling = std::get_if<PoolingModule>(&module)) {
    settings.push_back(pooling->include_prompt ? "pooling" : "pooling without prompt");
  } else if (const auto* dense = std::get_if<DenseModule>(&module)) {
    settings.push_back(fmt::format("dense {}{}{}", dense->activation, dense->bias ? "" : " without bias",
                                   dense->use_residual ? " on residual" : ""));
  } else {
    settings.push_back(std::holds_alternative<LayerNormModule>(module) ? "layer norm" : "normalize");
  }
}

std::string_view name_of(AdapterResidual residual) {
  switch (residual) {
    case AdapterResidual::kSublayer:
      return "sub-layer";
    case AdapterResidual::kSum:
      return "sum";
    case AdapterResidual::kInput:
      return "input";
  }
  return "";
}

std::string describe_adapter(const AdapterConfig& adapter) {
  return fmt::format(
      "adapter {} scaled {} residual {} {} {} {} {} {} layers left out [{}]", adapter.activation, adapter.scaling,
      name_of(adapter.residual), adapter.norms_before ? "norms before" : "no norms before",
      adapter.norms_after ? "norms after" : "no norms after",
      adapter.has_norm_before ? "norm before" : "no norm before",
      adapter.has_norm_after ? "norm after" : "no norm after",
      adapter.adds_before_norm ? "adds before norm" : "adds after norm", fmt::join(adapter.layers_left_out, ", "));
}

}  // namespace

Result<std::string> hash_weights(const ModelConfig& config, const EncoderSpec& spec, const WeightSources& sources,
                                 const CallOptions& call) {
  Hasher hasher(HashKind::kSha256);
  RETURN_IF_ERROR(sources.tensors.hash(hasher, call));
  if (sources.adapter) RETURN_IF_ERROR(sources.adapter->tensors.hash(hasher, call));
  for (const std::filesystem::path& file : tokenizer_files(config.transformer_folder)) {
    RETURN_IF_ERROR(hash_file(file, hasher, call));
  }
  // What the weights' shapes do not tell.
  hasher.update(fmt::format("{} {} {} {} {}", spec.layers, spec.heads, hashed_name(spec.activation),
                            spec.layer_norm_eps, spec.token_types));
  RETURN_IF_ERROR(hash_modules(config, sources.modules, call, hasher));
  return "sha256:" + hasher.finish();
}

std::string describe_settings(const ModelConfig& config, const EncoderSpec& spec, const WeightSources& sources,
                              const Tokenizer& tokenizer) {
  std::vector<std::string> settings{
      fmt::format("{} heads", spec.heads),
      fmt::format("activation {}", name_of(spec.activation)),
      fmt::format("norm epsilon {}", spec.layer_norm_eps),
      fmt::format("positions from {}", spec.position_rule.first),
  };
  if (spec.position_rule.padding_id) settings.push_back(fmt::format("padding {}", *spec.position_rule.padding_id));
  if (spec.is_causal) settings.emplace_back("looks back only");
  if (spec.token_types < 2) settings.push_back(fmt::format("{} token types", spec.token_types));
  if (spec.head) settings.push_back(fmt::format("head {}", name_of(spec.head->activation)));
  if (sources.adapter) settings.push_back(describe_adapter(sources.adapter->config));
  for (const Module& module : config.modules) describe_module(module, settings);
  if (config.do_lower_case) settings.emplace_back("texts in lower case");
  if (!tokenizer.settings().empty()) settings.push_back("tokenizer " + tokenizer.settings());
  if (spec.head && spec.token_types > 1 && tokenizer.layout(/*pair=*/true).token_types == 1) {
    settings.emplace_back("pairs of one token type");
  }
  if (spec.head && config.default_prompt_name) {
    Hasher prompt(HashKind::kSha256);
    prompt.update(config.prompts.at(*config.default_prompt_name));
    settings.push_back("prompt " + prompt.finish());
  }
  return fmt::format("{}", fmt::join(settings, ", "));
}

}  // namespace tandem
