#include "formats/model_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "base/controls.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/relative_path.h"
#include "formats/tensor_source.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

// Far above every encoder that exists, and low enough that products of two of them cannot overflow 64 bits.
constexpr std::uint64_t kWidthMax = 1U << 20;
constexpr std::uint64_t kLayersMax = 1U << 12;
constexpr std::uint64_t kVocabularyMax = 1U << 26;
constexpr std::uint64_t kPositionsMax = 1U << 24;
constexpr std::uint64_t kLabelsMax = 1U << 16;
constexpr std::uint64_t kModulesMax = 64;
// Put before every text, so that it costs its length for each; published ones have some hundred bytes.
constexpr std::size_t kPromptBytesMax = std::size_t{16} << 10;
constexpr std::uint64_t kConfigBytesMax = 64U << 20;

constexpr std::string_view kDefaultDenseActivation = "torch.nn.modules.activation.Tanh";
constexpr std::string_view kSentenceEmbedding = "sentence_embedding";

/// A JSON object of the folder, with the path that its errors begin with.
struct Config {
  std::string path;
  JsonDocument document;
  JsonValue root() const { return document.root(); }
};

Result<Config> read_config(const fs::path& path) {
  ASSIGN_OR_RETURN(JsonDocument document, JsonDocument::read_file(path, kConfigBytesMax));
  if (!document.root().is_object()) {
    return fail(ErrorCode::kCorruptData, "{}: want a JSON object", path.string());
  }
  return Config{path.string(), std::move(document)};
}

/// Nothing where there is no such file.
Result<std::optional<Config>> read_config_if_present(const fs::path& path) {
  if (!has_entry(path)) return std::optional<Config>();
  ASSIGN_OR_RETURN(Config config, read_config(path));
  return std::optional<Config>(std::move(config));
}

Status check_range(std::string_view path, std::string_view key, std::uint64_t value, std::uint64_t min,
                   std::uint64_t max) {
  if (value >= min && value <= max) return {};
  return fail(ErrorCode::kCorruptData, "{}: {} is {}, want {} to {}", path, key, value, min, max);
}

/// A size that may be absent.
Result<std::optional<std::uint64_t>> find_size(const Config& config, std::string_view key, std::uint64_t max) {
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> value, config.root().find_unsigned(key));
  if (value) RETURN_IF_ERROR(check_range(config.path, key, *value, 1, max));
  return value;
}

Result<std::uint64_t> get_size(const Config& config, std::string_view key, std::uint64_t max) {
  ASSIGN_OR_RETURN(const std::uint64_t value, config.root().get_unsigned(key));
  RETURN_IF_ERROR(check_range(config.path, key, value, 1, max));
  return value;
}

/// A size of config.json that every encoder has, under the name that most families use. DistilBERT has names of its
/// own, over which the common ones count: attribute_map of transformers.
Result<std::uint64_t> get_encoder_size(const Config& config, std::string_view model_type, std::string_view key,
                                       std::string_view distilbert_key, std::uint64_t max) {
  ASSIGN_OR_RETURN(std::optional<std::uint64_t> value, find_size(config, key, max));
  if (!value && model_type == "distilbert") {
    ASSIGN_OR_RETURN(value, find_size(config, distilbert_key, max));
  }
  if (value) return *value;
  return fail(ErrorCode::kUnsupported, "{}: model_type \"{}\" has no {}, which every encoder that Tandem runs has",
              config.path, model_type, key);
}

/// id2label maps "0", "1", … to names, in any order.
Result<std::vector<std::string>> read_id2label(const Config& config, JsonValue id2label) {
  std::map<std::uint64_t, std::string> by_id;
  RETURN_IF_ERROR(id2label.for_each_member([&](std::string_view key, JsonValue value) -> Status {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    ASSIGN_OR_RETURN(const std::string_view label, value.as_string("id2label"));
    if (const Status named = check_name("label of id2label", label); !named) return fail_in(config.path, named.error());
    if (error != std::errc() || end != key.data() + key.size() || !by_id.emplace(id, label).second) {
      return fail(ErrorCode::kCorruptData, "{}: id2label: \"{}\" is not an id, or stands there twice", config.path,
                  key);
    }
    return {};
  }));
  RETURN_IF_ERROR(check_range(config.path, "the number of labels in id2label", by_id.size(), 0, kLabelsMax));
  if (!by_id.empty() && by_id.rbegin()->first != by_id.size() - 1) {
    return fail(ErrorCode::kCorruptData, "{}: id2label has {} ids up to {}, want all from 0 on", config.path,
                by_id.size(), by_id.rbegin()->first);
  }
  std::vector<std::string> labels;
  for (auto& [id, label] : by_id) labels.push_back(std::move(label));
  return labels;
}

