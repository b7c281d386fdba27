// Any bytes as one of the JSON files of a model folder whose other files are right. The first byte chooses the file.
#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/testing/temporary_folder.h"
#include "formats/model_config.h"

namespace {

struct File {
  const char* name;
  std::string_view content;
};

constexpr std::array kFiles = {
    File{"config.json", R"({"model_type":"bert","hidden_size":384,"num_hidden_layers":6,"num_attention_heads":12,
        "intermediate_size":1536,"vocab_size":30522,"max_position_embeddings":512,"hidden_act":"gelu"})"},
    File{"modules.json", R"([{"path":"","type":"sentence_transformers.models.Transformer"},
        {"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
        {"path":"2_Dense","type":"sentence_transformers.models.Dense"},
        {"path":"3_Normalize","type":"sentence_transformers.models.Normalize"}])"},
    File{"1_Pooling/config.json", R"({"pooling_mode":"mean"})"},
    File{"2_Dense/config.json", R"({"in_features":384,"out_features":384})"},
    File{"3_Normalize/config.json", R"({})"},
    File{"sentence_bert_config.json", R"({"max_seq_length":256})"},
    File{"tokenizer_config.json", R"({"model_max_length":512})"},
    File{"config_sentence_transformers.json", R"({"prompts":{"query":"query: "}})"},
    File{"tandem.json", R"({"id":"a/b"})"},
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tandem::TemporaryFolder* const folder = [] {
    auto* made = new tandem::TemporaryFolder;  // Lives as long as the process: the fuzzer leaves without destructors.
    for (const File& file : kFiles) made->write(file.name, file.content);
    CHECK(tandem::read_model_config(made->path()));
    return made;
  }();
  if (size == 0) return 0;
  const File& file = kFiles[data[0] % kFiles.size()];
  folder->write(file.name, {reinterpret_cast<const char*>(data + 1), size - 1});
  const tandem::Result<tandem::ModelConfig> config = tandem::read_model_config(folder->path());
  if (config) {
    CHECK(config->transformer.hidden_size % config->transformer.heads == 0);
    CHECK(tandem::max_tokens(*config, 512) <= 512);
  } else {
    CHECK(!config.error().message.empty());
  }
  folder->write(file.name, file.content);
  return 0;
}
