// What a transformer encoder is, whatever its family: the one description that weights and encoder are built from.
//
// A family is a function from its config.json to an EncoderSpec, which also says under which names its checkpoints keep
// each tensor. Nothing behind this header knows a family's name.
#pragma once

#include <string>
#include <vector>

#include "formats/model_config.h"
#include "kernels/kernels.h"
#include "tandem/result.h"

namespace tandem {

/// Where a linear layer's tensors are, under the spec's prefix.
struct LinearNames {
  std::string weight;
  std::string bias;
};

/// Tensor names of one layer.
struct LayerNames {
  LinearNames query, key, value, attention_output, attention_norm, up, down, output_norm;
};

/// What turns the first token's hidden state into logits.
enum class HeadKind {
  kNone,
  kPoolerClassifier,  ///< BERT: dense, tanh, classifier.
};

struct HeadNames {
  LinearNames dense;
  LinearNames output;
};

/// A post-norm encoder with learned absolute positions: BERT and its relatives.
struct EncoderSpec {
  std::size_t hidden_size = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t intermediate_size = 0;
  std::size_t vocabulary_size = 0;
  std::size_t positions = 0;        ///< Rows of the position table.
  std::size_t position_offset = 0;  ///< The first token's position id; `positions - position_offset` are usable.
  std::size_t token_types = 0;      ///< 0: no token type table.
  Pointwise activation = Pointwise::kGelu;
  float layer_norm_eps = 1e-12F;

  std::vector<std::string> prefixes;  ///< Tried in order before every name, e.g. {"", "bert."}.
  std::string word_embeddings;
  std::string position_embeddings;
  std::string token_type_embeddings;
  LinearNames embeddings_norm;
  std::vector<LayerNames> layer_names;

  HeadKind head = HeadKind::kNone;
  HeadNames head_names;
  std::size_t labels = 0;

  std::size_t usable_positions() const { return positions - position_offset; }
};

/// What the caller wants to do with the model.
enum class ModelTask { kEmbed, kClassify };

/// The spec of a model. Errors: kUnsupported (names the architecture or the setting), kCorruptData (sizes that
/// contradict each other), kInvalidArgument (classifying with a model that has no head).
Result<EncoderSpec> make_encoder_spec(const TransformerConfig& config, ModelTask task);

}  // namespace tandem