Result<std::vector<std::string>> read_labels(const Config& config, std::span<const std::string> architectures) {
  const std::optional<JsonValue> id2label = config.root().find("id2label");
  if (id2label && !id2label->is_null()) return read_id2label(config, *id2label);
  ASSIGN_OR_RETURN(std::optional<std::uint64_t> count, find_size(config, "num_labels", kLabelsMax));
  const bool is_classifier = std::ranges::any_of(
      architectures, [](const std::string& name) { return name.ends_with("ForSequenceClassification"); });
  if (!count && is_classifier) count = 2;  // What transformers takes where config.json does not say.
  std::vector<std::string> labels;
  for (std::uint64_t i = 0; i < count.value_or(0); ++i) labels.push_back(fmt::format("LABEL_{}", i));
  return labels;
}

/// Where config.json itself names the activation of a cross-encoder: new place, then, where there is none, old place.
Result<std::optional<std::string>> read_cross_encoder_activation(JsonValue root) {
  std::optional<std::string_view> activation;
  const std::optional<JsonValue> own = root.find("sentence_transformers");
  if (own && own->is_object() && own->find("activation_fn")) {
    ASSIGN_OR_RETURN(activation, own->find_string("activation_fn"));
  } else {
    ASSIGN_OR_RETURN(activation, root.find_string("sbert_ce_default_activation_function"));
  }
  if (!activation) return std::optional<std::string>();
  return std::optional<std::string>(*activation);
}

bool is_set(JsonValue value) {
  switch (value.kind()) {
    case JsonKind::kNull:
      return false;
    case JsonKind::kBool:
      return *value.as_bool();
    case JsonKind::kObject:
      return value.dump() != "{}";
    case JsonKind::kArray:
      return value.dump() != "[]";
    case JsonKind::kNumber:
    case JsonKind::kString:
      return true;
  }
  return true;
}

/// Refuses, by its name, what a file asks for and Tandem does not do. A null, false or empty value asks for nothing.
Status refuse_keys(const Config& config, std::span<const std::string_view> keys) {
  for (const std::string_view key : keys) {
    const std::optional<JsonValue> value = config.root().find(key);
    if (value && is_set(*value)) return fail(ErrorCode::kUnsupported, "{}: {} is not supported", config.path, key);
  }
  return {};
}

/// Refuses keys that the reference fails with, or that its later releases may give a meaning.
Status refuse_unknown_keys(const Config& config, std::span<const std::string_view> known) {
  return config.root().for_each_member([&](std::string_view key, JsonValue) -> Status {
    if (std::ranges::find(known, key) != known.end()) return {};
    return fail(ErrorCode::kUnsupported, "{}: {} is not a setting that Tandem knows", config.path, key);
  });
}

// Of config.json: attention to another text, heads that are cut out of the weights, weights that are packed.
constexpr auto kRefusedTransformerKeys = std::to_array<std::string_view>(
    {"add_cross_attention", "is_encoder_decoder", "pruned_heads", "quantization_config"});

