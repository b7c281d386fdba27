// What a transformer encoder is, whatever its family: the one description that weights and encoder are built from.
//
// A family is a function from its config.json to an EncoderSpec (encoder_families.h), which also says under which names
// its checkpoints keep each tensor. Nothing behind this header knows a family's name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/model_config.h"
#include "kernels/encoder_kernels.h"
#include "model/token_batch.h"
#include "tandem/result.h"

namespace tandem {

/// Where a linear layer's or a norm's tensors are, under the spec's prefix.
struct LinearNames {
  std::string weight;
  std::string bias;
};

/// Tensor names of one layer.
struct LayerNames {
  LinearNames query, key, value, attention_output, attention_norm, up, down, output_norm;
  // What stands before an adapter's name in the names of its tensors; empty where the family has no place for one.
  std::string attention_adapters = {};
  std::string output_adapters = {};
};

/// A bias on attention scores that depends on how far the key is from the query, in buckets: half of them for keys
/// before the query, half for those after it; within a half, the first half counts distances one by one, the rest grow
/// with their logarithm up to `distance_max` (T5, arXiv 1910.10683, section 2.1).
struct RelativeBias {
  std::string table;  ///< Tensor [buckets, heads], shared by all layers.
  std::size_t buckets = 0;
  std::size_t distance_max = 0;

  /// The bucket of a key that lies `distance` tokens after its query (before it, where negative).
  std::size_t bucket(std::int64_t distance) const;
};

/// What turns the first token's hidden state into logits: output(activation(dense(x))).
struct HeadSpec {
  LinearNames dense;
  Pointwise activation = Pointwise::kTanh;
  LinearNames output;
};

/// A post-norm encoder: BERT and its relatives.
struct EncoderSpec {
  std::size_t hidden_size = 0;
  std::size_t embedding_size = 0;  ///< Columns of the embedding tables.
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t intermediate_size = 0;
  std::size_t vocabulary_size = 0;
  std::size_t positions = 0;  ///< Rows of the position table.
  PositionRule position_rule;
  std::size_t token_types = 0;  ///< 0: no token type table. 1: every token has type 0, whatever the tokenizer says.
  Pointwise activation = Pointwise::kGelu;
  float layer_norm_eps = 1e-12F;

  std::vector<std::string> prefixes;  ///< Tried in order before every name, e.g. {"", "bert."}.
  std::string word_embeddings;
  std::string position_embeddings;
  std::string token_type_embeddings;
  LinearNames embeddings_norm;
  std::optional<LinearNames> embedding_projection;  ///< From embedding_size to hidden_size.
  std::optional<RelativeBias> relative_bias;
  bool is_causal = false;  ///< Tokens attend to themselves and those before them. Never with a relative bias.
  std::vector<LayerNames> layer_names;

  std::optional<HeadSpec> head;  ///< Where the task needs one.
  std::size_t labels = 0;

  /// Tokens that a sequence may have.
  std::size_t usable_positions() const { return positions - position_rule.first; }

  TokenTables tables() const { return {vocabulary_size, token_types, positions, position_rule}; }
};

/// The function that transformers calls `name` (activations.py: ACT2FN); nothing for one that is not run.
std::optional<Pointwise> activation_by_name(std::string_view name);
/// One name for each function, for what is kept on disk: it never changes.
std::string_view name_of(Pointwise function);
/// The names that activation_by_name() knows, for errors.
std::string_view activation_names();

/// What the caller wants to do with the model.
enum class ModelTask { kEmbed, kClassify };

/// The spec of a model. Errors, which name the setting and leave it to the caller to name the file: kUnsupported (an
/// architecture or a setting), kCorruptData (sizes that contradict each other), kInvalidArgument (classifying with a
/// model that has no head).
Result<EncoderSpec> make_encoder_spec(const TransformerConfig& config, ModelTask task);

}  // namespace tandem
