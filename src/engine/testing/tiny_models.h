// For tests: a bi-encoder and a cross-encoder of two random layers, which answer within a millisecond.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/testing/encoder_goldens.h"
#include "formats/safetensors.h"
#include "tandem/bi_encoder.h"
#include "tandem/cross_encoder.h"
#include "tandem/document.h"

namespace tandem {

class TinyModels {
 public:
  TinyModels() {
    add_golden_files(bi_folder_, golden_.root().find("files").value());
    for (const TemporaryFolder* folder : {&cross_folder_, &classifier_folder_}) {
      add_golden_files(*folder, golden_.root().find("files").value());
    }
    add_golden_files(cross_folder_, variant("one label, Identity declared"));
    add_golden_files(classifier_folder_, variant("three labels, nothing declared"));
  }

  /// Mean pooling, 64 dimensions, 36 tokens, not normalised unless asked.
  BiEncoder bi_encoder(BiEncoderOptions options = {}) const {
    options.compute.precision = Precision::kF32;
    return must(BiEncoder::open(bi_folder_.path(), options));
  }
  /// One label, raw logits.
  CrossEncoder cross_encoder() const {
    return must(CrossEncoder::open(cross_folder_.path(), {.compute = {.precision = Precision::kF32}}));
  }
  /// Three labels.
  CrossEncoder classifier() const {
    return must(CrossEncoder::open(classifier_folder_.path(), {.compute = {.precision = Precision::kF32}}));
  }
  const TemporaryFolder& bi_folder() const { return bi_folder_; }

  /// Gives the bi-encoders that are opened from now on prompts, a JSON object by name. Only a folder with modules.json
  /// has any; pooling stays the mean.
  void write_prompts(std::string_view prompts) const {
    bi_folder_.write("modules.json", R"([{"path":"","type":"sentence_transformers.models.Transformer"},
      {"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}])");
    bi_folder_.write("1_Pooling/config.json", R"({"pooling_mode":"mean"})");
    bi_folder_.write("config_sentence_transformers.json", R"({"prompts":)" + std::string(prompts) + "}");
  }

  /// Gives all numbers of a tensor this value, or those of one row, in the bi-encoders that are opened from now on. The
  /// embeddings of words are the only ones that are not looked at in opening.
  void spoil_weights(float value, const std::string& tensor = "bert.embeddings.word_embeddings.weight",
                     std::optional<std::size_t> row = {}) const {
    const std::filesystem::path path = bi_folder_.path() / "model.safetensors";
    std::string content;
    {
      std::ifstream file(path, std::ios::binary);
      content.assign(std::istreambuf_iterator<char>(file), {});
    }
    const TensorMap tensors = must(parse_safetensors(std::as_bytes(std::span(content)), path.string()));
    const TensorView& view = tensors.at(tensor);
    const std::size_t bytes = row ? view.bytes.size() / view.shape.at(0) : view.bytes.size();
    const auto first = static_cast<std::size_t>(reinterpret_cast<const char*>(view.bytes.data()) - content.data());
    const std::size_t begin = first + row.value_or(0) * bytes;
    for (std::size_t place = begin; place < begin + bytes; place += sizeof value) {
      std::memcpy(content.data() + place, &value, sizeof value);
    }
    bi_folder_.write("model.safetensors", content);
  }

 private:
  JsonValue variant(std::string_view name) const {
    for (const JsonValue& each : must(golden_.root().get_array("variants"))) {
      if (must(each.get_string("name")) == name) return must(each.get_object("files"));
    }
    throw std::runtime_error("no such variant");
  }

  JsonDocument golden_ = must(JsonDocument::read_file(goldens_folder() / "tiny-bert/golden.json"));
  TemporaryFolder bi_folder_;
  TemporaryFolder cross_folder_;
  TemporaryFolder classifier_folder_;
};

/// Some documents in words that the tiny models' vocabulary has.
inline std::vector<Document> tiny_documents(std::size_t count) {
  constexpr std::string_view kWords[] = {"cat", "sat",  "mat",   "search", "model", "fast",
                                         "red", "boat", "water", "night",  "day",   "slow"};
  std::vector<Document> documents;
  for (std::size_t number = 0; number < count; ++number) {
    std::string text = "the";
    for (std::size_t word = 0; word < 3 + number % 5; ++word) {
      text.append(" ").append(kWords[(number * 7 + word * (1 + number / 12)) % std::size(kWords)]);
    }
    documents.push_back({.id = "d" + std::to_string(number),
                         .title = number % 3 == 0 ? "one " + std::to_string(number % 10) : "",
                         .text = std::move(text),
                         .metadata = ""});
  }
  return documents;
}

}  // namespace tandem