Result<TransformerConfig> read_transformer_config(const fs::path& path) {
  ASSIGN_OR_RETURN(const Config config, read_config(path));
  RETURN_IF_ERROR(refuse_keys(config, kRefusedTransformerKeys));
  const JsonValue root = config.root();
  TransformerConfig result;
  ASSIGN_OR_RETURN(result.model_type, root.get_string("model_type"));
  if (const std::optional<JsonValue> names = root.find("architectures"); names && !names->is_null()) {
    ASSIGN_OR_RETURN(const std::vector<JsonValue> elements, names->as_array("architectures"));
    for (const JsonValue element : elements) {
      ASSIGN_OR_RETURN(const std::string_view name, element.as_string("architectures"));
      result.architectures.emplace_back(name);
    }
  }

  const std::string& type = result.model_type;
  ASSIGN_OR_RETURN(result.hidden_size, get_encoder_size(config, type, "hidden_size", "dim", kWidthMax));
  ASSIGN_OR_RETURN(result.layers, get_encoder_size(config, type, "num_hidden_layers", "n_layers", kLayersMax));
  ASSIGN_OR_RETURN(result.heads, get_encoder_size(config, type, "num_attention_heads", "n_heads", kWidthMax));
  ASSIGN_OR_RETURN(result.intermediate_size,
                   get_encoder_size(config, type, "intermediate_size", "hidden_dim", kWidthMax));
  ASSIGN_OR_RETURN(result.vocabulary_size, get_encoder_size(config, type, "vocab_size", "vocab_size", kVocabularyMax));
  ASSIGN_OR_RETURN(result.positions,
                   get_encoder_size(config, type, "max_position_embeddings", "max_position_embeddings", kPositionsMax));
  if (result.hidden_size % result.heads != 0) {
    return fail(ErrorCode::kCorruptData, "{}: hidden_size {} is not a multiple of num_attention_heads {}", config.path,
                result.hidden_size, result.heads);
  }
  ASSIGN_OR_RETURN(result.embedding_size, find_size(config, "embedding_size", kWidthMax));
  constexpr std::uint64_t kElectraEmbeddingSize = 128;  // What transformers takes where it is missing.
  if (type == "electra" && !result.embedding_size) result.embedding_size = kElectraEmbeddingSize;

  // The families without token types have no such key; in the others transformers takes 2 where it is missing.
  const bool has_token_types = type != "mpnet" && type != "distilbert";
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> token_types, root.find_unsigned("type_vocab_size"));
  result.token_types = token_types.value_or(has_token_types ? 2 : 0);
  RETURN_IF_ERROR(check_range(config.path, "type_vocab_size", result.token_types, has_token_types ? 1 : 0, kWidthMax));

  ASSIGN_OR_RETURN(const std::optional<bool> is_decoder, root.find_bool("is_decoder"));
  result.is_decoder = is_decoder.value_or(false);
  ASSIGN_OR_RETURN(const std::optional<bool> is_causal, root.find_bool("is_causal"));
  if (is_causal.value_or(result.is_decoder) != result.is_decoder) {
    return fail(ErrorCode::kUnsupported, "{}: is_causal {} is not supported where is_decoder is {}", config.path,
                *is_causal, result.is_decoder);
  }
  const char* const activation_key = type == "distilbert" ? "activation" : "hidden_act";
  ASSIGN_OR_RETURN(const std::optional<std::string_view> activation, root.find_string(activation_key));
  if (!activation) return fail(ErrorCode::kCorruptData, "{}: {} is missing", config.path, activation_key);
  result.activation = *activation;
  ASSIGN_OR_RETURN(const std::optional<std::string_view> positions, root.find_string("position_embedding_type"));
  if (positions) result.position_embedding_type = *positions;
  ASSIGN_OR_RETURN(const std::optional<double> eps, root.find_double("layer_norm_eps"));
  if (type != "distilbert") result.layer_norm_eps = eps.value_or(result.layer_norm_eps);  // There it is a constant.
  if (!(result.layer_norm_eps > 0 && result.layer_norm_eps < 1)) {
    return fail(ErrorCode::kCorruptData, "{}: layer_norm_eps is {}, want a small positive number", config.path,
                result.layer_norm_eps);
  }
  ASSIGN_OR_RETURN(const std::optional<std::int64_t> pad, root.find_integer("pad_token_id"));
  // fairseq's families put <pad> after <s>.
  const bool pads_with_one = type == "roberta" || type == "xlm-roberta" || type == "camembert" || type == "mpnet";
  result.pad_token_id = pad.value_or(pads_with_one ? 1 : 0);

  ASSIGN_OR_RETURN(result.labels, read_labels(config, result.architectures));
  ASSIGN_OR_RETURN(result.cross_encoder_activation, read_cross_encoder_activation(root));
  return result;
}

// The booleans of the old schema, in the order in which it concatenates.
constexpr auto kOldPoolingKeys = std::to_array<NamedChoice<Pooling>>({
    {"pooling_mode_cls_token", Pooling::kCls},
    {"pooling_mode_max_tokens", Pooling::kMax},
    {"pooling_mode_mean_tokens", Pooling::kMean},
    {"pooling_mode_mean_sqrt_len_tokens", Pooling::kMeanSqrtLength},
    {"pooling_mode_weightedmean_tokens", Pooling::kWeightedMean},
    {"pooling_mode_lasttoken", Pooling::kLastToken},
});

/// pooling_mode of the new schema: a name, or a list of names.
Result<std::vector<Pooling>> read_new_pooling_modes(const Config& config, JsonValue mode) {
  std::vector<JsonValue> names{mode};
  if (mode.is_array()) {
    ASSIGN_OR_RETURN(names, mode.as_array("pooling_mode"));
  }
  std::vector<Pooling> modes;
  for (const JsonValue element : names) {
    ASSIGN_OR_RETURN(const std::string_view name, element.as_string("pooling_mode"));
    const std::optional<Pooling> known = choice_of<Pooling>(name);
    if (!known) {
      return fail(ErrorCode::kUnsupported, "{}: pooling_mode \"{}\" is not supported", config.path, name);
    }
    if (std::ranges::find(modes, *known) != modes.end()) {
      return fail(ErrorCode::kUnsupported, "{}: pooling_mode names \"{}\" twice", config.path, name);
    }
    modes.push_back(*known);
  }
  if (modes.empty()) return fail(ErrorCode::kCorruptData, "{}: pooling_mode is empty", config.path);
  return modes;
}

