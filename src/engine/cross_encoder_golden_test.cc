// The cross-encoder against what sentence-transformers answers: tests/goldens/encoder and tests/goldens/tiny-bert.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/testing/encoder_goldens.h"
#include "tandem/cross_encoder.h"

namespace tandem {
namespace {

// Bounds of docs/parity.md, on logits.
constexpr double kF32ErrorMax = 1e-3;
constexpr double kBf16ErrorMax = 0.06;
// The parity check holds int8 to a mean over many pairs. A few pairs can only be held to what the same model loses in
// ONNX Runtime 1.32's int8, which is the most that anybody should.
constexpr double kInt8ErrorMax = 0.26;
// A tiny model's logits are small: its bound is that of an embedding's components, relative above 1.
constexpr double kTinyErrorMax = 2e-5;

struct GoldenPair {
  std::string query;
  std::string document;
  std::size_t tokens_dropped = 0;
  std::vector<float> logits;
};

std::vector<TextPair> views_of(const std::vector<GoldenPair>& pairs) {
  std::vector<TextPair> views;
  for (const GoldenPair& pair : pairs) views.push_back({.query = pair.query, .document = pair.document});
  return views;
}

Activation activation_of(std::string_view name) {
  if (name == "none") return Activation::kNone;
  if (name == "sigmoid") return Activation::kSigmoid;
  if (name == "softmax") return Activation::kSoftmax;
  EXPECT_EQ(name, "auto");
  return Activation::kAuto;
}

/// Every cross-encoder of a folder of tiny checkpoints; returns how many.
std::size_t compare_tiny_models(const std::filesystem::path& source) {
  const JsonDocument golden = must(JsonDocument::read_file(source / "golden.json"));
  std::vector<GoldenPair> pairs;
  for (const JsonValue& spec : must(golden.root().get_array("pairs"))) {
    const std::vector<JsonValue> parts = must(spec.as_array());
    pairs.push_back({.query = golden_text(parts[0]), .document = golden_text(parts.at(1)), .logits = {}});
  }

  std::size_t variants_seen = 0;
  for (const JsonValue& variant : must(golden.root().get_array("variants"))) {
    if (must(variant.get_string("kind")) != "cross") continue;
    SCOPED_TRACE(must(variant.get_string("name")));
    const TemporaryFolder folder;
    add_golden_files(folder, must(golden.root().get_object("files")), source);
    add_golden_files(folder, must(variant.get_object("files")), source);
    const std::string_view activation = must(must(variant.get_object("options")).get_string("activation"));
    const CrossEncoder encoder =
        must(CrossEncoder::open(folder.path(), {.compute = {.precision = Precision::kF32, .executor = Executor(2)},
                                                .max_length = {},
                                                .activation = activation_of(activation)}));
    const PairScores scores = must(encoder.predict(views_of(pairs)));
    const std::vector<JsonValue> results = must(variant.get_array("results"));
    EXPECT_EQ(scores.scores.rows(), results.size());
    for (std::size_t row = 0; row < results.size(); ++row) {
      const std::vector<float> wanted = golden_floats(results[row]);
      EXPECT_EQ(scores.scores.columns(), wanted.size());
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const double size = std::max(1.0, std::fabs(static_cast<double>(wanted[i])));
        EXPECT_NEAR(scores.scores.row(row)[i], wanted[i], kTinyErrorMax * size) << "pair " << row << ", label " << i;
      }
    }
    ++variants_seen;
  }
  return variants_seen;
}

TEST(CrossEncoderGoldens, EveryHeadAndActivationOfATinyModel) {
  EXPECT_GE(compare_tiny_models(tiny_bert_folder()), 7U);
}

TEST(CrossEncoderGoldens, EveryFamilysHead) { EXPECT_EQ(compare_tiny_models(families_folder()), 9U); }

TEST(CrossEncoderGoldens, ModulesThatMakeVectorsAreNoPartOfIt) {
  const JsonDocument golden = must(JsonDocument::read_file(families_folder() / "golden.json"));
  const TemporaryFolder folder;
  for (const JsonValue& variant : must(golden.root().get_array("variants"))) {
    if (must(variant.get_string("name")) != "bert, 1 labels, none") continue;
    add_golden_files(folder, must(variant.get_object("files")), families_folder());
  }
  const auto identity = [&folder] { return must(must(CrossEncoder::open(folder.path())).identity()).weights_hash; };
  const std::string without = identity();
  folder.write("modules.json", R"([{"path":"","type":"sentence_transformers.models.Transformer"},
      {"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
      {"path":"2_Dense","type":"sentence_transformers.models.Dense"}])");
  folder.write("1_Pooling/config.json", R"({"pooling_mode":"mean"})");
  folder.write("2_Dense/config.json", R"({"in_features":32,"out_features":8})");  // Without weights.
  EXPECT_EQ(identity(), without);
}

class PublishedCrossEncoder : public testing::Test {
 protected:
  static constexpr const char* kModel = "ms-marco-MiniLM-L-12-v2";

