// An adapter's folder, damaged, on models that are whole: what opens must run, and keep what it promises.
#include <memory>
#include <string>
#include <vector>

#include "engine/testing/fuzzed_encoders.h"

namespace tandem {
namespace {

constexpr const char* kTextName = "fuzz.text";        // A text to encode,
constexpr const char* kChoicesName = "fuzz.choices";  // the model, and how it computes.

/// The models of tests/checkpoints/adapters.json with their adapters.
struct Models {
  std::vector<std::unique_ptr<TemporaryFolder>> models;
  std::vector<FolderFiles> adapters;
};

const Models& models() {
  static const Models* const models = [] {
    auto* made = new Models;
    const JsonDocument golden = must(JsonDocument::read_file(families_folder() / "adapters.json"));
    for (const JsonValue variant : must(golden.root().get_array("variants"))) {
      const char number = static_cast<char>(made->models.size());
      made->models.push_back(std::make_unique<TemporaryFolder>());
      add_golden_files(*made->models.back(), must(variant.get_object("files")), families_folder());
      made->adapters.push_back(golden_files(must(variant.get_object("adapter_files"))));
      made->adapters.back()[kChoicesName] = std::string(1, number);
    }
    return made;
  }();
  return *models;
}

}  // namespace

const FuzzedFolder& fuzzed_folder() {
  static const auto* const folder = new FuzzedFolder({.starts = models().adapters,
                                                      .other_names = {kTextName, "tandem.json"},
                                                      .keys = {"name",
                                                               "model_name",
                                                               "hidden_size",
                                                               "config",
                                                               "mh_adapter",
                                                               "output_adapter",
                                                               "reduction_factor",
                                                               "default",
                                                               "0",
                                                               "1",
                                                               "non_linearity",
                                                               "relu",
                                                               "gelu",
                                                               "swish",
                                                               "scaling",
                                                               "leave_out",
                                                               "original_ln_before",
                                                               "original_ln_after",
                                                               "ln_before",
                                                               "ln_after",
                                                               "adapter_residual_before_ln",
                                                               "residual_before_ln",
                                                               "post_add",
                                                               "peft_type",
                                                               "is_parallel",
                                                               "phm_layer",
                                                               "dtype",
                                                               "shape",
                                                               "data_offsets",
                                                               "__metadata__"}});
  return *folder;
}

void check_folder(const std::filesystem::path& folder, const FolderFiles& files) {
  const std::string bytes = content_of(files, kChoicesName);
  FuzzedChoices choices(bytes);
  const auto& model = models().models[choices.next() % models().models.size()];
  const BiEncoderOptions options{.compute = fuzzed_compute(choices), .adapter = folder};
  if (const auto encoder = BiEncoder::open(model->path(), options)) {
    check_bi_encoder(*encoder, fuzzed_texts(content_of(files, kTextName)), TextRole::kPlain);
  } else {
    check_error(encoder.error());
  }
}

}  // namespace tandem
