// adapter_config.json of AdapterHub: small layers that are put into a model which is otherwise left as it is.
// Source: the adapters package, src/adapters/configuration/adapter_config.py: BnConfig.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "tandem/result.h"

namespace tandem {

/// What an adapter's bottleneck is added to.
enum class AdapterResidual {
  kSublayer,  ///< What the sub-layer made, before anything was added or normalised.
  kSum,       ///< That and the sub-layer's input: "post_add".
  kInput,     ///< The bottleneck's own input.
};

/// A bottleneck adapter: after a sub-layer, x ← x + scaling · up(activation(down(x))), with norms about it. Settings
/// that are not run here are refused when they are read.
struct AdapterConfig {
  std::string name;           ///< In the names of its tensors.
  std::string base_model;     ///< model_name: the Hugging Face id that it was made for; may be empty.
  std::uint64_t hidden_size;  ///< Of that model.
  bool after_attention;       ///< mh_adapter
  bool after_feed_forward;    ///< output_adapter
  double reduction_factor;    ///< hidden_size over the bottleneck's width.
  std::map<std::uint64_t, double> reduction_factor_by_layer;
  std::set<std::uint64_t> layers_left_out;
  std::string activation;  ///< non_linearity
  double scaling;
  bool norms_before;      ///< original_ln_before: the model's own sum and norm come before the bottleneck,
  bool norms_after;       ///< original_ln_after: and after it.
  bool has_norm_before;   ///< ln_before: a norm of the adapter's own before its bottleneck,
  bool has_norm_after;    ///< ln_after: and after it,
  bool adds_before_norm;  ///< adapter_residual_before_ln: which follows the residual, or comes before it.
  AdapterResidual residual;

  /// Of a layer's bottleneck; 0 where no factor is given for the layer.
  std::uint64_t width(std::uint64_t layer) const;
};

/// True for a folder that holds an adapter and no model of its own.
bool is_adapter_folder(const std::filesystem::path& folder);

/// Errors: kNotFound, kCorruptData, kUnsupported (names the setting).
Result<AdapterConfig> read_adapter_config(const std::filesystem::path& folder);

}  // namespace tandem
