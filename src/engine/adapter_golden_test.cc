// Adapters against what the adapters package answers: tests/checkpoints/adapters.json.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/testing/encoder_goldens.h"
#include "tandem/bi_encoder.h"

namespace tandem {
namespace {

constexpr double kComponentErrorMax = 2e-5;

/// A model and its adapter, put together from one variant of the golden.
class AdapterFolders {
 public:
  explicit AdapterFolders(JsonValue variant) {
    add_golden_files(model_, must(variant.get_object("files")), families_folder());
    add_golden_files(adapter_, must(variant.get_object("adapter_files")), families_folder());
  }
  Result<BiEncoder> open(Precision precision = Precision::kF32) const {
    return BiEncoder::open(model_.path(),
                           {.compute = {.precision = precision, .executor = Executor(1)}, .adapter = adapter_.path()});
  }
  const TemporaryFolder& model() const { return model_; }
  const TemporaryFolder& adapter() const { return adapter_; }
  /// Replaces a part of adapter_config.json.
  void change(std::string_view what, std::string_view with) const {
    std::string config = must(JsonDocument::read_file(adapter_.path() / "adapter_config.json")).root().dump();
    const std::size_t place = config.find(what);
    ASSERT_NE(place, std::string::npos) << config;
    adapter_.write("adapter_config.json", config.replace(place, what.size(), with));
  }

 private:
  TemporaryFolder model_;
  TemporaryFolder adapter_;
};

class AdapterGoldens : public testing::Test {
 protected:
  AdapterGoldens() : golden_(must(JsonDocument::read_file(families_folder() / "adapters.json"))) {
    for (const JsonValue& spec : must(golden_.root().get_array("texts"))) texts_.push_back(golden_text(spec));
    variants_ = must(golden_.root().get_array("variants"));
  }
  std::vector<std::string_view> texts() const { return {texts_.begin(), texts_.end()}; }

  void expect_refused(const AdapterFolders& folders, ErrorCode code, std::string_view part) const {
    const Result<BiEncoder> encoder = folders.open();
    ASSERT_FALSE(encoder) << part;
    EXPECT_EQ(encoder.error().code, code) << encoder.error().message;
    EXPECT_NE(encoder.error().message.find(part), std::string::npos) << encoder.error().message;
  }

  JsonDocument golden_;
  std::vector<std::string> texts_;
  std::vector<JsonValue> variants_;
};

TEST_F(AdapterGoldens, EveryKindHasTheReferencesComponents) {
  ASSERT_EQ(variants_.size(), 4U);
  for (const JsonValue& variant : variants_) {
    SCOPED_TRACE(must(variant.get_string("name")));
    const AdapterFolders folders(variant);
    const std::vector<JsonValue> results = must(variant.get_array("results"));
    for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
      const BiEncoder encoder = must(folders.open(precision));
      const Embeddings embeddings = must(encoder.encode(texts()));
      for (std::size_t row = 0; row < results.size(); ++row) {
        const std::vector<float> wanted = golden_floats(results[row]);
        EXPECT_GE(cosine(embeddings.vectors.row(row), wanted), 0.98) << "text " << row;
        if (precision != Precision::kF32) continue;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
          const double size = std::max(1.0, std::fabs(static_cast<double>(wanted[i])));
          EXPECT_NEAR(embeddings.vectors.row(row)[i], wanted[i], kComponentErrorMax * size) << row << ", " << i;
        }
      }
    }
  }
}

TEST_F(AdapterGoldens, AnAdapterIsPartOfWhatAModelIs) {
  const AdapterFolders folders(variants_[0]);
  folders.adapter().write("tandem.json", R"({"id":"allenai/specter2"})");
  const BiEncoderIdentity with = must(must(folders.open()).identity());
  const BiEncoderIdentity without = must(must(BiEncoder::open(folders.model().path())).identity());
  EXPECT_EQ(with.model, "allenai/specter2");
  EXPECT_NE(with.weights_hash, without.weights_hash);
  EXPECT_EQ(with.pooling, "cls");
  EXPECT_EQ(without.pooling, "mean");
}

TEST_F(AdapterGoldens, RefusesWhatDoesNotFit) {
  const struct {
    const char* what;
    const char* with;
    ErrorCode code;
    const char* part;
  } cases[] = {
      {R"("hidden_size":32)", R"("hidden_size":64)", ErrorCode::kConflict,
       "hidden_size is 64, the model's is 32: adapter '[PRX]'"},
      {R"("reduction_factor":4)", R"("reduction_factor":8)", ErrorCode::kCorruptData,
       "encoder.layer.0.output.adapters.[PRX].adapter_down.0.weight has shape [8, 32], want [4, 32]"},
      {R"("reduction_factor":4)", R"("reduction_factor":0)", ErrorCode::kCorruptData, "reduction_factor is 0"},
      {R"("reduction_factor":4)", R"("reduction_factor":{"x":1})", ErrorCode::kCorruptData, "\"x\" is no layer"},
      {R"("reduction_factor":4)", R"("reduction_factor":{"1":4})", ErrorCode::kCorruptData, "no number for layer 0"},
      {R"("name":"[PRX]")", R"("name":"other")", ErrorCode::kNotFound, "adapters.other.adapter_down.0"},
      {R"("mh_adapter":false)", R"("mh_adapter":true)", ErrorCode::kNotFound,
       "encoder.layer.0.attention.output.adapters.[PRX]"},
      {R"("non_linearity":"relu")", R"("non_linearity":"leakyrelu")", ErrorCode::kUnsupported, "'leakyrelu'"},
      {R"("is_parallel":false)", R"("is_parallel":true)", ErrorCode::kUnsupported, "is_parallel is true"},
      {R"("use_gating":false)", R"("use_gating":true)", ErrorCode::kUnsupported, "use_gating is true"},
      {R"("phm_layer":false)", R"("phm_layer":true)", ErrorCode::kUnsupported, "phm_layer is true"},
      {R"("inv_adapter":null)", R"("inv_adapter":"nice")", ErrorCode::kUnsupported, "inv_adapter is \"nice\""},
      {R"("scaling":1.0)", R"("scaling":"learned")", ErrorCode::kUnsupported, "scaling is \"learned\""},
      {R"("dropout":0.0)", R"("architecture":"prefix_tuning")", ErrorCode::kUnsupported, "architecture is"},
      {R"("residual_before_ln":true)", R"("residual_before_ln":"else")", ErrorCode::kUnsupported, "\"else\""},
      {R"("residual_before_ln":true)", R"("residual_before_ln":"post_add","original_ln_before":false)",
       ErrorCode::kCorruptData, "post_add"},
      {R"("name":)", R"("peft_type":"LORA","name":)", ErrorCode::kUnsupported, "peft_type \"LORA\""},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.with);
    const AdapterFolders folders(variants_[0]);
    folders.change(test.what, test.with);
    expect_refused(folders, test.code, test.part);
  }
}

TEST_F(AdapterGoldens, AnAdaptersFolderAloneIsNoModel) {
  const AdapterFolders folders(variants_[0]);
  const Result<BiEncoder> encoder = BiEncoder::open(folders.adapter().path());
  ASSERT_FALSE(encoder);
  EXPECT_NE(encoder.error().message.find("holds an adapter for tandem-tests/bert"), std::string::npos)
      << encoder.error().message;
}

}  // namespace
}  // namespace tandem
