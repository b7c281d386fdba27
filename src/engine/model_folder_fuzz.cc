// A whole model folder, damaged: what opens as a bi-encoder or a cross-encoder must run, and keep what it promises.
#include <cstdint>
#include <optional>
#include <string>

#include "engine/testing/fuzzed_encoders.h"

namespace tandem {
namespace {

constexpr const char* kTextName = "fuzz.text";        // A text to encode,
constexpr const char* kChoicesName = "fuzz.choices";  // and options to open with.

/// The folder of a family with a tokenizer of the older files.
FolderFiles with_old_tokenizer(FolderFiles folder, const FolderFiles& tokenizer) {
  folder.erase("tokenizer.json");
  folder.erase("tokenizer_config.json");
  folder.insert(tokenizer.begin(), tokenizer.end());
  return folder;
}

}  // namespace

const FuzzedFolder& fuzzed_folder() {
  static const FuzzedFolder* const folder = [] {
    FuzzedFolder::Options options;
    const JsonDocument golden = must(JsonDocument::read_file(families_folder() / "golden.json"));
    FolderFiles bert;
    FolderFiles roberta;
    for (const JsonValue variant : must(golden.root().get_array("variants"))) {
      options.starts.push_back(golden_files(must(variant.get_object("files"))));
      const std::string_view name = must(variant.get_string("name"));
      if (name == "bert, no modules.json") bert = options.starts.back();
      if (name == "roberta, no modules.json") roberta = options.starts.back();
    }
    bert["1_Pooling/config.json"] = R"({"word_embedding_dimension":32,"pooling_mode_mean_tokens":true})";
    bert["modules.json"] = R"([{"idx":0,"path":"","type":"sentence_transformers.models.Transformer"},
        {"idx":1,"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
        {"idx":2,"path":"2_Normalize","type":"sentence_transformers.models.Normalize"}])";
    bert["config_sentence_transformers.json"] =
        R"({"prompts":{"query":"the ","document":"a "},"default_prompt_name":"query"})";
    bert["sentence_bert_config.json"] = R"({"max_seq_length":32,"do_lower_case":true})";
    options.starts.push_back(with_old_tokenizer(
        bert, {{"vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\nsat\non\nmat\n.\none\n##s\n##t\na\nt\n"},
               {"tokenizer_config.json", R"({"do_lower_case":true,"model_max_length":40})"},
               {"special_tokens_map.json", R"({"mask_token":{"content":"[MASK]","lstrip":true}})"},
               {"added_tokens.json", R"({"<x>":16})"}}));
    options.starts.push_back(with_old_tokenizer(
        roberta,
        {{"vocab.json", R"({"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"<mask>":4,"a":5,"t":6,"c":7,"at":8,"cat":9,"Ġ":10})"},
         {"merges.txt", "#version: 0.2\na t\nc at\n"},
         {"tokenizer_config.json", R"({"add_prefix_space":true,"added_tokens_decoder":{"4":{"content":"<mask>"}}})"}}));
    options.other_names = {kTextName, kChoicesName, "sentencepiece.bpe.model", "tandem.json",
                           "model.safetensors.index.json"};
    options.keys = {"model_type",
                    "hidden_size",
                    "num_hidden_layers",
                    "num_attention_heads",
                    "intermediate_size",
                    "vocab_size",
                    "max_position_embeddings",
                    "type_vocab_size",
                    "layer_norm_eps",
                    "pad_token_id",
                    "embedding_size",
                    "hidden_act",
                    "position_embedding_type",
                    "id2label",
                    "num_labels",
                    "architectures",
                    "sentence_transformers",
                    "dim",
                    "sbert_ce_default_activation_function",
                    "pooling_mode",
                    "word_embedding_dimension",
                    "include_prompt",
                    "in_features",
                    "out_features",
                    "bias",
                    "activation_function",
                    "use_residual",
                    "max_seq_length",
                    "do_lower_case",
                    "model_max_length",
                    "prompts",
                    "default_prompt_name",
                    "truncate_dim",
                    "activation_fn",
                    "weight_map",
                    "dtype",
                    "shape",
                    "data_offsets",
                    "__metadata__",
                    "added_tokens",
                    "normalizer",
                    "pre_tokenizer",
                    "post_processor",
                    "model",
                    "vocab",
                    "merges",
                    "unk_token",
                    "unk_id",
                    "type",
                    "normalizers",
                    "pretokenizers",
                    "processors",
                    "single",
                    "pair",
                    "special_tokens",
                    "SpecialToken",
                    "Sequence",
                    "id",
                    "ids",
                    "tokens",
                    "type_id",
                    "content",
                    "pattern",
                    "Regex",
                    "String",
                    "Replace",
                    "Prepend",
                    "ByteLevel",
                    "Metaspace",
                    "TemplateProcessing",
                    "BertProcessing",
                    "RobertaProcessing",
                    "Unigram",
                    "BPE",
                    "WordPiece",
                    "Whitespace",
                    "Split",
                    "Strip",
                    "Lowercase",
                    "NFKD",
                    "byte_fallback",
                    "fuse_unk",
                    "ignore_merges",
                    "lstrip",
                    "rstrip",
                    "single_word",
                    "normalized",
                    "special",
                    "added_tokens_decoder",
                    "additional_special_tokens",
                    "cls_token",
                    "mask_token",
                    "tokenizer_class",
                    "strip_accents",
                    "continuing_subword_prefix",
                    "end_of_word_suffix",
                    "behavior",
                    "invert"};
    return new FuzzedFolder(std::move(options));
  }();
  return *folder;
}

void check_folder(const std::filesystem::path& folder, const FolderFiles& files) {
  const std::vector<std::string> texts = fuzzed_texts(content_of(files, kTextName));
  const std::string bytes = content_of(files, kChoicesName);
  FuzzedChoices choices(bytes);
  const ComputeOptions compute = fuzzed_compute(choices);
  BiEncoderOptions options{.compute = compute};
  if (const std::size_t choice = choices.next(); choice != 0) options.pooling = static_cast<Pooling>(choice % 6);
  if (const std::size_t choice = choices.next(); choice != 0) options.dimensions = choice;
  if (const std::size_t choice = choices.next(); choice != 0) options.max_length = choice;
  if (const std::size_t choice = choices.next(); choice != 0) options.normalize = choice % 2 == 0;
  const auto role = static_cast<TextRole>(choices.next() % 3);
  const Activation activation = static_cast<Activation>(choices.next() % 4);

  if (const auto encoder = BiEncoder::open(folder, options)) {
    check_bi_encoder(*encoder, texts, role);
  } else {
    check_error(encoder.error());
  }
  const CrossEncoderOptions cross_options{
      .compute = compute, .max_length = options.max_length, .activation = activation};
  if (const auto encoder = CrossEncoder::open(folder, cross_options)) {
    check_cross_encoder(*encoder, texts);
  } else {
    check_error(encoder.error());
  }
}

}  // namespace tandem