/// The booleans of the old schema; mean where none is set.
Result<std::vector<Pooling>> read_old_pooling_modes(const Config& config) {
  RETURN_IF_ERROR(config.root().for_each_member([&config](std::string_view key, JsonValue value) -> Status {
    if (!key.starts_with("pooling_mode_")) return {};
    ASSIGN_OR_RETURN(const bool is_on, value.as_bool(key));
    if (is_on && std::ranges::find(kOldPoolingKeys, key, &NamedChoice<Pooling>::name) == kOldPoolingKeys.end()) {
      return fail(ErrorCode::kUnsupported, "{}: {} is not supported", config.path, key);
    }
    return {};
  }));
  std::vector<Pooling> modes;
  for (const auto& [key, pooling] : kOldPoolingKeys) {
    ASSIGN_OR_RETURN(const std::optional<bool> is_on, config.root().find_bool(key));
    if (is_on.value_or(false)) modes.push_back(pooling);
  }
  if (modes.empty()) modes.push_back(Pooling::kMean);
  return modes;
}

Result<PoolingModule> read_pooling(const fs::path& folder) {
  ASSIGN_OR_RETURN(const Config config, read_config(folder / "config.json"));
  std::vector<std::string_view> known{"pooling_mode", "embedding_dimension", "word_embedding_dimension",
                                      "include_prompt"};
  for (const auto& [key, pooling] : kOldPoolingKeys) known.push_back(key);
  RETURN_IF_ERROR(refuse_unknown_keys(config, known));
  PoolingModule module;
  const std::optional<JsonValue> mode = config.root().find("pooling_mode");
  ASSIGN_OR_RETURN(module.modes, mode ? read_new_pooling_modes(config, *mode) : read_old_pooling_modes(config));
  for (const char* key : {"embedding_dimension", "word_embedding_dimension"}) {
    ASSIGN_OR_RETURN(const std::optional<std::uint64_t> width, find_size(config, key, kWidthMax));
    if (module.width == 0) module.width = width.value_or(0);
  }
  if (const auto include_prompt = config.root().find("include_prompt")) {
    ASSIGN_OR_RETURN(module.include_prompt, include_prompt->as_bool("include_prompt"));
  }
  return module;
}

/// Newer modules say which of the pipeline's values they read and write; Tandem passes on the text's vector alone.
Status check_works_on_sentence_embedding(const Config& config) {
  for (const char* key : {"module_input_name", "module_output_name"}) {
    ASSIGN_OR_RETURN(const std::optional<std::string_view> name, config.root().find_string(key));
    if (name && *name != kSentenceEmbedding) {
      return fail(ErrorCode::kUnsupported, "{}: {} \"{}\" is not supported, want \"{}\"", config.path, key, *name,
                  kSentenceEmbedding);
    }
  }
  return {};
}

/// The reference puts its default in the place of a class that is not torch's own, unless it is told to trust the
/// folder.
Status check_is_torchs(const Config& config, std::string_view key, std::string_view class_path) {
  if (class_path.starts_with("torch.")) return {};
  return fail(ErrorCode::kUnsupported, "{}: {} '{}' is not supported, want a class of torch", config.path, key,
              class_path);
}

Result<DenseModule> read_dense(const fs::path& folder) {
  ASSIGN_OR_RETURN(const Config config, read_config(folder / "config.json"));
  RETURN_IF_ERROR(check_works_on_sentence_embedding(config));
  DenseModule module;
  module.folder = folder;
  ASSIGN_OR_RETURN(module.inputs, get_size(config, "in_features", kWidthMax));
  ASSIGN_OR_RETURN(module.outputs, get_size(config, "out_features", kWidthMax));
  if (const auto bias = config.root().find("bias")) {
    ASSIGN_OR_RETURN(module.bias, bias->as_bool("bias"));
  }
  ASSIGN_OR_RETURN(const std::optional<std::string_view> activation, config.root().find_string("activation_function"));
  module.activation = activation.value_or(kDefaultDenseActivation);
  RETURN_IF_ERROR(check_is_torchs(config, "activation_function", module.activation));
  ASSIGN_OR_RETURN(const std::optional<bool> use_residual, config.root().find_bool("use_residual"));
  module.use_residual = use_residual.value_or(false);
  return module;
}

Result<LayerNormModule> read_layer_norm(const fs::path& folder) {
  ASSIGN_OR_RETURN(const Config config, read_config(folder / "config.json"));
  LayerNormModule module{.folder = folder};
  ASSIGN_OR_RETURN(module.width, get_size(config, "dimension", kWidthMax));
  return module;
}

Result<NormalizeModule> read_normalize(const fs::path& folder) {
  ASSIGN_OR_RETURN(const std::optional<Config> config, read_config_if_present(folder / "config.json"));
  if (config) RETURN_IF_ERROR(check_works_on_sentence_embedding(*config));
  return NormalizeModule{};
}

