#include "engine/model_parts.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "engine/encoder_identity.h"
#include "kernels/isa.h"

namespace tandem {
namespace {

struct Compute {
  const EncoderKernels* kernels;
  ComputeInfo info;
};

Result<Compute> choose_compute(const ComputeOptions& options) {
  ASSIGN_OR_RETURN(const Isa isa, choose_isa());
  Compute compute{&encoder_kernels_for(isa), {}};
  compute.info.isa = isa_name(isa);
  compute.info.threads = options.executor.threads();
  compute.info.precision = options.precision;
  if (options.precision == Precision::kAuto) {
    compute.info.precision = bf16_is_fast(isa) ? Precision::kBf16 : Precision::kF32;
  } else if (options.precision == Precision::kBf16 && !compute.kernels->native_bf16) {
    compute.info.precision = Precision::kF32;
    compute.info.note = fmt::format("bf16 runs as f32: {} has no bf16 products", compute.info.isa);
  }
  return compute;
}

}  // namespace

Result<ModelParts> open_model(const std::filesystem::path& folder, const ModelOptions& options,
                              const CallOptions& call) {
  const ModelTask task = options.task;
  ASSIGN_OR_RETURN(Compute compute, choose_compute(options.compute));
  const ModelUse use = task == ModelTask::kClassify ? ModelUse::kScores : ModelUse::kVectors;
  ASSIGN_OR_RETURN(ModelConfig config, read_model_config(folder, use));
  if (has_entry(config.transformer_folder / "adapter_config.json")) {
    return fail(ErrorCode::kUnsupported,
                "{}: adapter_config.json lies beside the weights: a model with a LoRA or another adapter is not "
                "supported, want one that it was merged into",
                config.transformer_folder.string());
  }
  if (task == ModelTask::kClassify) config.modules.clear();  // They make vectors of texts, which nobody asks for.
  Result<EncoderSpec> made_spec = make_encoder_spec(config.transformer, task);
  if (!made_spec) return fail_in((config.transformer_folder / "config.json").string(), made_spec.error());
  const EncoderSpec& spec = *made_spec;
  ASSIGN_OR_RETURN(Tokenizer tokenizer,
                   Tokenizer::open(config.transformer_folder, {.lower_case = config.do_lower_case}));
  if (tokenizer.vocabulary_size() > spec.vocabulary_size) {
    return fail(ErrorCode::kConflict, "{}: the tokenizer has ids up to {}, the embedding has {} rows (vocab_size)",
                folder.string(), tokenizer.vocabulary_size() - 1, spec.vocabulary_size);
  }
  const bool pairs = task == ModelTask::kClassify;
  const SequenceLayout layout = tokenizer.layout(pairs);
  if (spec.token_types > 1 && layout.token_types > spec.token_types) {
    return fail(ErrorCode::kConflict, "{}: the tokenizer gives {} the token type {}, the model has {} types",
                folder.string(), pairs ? "pairs" : "texts", layout.token_types - 1, spec.token_types);
  }
  ASSIGN_OR_RETURN(TensorSource tensors, TensorSource::open_folder(config.transformer_folder));
  auto sources =
      std::make_unique<WeightSources>(WeightSources{.tensors = std::move(tensors), .adapter = {}, .modules = {}});
  if (options.adapter) {
    ASSIGN_OR_RETURN(sources->adapter, AdapterSource::open(*options.adapter));
  }
  ASSIGN_OR_RETURN(sources->modules, open_modules(config));
  std::optional<std::string> weights_hash;
  if (options.expected_weights_hash) {
    ASSIGN_OR_RETURN(weights_hash, hash_weights(config, spec, *sources, call));
    if (*weights_hash != *options.expected_weights_hash) {
      return fail(ErrorCode::kConflict, "{}: holds another encoder: weights: expected {}, got {}", folder.string(),
                  *options.expected_weights_hash, *weights_hash);
    }
  }
  std::string settings = describe_settings(config, spec, *sources, tokenizer);
  const std::size_t usable = spec.usable_positions();
  const std::size_t length = options.max_length.value_or(max_tokens(config, usable));
  if (length > usable || length <= layout.special_tokens) {
    return fail(ErrorCode::kInvalidArgument, "{}: max_length is {}, want more than {} (special tokens) and at most {}",
                folder.string(), length, layout.special_tokens, usable);
  }
  return ModelParts{.config = std::move(config),
                    .spec = *std::move(made_spec),
                    .tokenizer = std::move(tokenizer),
                    .sources = std::move(sources),
                    .kernels = compute.kernels,
                    .compute = std::move(compute.info),
                    .options = options.compute,
                    .max_length = length,
                    .settings = std::move(settings),
                    .weights_hash = std::move(weights_hash)};
}

}  // namespace tandem
