// A model's folder, opened: everything of it is read and checked, and its weights are mapped but not packed yet.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "formats/model_config.h"
#include "kernels/encoder_kernels.h"
#include "model/encoder_spec.h"
#include "model/weight_sources.h"
#include "tandem/call.h"
#include "tandem/compute.h"
#include "tandem/result.h"
#include "tandem/tokenizer.h"

namespace tandem {

struct ModelOptions {
  ModelTask task = ModelTask::kEmbed;
  ComputeOptions compute = {};
  std::optional<std::size_t> max_length = {};         ///< Tokens per text; default: what the folder says.
  std::optional<std::filesystem::path> adapter = {};  ///< The folder of an adapter for the model.
  /// What the weights' hash has to be.
  std::optional<std::string> expected_weights_hash = {};
};

struct ModelParts {
  ModelConfig config;
  EncoderSpec spec;
  Tokenizer tokenizer;
  std::unique_ptr<WeightSources> sources;  // Where it lies is what encoders borrow.
  const EncoderKernels* kernels;
  ComputeInfo compute;
  ComputeOptions options;
  std::size_t max_length;                   ///< Tokens of a text, those around it included.
  std::string settings;                     ///< See describe_settings().
  std::optional<std::string> weights_hash;  ///< Where it was asked for.
};

/// Errors: those of reading the folder; kUnsupported where its parts are not run here; kConflict when the tokenizer and
/// the weights disagree, and for other weights than the expected ones; kInvalidArgument for a max_length that the model
/// cannot read; those of `call`.
Result<ModelParts> open_model(const std::filesystem::path& folder, const ModelOptions& options,
                              const CallOptions& call = {});

}  // namespace tandem