/// One entry of modules.json.
struct ModuleEntry {
  std::string class_path;
  fs::path folder;

  /// The class's own name. Releases have moved the classes about inside the package but never renamed them:
  /// sentence_transformers.models.Pooling became sentence_transformers.sentence_transformer.modules.pooling.Pooling.
  std::string_view class_name() const {
    const std::string_view path = class_path;
    return path.starts_with("sentence_transformers.") ? path.substr(path.rfind('.') + 1) : std::string_view();
  }
};

Result<std::vector<ModuleEntry>> read_module_entries(const fs::path& folder) {
  const std::string path = (folder / "modules.json").string();
  ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::read_file(path, kConfigBytesMax));
  std::vector<ModuleEntry> entries;
  RETURN_IF_ERROR(document.root().for_each_element([&](JsonValue value) -> Status {
    ASSIGN_OR_RETURN(const std::string_view type, value.get_string("type"));
    ASSIGN_OR_RETURN(const std::string_view given, value.get_string("path"));
    const std::optional<std::string> module_path = to_safe_relative_path(given);
    if (!module_path) {
      return fail(ErrorCode::kCorruptData, "{}: path \"{}\" leads out of the folder", path, given);
    }
    entries.push_back({std::string(type), module_path->empty() ? folder : folder / *module_path});
    return {};
  }));
  RETURN_IF_ERROR(check_range(path, "the number of modules", entries.size(), 0, kModulesMax));
  if (entries.empty() || entries.front().class_name() != "Transformer") {
    return fail(ErrorCode::kUnsupported, "{}: the first module is {}, want a Transformer of sentence_transformers",
                path, entries.empty() ? "missing" : entries.front().class_path);
  }
  return entries;
}

Result<Module> read_module(const ModuleEntry& entry, const fs::path& model_folder) {
  const std::string_view name = entry.class_name();
  if (name == "Pooling") return read_pooling(entry.folder);
  if (name == "Dense") return read_dense(entry.folder);
  if (name == "LayerNorm") return read_layer_norm(entry.folder);
  if (name == "Normalize") return read_normalize(entry.folder);
  return fail(ErrorCode::kUnsupported, "{}: module {} is not supported", (model_folder / "modules.json").string(),
              entry.class_path);
}

/// Follows the width of the vector through the modules.
Status check_modules_fit(const ModelConfig& config, const fs::path& folder) {
  const std::string where = (folder / "modules.json").string();
  std::uint64_t width = 0;  // 0: there is no vector of the text yet.
  for (const Module& module : config.modules) {
    if (const auto* pooling = std::get_if<PoolingModule>(&module)) {
      if (width != 0) return fail(ErrorCode::kUnsupported, "{}: has two Pooling modules", where);
      if (pooling->width != 0 && pooling->width != config.transformer.hidden_size) {
        return fail(ErrorCode::kCorruptData, "{}: Pooling wants token vectors of {} components, the encoder's have {}",
                    where, pooling->width, config.transformer.hidden_size);
      }
      width = config.transformer.hidden_size * pooling->modes.size();
      continue;
    }
    if (width == 0) return fail(ErrorCode::kUnsupported, "{}: has no Pooling right after the Transformer", where);
    if (const auto* dense = std::get_if<DenseModule>(&module)) {
      if (dense->inputs != width) {
        return fail(ErrorCode::kCorruptData, "{}: Dense wants {} inputs (in_features), but gets {}",
                    dense->folder.string(), dense->inputs, width);
      }
      width = dense->outputs;
    }
    if (const auto* norm = std::get_if<LayerNormModule>(&module)) {
      if (norm->width != width) {
        return fail(ErrorCode::kCorruptData, "{}/config.json: LayerNorm wants {} components (dimension), but gets {}",
                    norm->folder.string(), norm->width, width);
      }
    }
  }
  return {};
}

/// processing_kwargs of sentence_bert_config.json: how the tokenizer is called.
Status read_processing(const Config& config, JsonValue processing, ModelConfig& result) {
  return processing.for_each_member([&](std::string_view modality, JsonValue options) -> Status {
    if (!is_set(options)) return {};
    if (modality != "text" && modality != "common") return {};  // Nothing else is encoded here.
    return options.for_each_member([&](std::string_view key, JsonValue value) -> Status {
      if (modality == "text" && key == "max_length") {
        ASSIGN_OR_RETURN(const std::uint64_t length, value.as_unsigned(key));
        RETURN_IF_ERROR(check_range(config.path, "processing_kwargs: max_length", length, 1, kPositionsMax));
        result.max_length = length;
        return {};
      }
      const std::string text = value.dump();
      if (key == "truncation" && (text == "true" || text == R"("longest_first")")) return {};
      if (key == "padding" && (text == "true" || text == R"("longest")")) return {};
      if (key == "return_tensors" && text == R"("pt")") return {};
      return fail(ErrorCode::kUnsupported, "{}: processing_kwargs: {}: {} {} is not supported", config.path, modality,
                  key, text);
    });
  });
}