  void SetUp() override {
    folder_ = published_model(kModel);
    if (folder_.empty()) GTEST_SKIP() << "TANDEM_TEST_MODELS holds no " << kModel;
    const JsonDocument golden =
        must(JsonDocument::read_file(goldens_folder() / "encoder" / (std::string(kModel) + ".json")));
    for (const JsonValue& row : must(golden.root().get_array("pairs"))) {
      goldens_.push_back({.query = golden_text(must(row.get("query"))),
                          .document = golden_text(must(row.get("document"))),
                          .tokens_dropped = must(row.get_unsigned("tokens_dropped")),
                          .logits = golden_floats(must(row.get("logits")))});
    }
    ASSERT_GE(goldens_.size(), 24U);
  }

  // The folder declares Identity, so the default scores are logits.
  CrossEncoder open(Precision precision) const {
    return must(CrossEncoder::open(folder_, {.compute = {.precision = precision, .executor = Executor(2)}}));
  }

  /// |logit - reference| of each pair.
  std::vector<double> errors(const CrossEncoder& encoder) const {
    const PairScores scores = must(encoder.predict(views_of(goldens_)));
    std::vector<double> found;
    for (std::size_t row = 0; row < goldens_.size(); ++row) {
      found.push_back(std::fabs(scores.scores.row(row)[0] - goldens_[row].logits.at(0)));
    }
    return found;
  }

  std::filesystem::path folder_;
  std::vector<GoldenPair> goldens_;
};

TEST_F(PublishedCrossEncoder, F32HasTheReferencesLogits) {
  const std::vector<double> found = errors(open(Precision::kF32));
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_LE(found[i], kF32ErrorMax) << goldens_[i].query.substr(0, 60) << " | " << goldens_[i].document.substr(0, 60);
  }
}

TEST_F(PublishedCrossEncoder, Bf16StaysWithinItsBound) {
  const CrossEncoder encoder = open(Precision::kBf16);
  if (encoder.compute().precision != Precision::kBf16) GTEST_SKIP() << "this processor runs bf16 as f32";
  for (const double error : errors(encoder)) EXPECT_LE(error, kBf16ErrorMax);
}

TEST_F(PublishedCrossEncoder, Int8LosesLessThanPeersOnRealText) {
  const std::vector<double> found = errors(open(Precision::kInt8));
  constexpr std::size_t kRealPairs = 7;  // The pairs after these are there to be nasty.
  for (std::size_t i = 0; i < kRealPairs; ++i) EXPECT_LE(found[i], kInt8ErrorMax) << goldens_[i].document;
}

TEST_F(PublishedCrossEncoder, CountsTheTokensThatTheReferenceCutsOff) {
  const CrossEncoder encoder = open(Precision::kF32);
  for (const GoldenPair& golden : goldens_) {
    const TextPair pair{.query = golden.query, .document = golden.document};
    const Truncation truncation = must(encoder.predict(std::span(&pair, 1))).truncation;
    EXPECT_EQ(truncation.tokens_dropped, golden.tokens_dropped) << golden.query.substr(0, 60);
  }
}

}  // namespace
}  // namespace tandem
