#include "model/encoder_families.h"

#include <array>
#include <string>
#include <utility>

namespace tandem {
namespace {

LinearNames linear(const std::string& name) { return {name + ".weight", name + ".bias"}; }

/// What BERT and those who took its code have in common, down to the names. transformers: models/bert/modeling_bert.py.
EncoderSpec bert_like(const TransformerConfig& config, const std::string& prefix) {
  EncoderSpec spec;
  spec.prefixes = {"", prefix};
  spec.word_embeddings = "embeddings.word_embeddings.weight";
  spec.position_embeddings = "embeddings.position_embeddings.weight";
  spec.token_type_embeddings = "embeddings.token_type_embeddings.weight";
  spec.token_types = config.token_types;
  spec.is_causal = config.is_decoder;
  spec.embeddings_norm = linear("embeddings.LayerNorm");
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    const std::string at = "encoder.layer." + std::to_string(layer) + ".";
    spec.layer_names.push_back({.query = linear(at + "attention.self.query"),
                                .key = linear(at + "attention.self.key"),
                                .value = linear(at + "attention.self.value"),
                                .attention_output = linear(at + "attention.output.dense"),
                                .attention_norm = linear(at + "attention.output.LayerNorm"),
                                .up = linear(at + "intermediate.dense"),
                                .down = linear(at + "output.dense"),
                                .output_norm = linear(at + "output.LayerNorm"),
                                .attention_adapters = at + "attention.output.adapters.",
                                .output_adapters = at + "output.adapters."});
  }
  return spec;
}

/// A head of two linear layers under "classifier.", which is no part of the encoder.
HeadSpec classifier_head(Pointwise activation) {
  return {.dense = linear("classifier.dense"), .activation = activation, .output = linear("classifier.out_proj")};
}

/// fairseq's numbering: positions begin after the padding id, and padding is not counted.
PositionRule positions_after(std::int64_t padding_id) {
  return {.first = static_cast<std::size_t>(padding_id) + 1, .padding_id = static_cast<std::int32_t>(padding_id)};
}

EncoderSpec bert(const TransformerConfig& config) {
  EncoderSpec spec = bert_like(config, "bert.");
  spec.head = {.dense = linear("pooler.dense"), .activation = Pointwise::kTanh, .output = linear("classifier")};
  return spec;
}

// transformers: models/roberta/modeling_roberta.py; models/xlm_roberta and models/camembert are the same code.
EncoderSpec roberta(const TransformerConfig& config) {
  EncoderSpec spec = bert_like(config, "roberta.");
  spec.position_rule = positions_after(config.pad_token_id);
  spec.head = classifier_head(Pointwise::kTanh);
  return spec;
}

// transformers: models/electra/modeling_electra.py.
EncoderSpec electra(const TransformerConfig& config) {
  EncoderSpec spec = bert_like(config, "electra.");
  if (config.embedding_size && *config.embedding_size != config.hidden_size) {
    spec.embedding_size = *config.embedding_size;
    spec.embedding_projection = linear("embeddings_project");
  }
  spec.head = classifier_head(Pointwise::kGelu);
  return spec;
}

// transformers: models/mpnet/modeling_mpnet.py, where the padding id, the number of buckets in use and the largest
// distance are constants whatever config.json says.
EncoderSpec mpnet(const TransformerConfig& config) {
  constexpr std::int64_t kPaddingId = 1;
  EncoderSpec spec = bert_like(config, "mpnet.");
  spec.token_types = 0;
  spec.is_causal = false;  // It knows no decoder, nor does DistilBERT.
  spec.position_rule = positions_after(kPaddingId);
  spec.relative_bias =
      RelativeBias{.table = "encoder.relative_attention_bias.weight", .buckets = 32, .distance_max = 128};
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    const std::string at = "encoder.layer." + std::to_string(layer) + ".attention.";
    LayerNames& names = spec.layer_names[layer];
    names.query = linear(at + "attn.q");
    names.key = linear(at + "attn.k");
    names.value = linear(at + "attn.v");
    names.attention_output = linear(at + "attn.o");
    names.attention_norm = linear(at + "LayerNorm");
    names.attention_adapters.clear();  // The adapters package knows no MPNet.
    names.output_adapters.clear();
  }
  spec.head = classifier_head(Pointwise::kTanh);
  return spec;
}

// transformers: models/distilbert/modeling_distilbert.py.
EncoderSpec distilbert(const TransformerConfig& config) {
  EncoderSpec spec = bert_like(config, "distilbert.");
  spec.token_types = 0;
  spec.is_causal = false;
  spec.layer_names.clear();
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    const std::string at = "transformer.layer." + std::to_string(layer) + ".";
    spec.layer_names.push_back({.query = linear(at + "attention.q_lin"),
                                .key = linear(at + "attention.k_lin"),
                                .value = linear(at + "attention.v_lin"),
                                .attention_output = linear(at + "attention.out_lin"),
                                .attention_norm = linear(at + "sa_layer_norm"),
                                .up = linear(at + "ffn.lin1"),
                                .down = linear(at + "ffn.lin2"),
                                .output_norm = linear(at + "output_layer_norm"),
                                .attention_adapters = at + "attention_adapters.adapters.",
                                .output_adapters = at + "output_adapters.adapters."});
  }
  spec.head = {.dense = linear("pre_classifier"), .activation = Pointwise::kRelu, .output = linear("classifier")};
  return spec;
}

constexpr std::array<std::pair<std::string_view, FamilySpec>, 7> kFamilies = {{{"bert", bert},
                                                                               {"camembert", roberta},
                                                                               {"distilbert", distilbert},
                                                                               {"electra", electra},
                                                                               {"mpnet", mpnet},
                                                                               {"roberta", roberta},
                                                                               {"xlm-roberta", roberta}}};

}  // namespace

FamilySpec find_family(std::string_view model_type) {
  for (const auto& [name, family] : kFamilies) {
    if (name == model_type) return family;
  }
  return nullptr;
}

std::string_view family_names() { return "bert, camembert, distilbert, electra, mpnet, roberta or xlm-roberta"; }

}  // namespace tandem