/// modality_config and module_output_name say which of the model's outputs is read. Only the usual one is.
Status check_reads_text(const Config& config, ModelUse use) {
  const bool scores = use == ModelUse::kScores;
  const std::optional<JsonValue> modalities = config.root().find("modality_config");
  if (modalities && !modalities->is_null()) {
    const std::optional<JsonValue> text = modalities->find("text");
    if (!text) return fail(ErrorCode::kUnsupported, "{}: modality_config has no text", config.path);
    if (modalities->find("message")) {
      return fail(ErrorCode::kUnsupported, "{}: modality_config: message is not supported", config.path);
    }
    ASSIGN_OR_RETURN(const std::string_view method, text->get_string("method"));
    ASSIGN_OR_RETURN(const std::string_view output, text->get_string("method_output_name"));
    const std::string_view wanted = scores ? "logits" : "last_hidden_state";
    if (method != "forward" || output != wanted) {
      return fail(ErrorCode::kUnsupported, "{}: modality_config: {} of {} is not supported, want {} of forward",
                  config.path, output, method, wanted);
    }
  }
  ASSIGN_OR_RETURN(const std::optional<std::string_view> name, config.root().find_string("module_output_name"));
  const std::string_view wanted = scores ? "scores" : "token_embeddings";
  if (name && *name != wanted) {
    return fail(ErrorCode::kUnsupported, "{}: module_output_name '{}' is not supported, want '{}'", config.path, *name,
                wanted);
  }
  return {};
}

constexpr auto kSentenceBertKeys = std::to_array<std::string_view>(
    {"max_seq_length", "do_lower_case", "transformer_task", "processing_kwargs", "modality_config",
     "module_output_name", "unpad_inputs", "model_kwargs", "model_args", "processor_kwargs", "tokenizer_args",
     "config_kwargs", "config_args", "query_length", "document_length", "query_expansion", "tokenizer_name_or_path"});

// Arguments to the classes of transformers, which may change anything, and what belongs to models of many vectors.
constexpr auto kRefusedSentenceBertKeys = std::to_array<std::string_view>(
    {"model_kwargs", "model_args", "processor_kwargs", "tokenizer_args", "config_kwargs", "config_args", "query_length",
     "document_length", "query_expansion", "tokenizer_name_or_path"});

/// sentence_bert_config.json, or the name that old releases gave it by family.
Status read_sentence_bert_config(const fs::path& folder, ModelUse use, ModelConfig& result) {
  std::string_view task = "feature-extraction";
  const auto read = [&](const Config& config) -> Status {
    RETURN_IF_ERROR(refuse_unknown_keys(config, kSentenceBertKeys));
    RETURN_IF_ERROR(refuse_keys(config, kRefusedSentenceBertKeys));
    ASSIGN_OR_RETURN(result.max_length, find_size(config, "max_seq_length", kPositionsMax));
    if (const auto processing = config.root().find("processing_kwargs"); processing && is_set(*processing)) {
      RETURN_IF_ERROR(read_processing(config, *processing, result));
    }
    RETURN_IF_ERROR(check_reads_text(config, use));
    ASSIGN_OR_RETURN(const std::optional<bool> do_lower_case, config.root().find_bool("do_lower_case"));
    result.do_lower_case = do_lower_case.value_or(false);
    ASSIGN_OR_RETURN(const std::optional<std::string_view> declared, config.root().find_string("transformer_task"));
    const std::string_view wanted = use == ModelUse::kScores ? "sequence-classification" : "feature-extraction";
    if (declared.value_or(task) == wanted) return {};
    return fail(ErrorCode::kUnsupported, "{}: transformer_task \"{}\" is not supported, want \"{}\"", config.path,
                declared.value_or(task), wanted);
  };
  for (const char* family : {"bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"}) {
    ASSIGN_OR_RETURN(const std::optional<Config> config,
                     read_config_if_present(folder / fmt::format("sentence_{}_config.json", family)));
    if (!config) continue;
    bool is_empty = true;
    RETURN_IF_ERROR(config->root().for_each_member([&](std::string_view, JsonValue) -> Status {
      is_empty = false;
      return {};
    }));
    if (!is_empty) return read(*config);  // The reference looks on where there is nothing in it.
  }
  return {};
}

