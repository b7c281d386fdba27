#include "formats/adapter_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "adapter_config.json";
constexpr std::uint64_t kBytesMax = 1U << 20;
constexpr std::uint64_t kWidthMax = 1U << 20;
constexpr std::uint64_t kLayersMax = 1U << 12;

// Settings that are read below.
constexpr std::array<std::string_view, 11> kRead = {
    "mh_adapter", "output_adapter", "reduction_factor",           "non_linearity",
    "scaling",    "leave_out",      "original_ln_before",         "original_ln_after",
    "ln_before",  "ln_after",       "adapter_residual_before_ln",
};
constexpr std::string_view kResidual = "residual_before_ln";

// Settings of training, and of layers that are refused by a switch of their own (phm_layer, inv_adapter).
constexpr std::array<std::string_view, 17> kWithoutEffect = {
    "dropout",
    "init_weights",
    "init_weights_seed",
    "stochastic_depth",
    "inv_adapter_reduction_factor",
    "phm_dim",
    "phm_bias",
    "phm_c_init",
    "phm_init_range",
    "phm_rank",
    "factorized_phm_W",
    "factorized_phm_rule",
    "shared_W_phm",
    "shared_phm_rule",
    "learn_phm",
    "hypercomplex_nonlinearity",
    "original_ln_scale",
};

template <std::size_t kCount>
bool is_among(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// A setting that is not known must be off, or the adapter would be run as something that it is not.
Status check_known(JsonValue settings) {
  return settings.for_each_member([](std::string_view key, JsonValue value) -> Status {
    if (key == kResidual || is_among(kRead, key) || is_among(kWithoutEffect, key)) return {};
    const std::string text = value.dump();
    if (value.is_null() || text == "false") return {};
    return fail(ErrorCode::kUnsupported, "config: {} is {}, which is not run here", key, text.substr(0, 80));
  });
}

Result<bool> get_flag(JsonValue settings, std::string_view key, bool otherwise) {
  ASSIGN_OR_RETURN(const std::optional<bool> value, settings.find_bool(key));
  return value.value_or(otherwise);
}

Result<double> read_factor(JsonValue value) {
  ASSIGN_OR_RETURN(const double factor, value.as_double("reduction_factor"));
  if (factor > 0 && std::isfinite(factor)) return factor;
  return fail(ErrorCode::kCorruptData, "config: reduction_factor is {}, want a positive number", factor);
}

/// One number, or one for some layers and a default for the others.
Status read_factors(JsonValue settings, AdapterConfig& result) {
  ASSIGN_OR_RETURN(const JsonValue value, settings.get("reduction_factor"));
  result.reduction_factor = 0;
  if (!value.is_object()) {
    ASSIGN_OR_RETURN(result.reduction_factor, read_factor(value));
    return {};
  }
  return value.for_each_member([&result](std::string_view key, JsonValue member) -> Status {
    ASSIGN_OR_RETURN(const double factor, read_factor(member));
    std::uint64_t layer = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), layer);
    if (key == "default") {
      result.reduction_factor = factor;
    } else if (error == std::errc() && end == key.data() + key.size() && layer < kLayersMax) {
      result.reduction_factor_by_layer[layer] = factor;
    } else {
      return fail(ErrorCode::kCorruptData, "config: reduction_factor: \"{}\" is no layer", key);
    }
    return {};
  });
}

Result<AdapterResidual> read_residual(JsonValue settings) {
  const std::optional<JsonValue> value = settings.find(kResidual);
  if (!value || value->is_null()) return AdapterResidual::kSublayer;
  if (value->is_string()) {
    ASSIGN_OR_RETURN(const std::string_view word, value->as_string(kResidual));
    if (word == "post_add") return AdapterResidual::kSum;
    return fail(ErrorCode::kUnsupported, "config: {} is \"{}\", want a boolean or \"post_add\"", kResidual, word);
  }
  ASSIGN_OR_RETURN(const bool is_before, value->as_bool(kResidual));
  return is_before ? AdapterResidual::kSublayer : AdapterResidual::kInput;
}

