// Everything that a model folder says about itself outside its weights and its tokenizer, read and checked:
// config.json, modules.json and the modules' configs (both schemas of sentence-transformers),
// sentence_bert_config.json, config_sentence_transformers.json, tokenizer_config.json. What is not known is named in an
// error, never guessed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tandem/choices.h"
#include "tandem/result.h"

namespace tandem {

/// config.json of a transformers encoder. Sizes are checked to be sane, nothing more: whether the architecture
/// is one that Tandem runs is decided where the encoder is built.
struct TransformerConfig {
  std::string model_type;                  ///< "bert", "mpnet", …
  std::vector<std::string> architectures;  ///< e.g. {"BertForSequenceClassification"}; may be empty.
  std::uint64_t hidden_size = 0;           ///< DistilBERT's names (dim, n_layers, …) are read too.
  std::uint64_t layers = 0;
  std::uint64_t heads = 0;
  std::uint64_t intermediate_size = 0;
  std::uint64_t vocabulary_size = 0;
  std::uint64_t positions = 0;                  ///< max_position_embeddings.
  std::uint64_t token_types = 0;                ///< type_vocab_size; 0 where the family has none.
  std::optional<std::uint64_t> embedding_size;  ///< ELECTRA.
  bool is_decoder = false;                      ///< Tokens see only those before them.
  std::string activation;                       ///< hidden_act, e.g. "gelu".
  std::string position_embedding_type = "absolute";
  double layer_norm_eps = 1e-12;
  std::int64_t pad_token_id = 0;
  std::vector<std::string> labels;  ///< id2label in order of id, or LABEL_i for num_labels of them.
  /// activation_fn of config_sentence_transformers.json, sentence_transformers.activation_fn or
  /// sbert_ce_default_activation_function, whichever is found first; an import path.
  std::optional<std::string> cross_encoder_activation;
};

struct PoolingModule {
  std::vector<Pooling> modes;  ///< Concatenated in this order: cls, max, mean, sqrt, weighted, last in the old schema.
  std::uint64_t width = 0;     ///< word_embedding_dimension / embedding_dimension; 0 where not given.
  bool include_prompt = true;
};

struct DenseModule {
  std::filesystem::path folder;  ///< Holds its weights.
  std::uint64_t inputs = 0;
  std::uint64_t outputs = 0;
  bool bias = true;
  std::string activation;  ///< Import path, e.g. "torch.nn.modules.activation.Tanh".
  bool use_residual = false;
};

/// torch.nn.LayerNorm over the text's vector.
struct LayerNormModule {
  std::filesystem::path folder;  ///< Holds its weights.
  std::uint64_t width = 0;
};

struct NormalizeModule {};

/// What follows the transformer, in order. Dropout, which does nothing outside training, is left out.
using Module = std::variant<PoolingModule, DenseModule, LayerNormModule, NormalizeModule>;

/// What a folder is opened for.
enum class ModelUse { kVectors, kScores };

struct ModelConfig {
  std::string name;  ///< The Hugging Face id where the folder records one, else the folder's name.
  TransformerConfig transformer;
  std::filesystem::path transformer_folder;  ///< Where config.json and the weights lie.
  std::vector<Module> modules;               ///< Mean pooling alone where there is no modules.json.
  bool has_modules_file = false;
  std::optional<std::uint64_t> max_length;            ///< As the folder says; see max_tokens() for the rule.
  std::optional<std::uint64_t> tokenizer_max_length;  ///< model_max_length, when it is a sane number.
  bool do_lower_case = false;                         ///< sentence_bert_config.json: lower-case before the tokenizer.
  std::map<std::string, std::string> prompts;
  std::optional<std::string> default_prompt_name;
  std::string similarity;  ///< similarity_fn_name, as it stands there; empty where nothing is declared.
  std::optional<std::uint64_t> truncate_dimensions;  ///< truncate_dim: Matryoshka, where the caller asks for nothing.
};

/// Reads a folder as SentenceTransformer (kVectors) or CrossEncoder (kScores) of sentence-transformers does; by default
/// as what it declares itself to be. Files that the class does not look at are not looked at. Errors: kNotFound,
/// kCorruptData (file, key, expected, got), kUnsupported (a module by its class path; a key that changes results and
/// that Tandem does not follow, by its name).
Result<ModelConfig> read_model_config(const std::filesystem::path& folder, std::optional<ModelUse> use = {});

/// Files without which the modules that a folder's modules.json names cannot be read, and which the folder lacks; none
/// where there is no modules.json. Errors: those of reading it.
Result<std::vector<std::filesystem::path>> missing_module_files(const std::filesystem::path& folder);

/// A folder's Hugging Face id where it records one, else the folder's name.
Result<std::string> read_model_name(const std::filesystem::path& folder);

/// How many tokens the model reads: `max_length`, else `tokenizer_max_length`; never more than `usable_positions`.
std::uint64_t max_tokens(const ModelConfig& config, std::uint64_t usable_positions);

}  // namespace tandem