Status read_tokenizer_config(const fs::path& folder, ModelConfig& result) {
  ASSIGN_OR_RETURN(const std::optional<Config> config, read_config_if_present(folder / "tokenizer_config.json"));
  if (!config) return {};
  // A tokenizer without a limit says 10^30, which is no unsigned integer. Old files call it max_len.
  const char* const key = config->root().find("model_max_length") ? "model_max_length" : "max_len";
  ASSIGN_OR_RETURN(const std::optional<double> length, config->root().find_double(key));
  if (length && !(*length >= 1)) {
    return fail(ErrorCode::kCorruptData, "{}: {} is {}, want at least 1", config->path, key, *length);
  }
  if (length && *length <= static_cast<double>(kPositionsMax)) {
    result.tokenizer_max_length = static_cast<std::uint64_t>(*length);
  }
  return {};
}

Status read_sentence_transformers_config(const fs::path& folder, ModelConfig& result) {
  ASSIGN_OR_RETURN(const std::optional<Config> config,
                   read_config_if_present(folder / "config_sentence_transformers.json"));
  if (!config) return {};
  const JsonValue root = config->root();
  if (const std::optional<JsonValue> prompts = root.find("prompts"); prompts && !prompts->is_null()) {
    RETURN_IF_ERROR(prompts->for_each_member([&](std::string_view name, JsonValue value) -> Status {
      if (const Status named = check_name("prompt name", name); !named) return fail_in(config->path, named.error());
      if (value.is_null()) return {};  // A prompt that was declared and never given.
      ASSIGN_OR_RETURN(const std::string_view prompt, value.as_string("prompts"));
      if (prompt.size() > kPromptBytesMax) {
        return fail(ErrorCode::kUnsupported, "{}: the prompt '{}' has {} bytes, want at most {}", config->path, name,
                    prompt.size(), kPromptBytesMax);
      }
      result.prompts.emplace(name, prompt);
      return {};
    }));
  }
  ASSIGN_OR_RETURN(const std::optional<std::string_view> default_name, root.find_string("default_prompt_name"));
  if (default_name) {
    result.default_prompt_name = *default_name;
    if (!result.prompts.contains(*result.default_prompt_name)) {
      return fail(ErrorCode::kCorruptData, "{}: default_prompt_name \"{}\" is not among the prompts", config->path,
                  *default_name);
    }
  }
  ASSIGN_OR_RETURN(result.truncate_dimensions, find_size(*config, "truncate_dim", kWidthMax));
  ASSIGN_OR_RETURN(const std::optional<std::string_view> activation, root.find_string("activation_fn"));
  if (activation) result.transformer.cross_encoder_activation = *activation;
  ASSIGN_OR_RETURN(const std::optional<std::string_view> similarity, root.find_string("similarity_fn_name"));
  if (similarity) result.similarity = *similarity;
  return {};
}

/// What modules.json belongs to: config_sentence_transformers.json says so, and by default it is a bi-encoder.
Result<ModelUse> read_declared_use(const fs::path& folder) {
  ASSIGN_OR_RETURN(const std::optional<Config> config,
                   read_config_if_present(folder / "config_sentence_transformers.json"));
  if (!config) return ModelUse::kVectors;
  const std::optional<JsonValue> kind = config->root().find("model_type");
  if (!kind) return ModelUse::kVectors;
  ASSIGN_OR_RETURN(const std::string_view name, kind->as_string("model_type"));
  if (name == "SentenceTransformer") return ModelUse::kVectors;
  if (name == "CrossEncoder") return ModelUse::kScores;
  return fail(ErrorCode::kUnsupported, "{}: model_type \"{}\" is not supported", config->path, name);
}

/// With a template for conversations, and nothing that says otherwise, the reference makes one of every text.
Status check_has_no_chat(const fs::path& folder) {
  for (const char* const name : {"chat_template.jinja", "chat_template.json", "chat_templates"}) {
    if (!has_entry(folder / name)) continue;
    return fail(ErrorCode::kUnsupported, "{}: a template for conversations is not supported", (folder / name).string());
  }
  ASSIGN_OR_RETURN(const std::optional<Config> config, read_config_if_present(folder / "tokenizer_config.json"));
  if (!config) return {};
  return refuse_keys(*config, std::to_array<std::string_view>({"chat_template"}));
}

/// A folder of transformers, or a bi-encoder's that a cross-encoder is asked of: the reference takes the transformer
/// that lies in the folder itself, and nothing that sentence-transformers wrote beside it.
Result<ModelConfig> read_plain_folder(const fs::path& folder) {
  ModelConfig result;
  ASSIGN_OR_RETURN(result.name, read_model_name(folder));
  result.transformer_folder = folder;
  ASSIGN_OR_RETURN(result.transformer, read_transformer_config(folder / "config.json"));
  result.modules.push_back(PoolingModule{.modes = {Pooling::kMean}});
  RETURN_IF_ERROR(check_has_no_chat(folder));
  RETURN_IF_ERROR(read_tokenizer_config(folder, result));
  return result;
}