Status read_settings(JsonValue settings, AdapterConfig& result) {
  RETURN_IF_ERROR(check_known(settings));
  ASSIGN_OR_RETURN(result.after_attention, settings.get_bool("mh_adapter"));
  ASSIGN_OR_RETURN(result.after_feed_forward, settings.get_bool("output_adapter"));
  ASSIGN_OR_RETURN(const std::string_view activation, settings.get_string("non_linearity"));
  result.activation = activation;
  RETURN_IF_ERROR(read_factors(settings, result));
  ASSIGN_OR_RETURN(result.norms_before, get_flag(settings, "original_ln_before", false));
  ASSIGN_OR_RETURN(result.norms_after, get_flag(settings, "original_ln_after", true));
  ASSIGN_OR_RETURN(result.has_norm_before, get_flag(settings, "ln_before", false));
  ASSIGN_OR_RETURN(result.has_norm_after, get_flag(settings, "ln_after", false));
  ASSIGN_OR_RETURN(result.adds_before_norm, get_flag(settings, "adapter_residual_before_ln", false));
  ASSIGN_OR_RETURN(result.residual, read_residual(settings));
  if (result.residual == AdapterResidual::kSum && !result.norms_before) {
    return fail(ErrorCode::kCorruptData, "config: {} \"post_add\" needs original_ln_before", kResidual);
  }
  if (const std::optional<JsonValue> scaling = settings.find("scaling"); scaling && scaling->is_string()) {
    return fail(ErrorCode::kUnsupported, "config: scaling is {}, want a number", scaling->dump());
  }
  ASSIGN_OR_RETURN(const std::optional<double> scaling, settings.find_double("scaling"));
  result.scaling = scaling.value_or(1.0);
  if (const std::optional<JsonValue> left_out = settings.find("leave_out"); left_out && !left_out->is_null()) {
    RETURN_IF_ERROR(left_out->for_each_element([&result](JsonValue element) -> Status {
      ASSIGN_OR_RETURN(const std::uint64_t layer, element.as_unsigned("leave_out"));
      result.layers_left_out.insert(layer);
      return {};
    }));
  }
  return {};
}

Result<AdapterConfig> read_root(JsonValue root) {
  AdapterConfig result{};
  if (const std::optional<JsonValue> peft = root.find("peft_type"); peft && !peft->is_null()) {
    return fail(ErrorCode::kUnsupported, "peft_type {} is not supported, want a bottleneck adapter of AdapterHub",
                peft->dump());
  }
  ASSIGN_OR_RETURN(const std::string_view name, root.get_string("name"));
  result.name = name;
  ASSIGN_OR_RETURN(const std::optional<std::string_view> base_model, root.find_string("model_name"));
  result.base_model = base_model.value_or("");
  ASSIGN_OR_RETURN(result.hidden_size, root.get_unsigned("hidden_size"));
  if (result.hidden_size == 0 || result.hidden_size > kWidthMax) {
    return fail(ErrorCode::kCorruptData, "hidden_size is {}, want 1 to {}", result.hidden_size, kWidthMax);
  }
  ASSIGN_OR_RETURN(const JsonValue settings, root.get_object("config"));
  RETURN_IF_ERROR(read_settings(settings, result));
  return result;
}

}  // namespace

std::uint64_t AdapterConfig::width(std::uint64_t layer) const {
  const auto own = reduction_factor_by_layer.find(layer);
  const double factor = own == reduction_factor_by_layer.end() ? reduction_factor : own->second;
  if (factor == 0) return 0;
  const double width = std::floor(static_cast<double>(hidden_size) / factor);
  return static_cast<std::uint64_t>(std::clamp(width, 1.0, static_cast<double>(kWidthMax)));
}

bool is_adapter_folder(const fs::path& folder) {
  return has_entry(folder / kFileName) && !has_entry(folder / "config.json");
}

Result<AdapterConfig> read_adapter_config(const fs::path& folder) {
  const fs::path path = folder / kFileName;
  ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::read_file(path, kBytesMax));
  Result<AdapterConfig> config = read_root(document.root());
  // Errors of the JSON reader name the file already.
  if (!config && !config.error().message.starts_with(path.string())) return fail_in(path.string(), config.error());
  return config;
}

}  // namespace tandem