/// A folder of sentence-transformers.
Result<ModelConfig> read_modules_folder(const fs::path& folder, ModelUse use) {
  ModelConfig result;
  ASSIGN_OR_RETURN(result.name, read_model_name(folder));
  result.has_modules_file = true;
  ASSIGN_OR_RETURN(const std::vector<ModuleEntry> entries, read_module_entries(folder));
  result.transformer_folder = entries.front().folder;
  ASSIGN_OR_RETURN(result.transformer, read_transformer_config(result.transformer_folder / "config.json"));
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].class_name() == "Dropout") continue;
    if (use == ModelUse::kScores) {
      return fail(ErrorCode::kUnsupported, "{}: a cross-encoder with module {} is not supported",
                  (folder / "modules.json").string(), entries[i].class_path);
    }
    Result<Module> module = read_module(entries[i], folder);
    if (!module && module.error().code == ErrorCode::kNotFound) {
      return fail(ErrorCode::kNotFound, "{}: {} is partial: its modules.json names this module", module.error().message,
                  folder.string());
    }
    if (!module) return tl::unexpected(std::move(module).error());
    result.modules.push_back(*std::move(module));
  }
  if (use == ModelUse::kVectors) RETURN_IF_ERROR(check_modules_fit(result, folder));
  RETURN_IF_ERROR(read_tokenizer_config(result.transformer_folder, result));
  RETURN_IF_ERROR(read_sentence_bert_config(result.transformer_folder, use, result));
  RETURN_IF_ERROR(read_sentence_transformers_config(folder, result));
  return result;
}

/// The id that a model store's record or the layout of the Hugging Face cache gives, else the folder's name.
Result<std::string> find_model_name(const fs::path& folder) {
  ASSIGN_OR_RETURN(const std::optional<Config> record, read_config_if_present(folder / "tandem.json"));
  if (record) {
    ASSIGN_OR_RETURN(const std::string_view id, record->root().get_string("id"));
    return std::string(id);
  }
  std::error_code error;
  fs::path path = fs::absolute(folder, error).lexically_normal();
  if (error) path = folder;
  if (!path.has_filename()) path = path.parent_path();  // "model/" is "model".
  // …/models--org--name/snapshots/REVISION
  constexpr std::string_view kCachePrefix = "models--";
  const std::string cached = path.parent_path().parent_path().filename().string();
  if (path.parent_path().filename() == "snapshots" && cached.starts_with(kCachePrefix)) {
    std::string id = cached.substr(kCachePrefix.size());
    if (const std::size_t dashes = id.find("--"); dashes != id.npos) id.replace(dashes, 2, "/");
    return id;
  }
  return path.filename().string();
}

}  // namespace

Result<std::string> read_model_name(const fs::path& folder) {
  ASSIGN_OR_RETURN(std::string name, find_model_name(folder));
  // It is printed, and written into the manifests of collections.
  if (const Status named = check_name("model name", name); !named) return fail_in(folder.string(), named.error());
  return name;
}

Result<std::vector<fs::path>> missing_module_files(const fs::path& folder) {
  std::vector<fs::path> missing;
  if (!has_entry(folder / "modules.json")) return missing;
  ASSIGN_OR_RETURN(const std::vector<ModuleEntry> entries, read_module_entries(folder));
  for (const ModuleEntry& entry : entries) {
    const std::string_view name = entry.class_name();
    const bool needs_weights = name == "Transformer" || name == "Dense" || name == "LayerNorm";
    const bool needs_config = needs_weights || name == "Pooling";
    if (needs_config && !has_entry(entry.folder / "config.json")) missing.push_back(entry.folder / "config.json");
    if (needs_weights && !has_weights(entry.folder)) missing.push_back(entry.folder / "model.safetensors");
  }
  return missing;
}

Result<ModelConfig> read_model_config(const fs::path& folder, std::optional<ModelUse> use) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    return fail(ErrorCode::kNotFound, "{}: no such folder", folder.string());
  }
  if (!has_entry(folder / "modules.json")) return read_plain_folder(folder);
  ASSIGN_OR_RETURN(const ModelUse declared, read_declared_use(folder));
  if (use.value_or(declared) == declared) return read_modules_folder(folder, declared);
  if (use == ModelUse::kScores) return read_plain_folder(folder);
  return fail(ErrorCode::kUnsupported, "{}: holds a cross-encoder, which scores pairs and gives no vectors",
              (folder / "config_sentence_transformers.json").string());
}

std::uint64_t max_tokens(const ModelConfig& config, std::uint64_t usable_positions) {
  const std::optional<std::uint64_t> stated = config.max_length ? config.max_length : config.tokenizer_max_length;
  return std::min(stated.value_or(usable_positions), usable_positions);
}

}  // namespace tandem
