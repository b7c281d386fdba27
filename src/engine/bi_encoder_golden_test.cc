// The bi-encoder against what sentence-transformers answers: tests/goldens/encoder and tests/goldens/tiny-bert.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "engine/testing/encoder_goldens.h"
#include "engine/testing/tiny_models.h"
#include "formats/safetensors_writer.h"
#include "tandem/bi_encoder.h"
#include "tandem/tokenizer.h"

namespace tandem {
namespace {

// Bounds of docs/parity.md. The tiny model's components are not bounded by 1, so its bound is relative above that.
constexpr double kComponentErrorMax = 2e-5;
constexpr double kBf16CosineMin = 0.9998;
constexpr double kInt8CosineMin = 0.995;

std::vector<std::string_view> views_of(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

// ------------------------------------------------------------------------------------------------ the tiny checkpoint

BiEncoderOptions options_of(JsonValue variant) {
  const JsonValue given = must(variant.get_object("options"));
  BiEncoderOptions options{.compute = {.precision = Precision::kF32, .executor = Executor(2)}};
  options.normalize = must(given.find_bool("normalize"));
  options.dimensions = must(given.find_unsigned("dimensions"));
  options.max_length = must(given.find_unsigned("max_length"));
  if (const auto name = must(given.find_string("prompt_name"))) options.prompt_name = std::string(*name);
  return options;
}

TextRole role_of(JsonValue variant) {
  const std::string_view role = must(variant.get_string("role"));
  if (role == "query") return TextRole::kQuery;
  if (role == "document") return TextRole::kDocument;
  EXPECT_EQ(role, "plain");
  return TextRole::kPlain;
}

/// Every bi-encoder of a folder of tiny checkpoints; returns how many.
std::size_t compare_tiny_models(const std::filesystem::path& source) {
  const JsonDocument golden = must(JsonDocument::read_file(source / "golden.json"));
  std::vector<std::string> texts;
  for (const JsonValue& spec : must(golden.root().get_array("texts"))) texts.push_back(golden_text(spec));

  std::size_t variants_seen = 0;
  for (const JsonValue& variant : must(golden.root().get_array("variants"))) {
    if (must(variant.get_string("kind")) != "bi") continue;
    SCOPED_TRACE(must(variant.get_string("name")));
    const TemporaryFolder folder;
    add_golden_files(folder, must(golden.root().get_object("files")), source);
    add_golden_files(folder, must(variant.get_object("files")), source);
    const BiEncoder encoder = must(BiEncoder::open(folder.path(), options_of(variant)));

    std::vector<std::string_view> asked = views_of(texts);
    asked.resize(must(variant.get_unsigned("texts")));
    const Embeddings embeddings = must(encoder.encode(asked, role_of(variant)));
    const std::vector<JsonValue> results = must(variant.get_array("results"));
    EXPECT_EQ(embeddings.vectors.rows(), results.size());
    for (std::size_t row = 0; row < results.size(); ++row) {
      const std::vector<float> wanted = golden_floats(results[row]);
      const std::span<const float> found = embeddings.vectors.row(row);
      EXPECT_EQ(found.size(), wanted.size());
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const double size = std::max(1.0, std::fabs(static_cast<double>(wanted[i])));
        EXPECT_NEAR(found[i], wanted[i], kComponentErrorMax * size) << "text " << row << ", component " << i;
      }
    }
    ++variants_seen;
  }
  return variants_seen;
}

TEST(BiEncoderGoldens, EveryModuleAndOptionOfATinyModel) { EXPECT_GE(compare_tiny_models(tiny_bert_folder()), 30U); }

TEST(BiEncoderGoldens, EveryFamilyFormOfWeightsAndModule) { EXPECT_EQ(compare_tiny_models(families_folder()), 10U); }

// What the reference answers in f32 bounds the other precisions, too: loosely, because random weights of width 32 do
// not average rounding out. Batches must not matter in any of them.
TEST(BiEncoderGoldens, ErrorsNameTheFileThatIsWrong) {
  const JsonDocument golden = must(JsonDocument::read_file(families_folder() / "golden.json"));
  const TemporaryFolder folder;
  add_golden_files(folder, must(must(golden.root().get_array("variants")).front().get_object("files")),
                   families_folder());
  const std::string config = must(JsonDocument::read_file(folder.path() / "config.json")).root().dump();
  const auto error_with = [&](std::string_view what, std::string_view with) {
    std::string changed = config;
    const std::size_t place = changed.find(what);
    EXPECT_NE(place, std::string::npos) << config;
    folder.write("config.json", changed.replace(place, what.size(), with));
    const Result<BiEncoder> encoder = BiEncoder::open(folder.path());
    return encoder ? std::string("no error") : encoder.error().message;
  };
  const std::string where = folder.path().string();
  const std::string activation = error_with("\"hidden_act\":\"gelu\"", "\"hidden_act\":\"snake\"");
  EXPECT_TRUE(activation.starts_with(where + "/config.json: hidden_act 'snake' ")) << activation;
  const std::string shape = error_with("\"intermediate_size\":48", "\"intermediate_size\":52");
  EXPECT_TRUE(shape.starts_with(where + "/pytorch_model.bin: ")) << shape;
  const std::string missing = error_with("\"num_hidden_layers\":2", "\"num_hidden_layers\":3");
  EXPECT_TRUE(missing.starts_with(where + "/pytorch_model.bin: ") && missing.ends_with(" is missing")) << missing;
}

// Attention and quantisation make finite vectors of them.
TEST(BiEncoderGoldens, WeightsThatAreNotFiniteAreAnError) {
  for (const std::string tensor :
       {"bert.embeddings.LayerNorm.bias", "bert.encoder.layer.1.attention.self.query.weight",
        "bert.encoder.layer.0.attention.self.key.bias", "bert.encoder.layer.1.output.dense.weight"}) {
    const TinyModels models;
    models.spoil_weights(std::numeric_limits<float>::quiet_NaN(), tensor);
    const Result<BiEncoder> encoder = BiEncoder::open(models.bi_folder().path());
    ASSERT_FALSE(encoder) << tensor;
    EXPECT_EQ(encoder.error().code, ErrorCode::kCorruptData);
    const std::string where = (models.bi_folder().path() / "model.safetensors: ").string() + tensor + " has nan at ";
    EXPECT_TRUE(encoder.error().message.starts_with(where)) << encoder.error().message;
  }
}

// Each module's weights take their size: a folder full of links to one file would take it for each of them.
TEST(BiEncoderGoldens, ModulesHaveWeightsOfTheirOwn) {
  namespace fs = std::filesystem;
  const TinyModels models;
  const TemporaryFolder& folder = models.bi_folder();
  folder.write("1/config.json", R"({"pooling_mode":"mean"})");
  folder.write("2/config.json", R"({"dimension":64})");
  folder.write("3/config.json", R"({"dimension":64})");
  const auto ones = [](std::span<float> values) { std::ranges::fill(values, 1.0F); };
  const ComputedTensor norm[] = {{"norm.weight", {64}, ones}, {"norm.bias", {64}, ones}};
  const fs::path first = folder.path() / "2/model.safetensors";
  const fs::path second = folder.path() / "3/model.safetensors";
  ASSERT_TRUE(write_safetensors(first, norm));
  fs::create_directory_symlink("2", folder.path() / "link");
  const auto error_with = [&](std::string_view path) {
    folder.write("modules.json", fmt::format(R"([{{"path":"","type":"sentence_transformers.models.Transformer"}},
      {{"path":"1","type":"sentence_transformers.models.Pooling"}},
      {{"path":"2","type":"sentence_transformers.models.LayerNorm"}},
      {{"path":"{}","type":"sentence_transformers.models.LayerNorm"}}])",
                                             path));
    const Result<BiEncoder> encoder = BiEncoder::open(folder.path());
    return encoder ? std::string("no error") : encoder.error().message.substr(folder.path().string().size());
  };
  const std::string refused = ": another module has these weights";
  EXPECT_EQ(error_with("2"), "/2" + refused);
  EXPECT_EQ(error_with("link"), "/link" + refused);
  fs::create_symlink(first, second);
  EXPECT_EQ(error_with("3"), "/3" + refused);
  fs::remove(second);
  fs::create_hard_link(first, second);
  EXPECT_EQ(error_with("3"), "/3" + refused);
  fs::remove(second);
  fs::copy_file(first, second);
  EXPECT_EQ(error_with("3"), "no error");
}

// Collections and caches tell models apart by it.
TEST(BiEncoderGoldens, AVectorThatIsNotFiniteIsAnError) {
  const TinyModels models;
  const std::vector<std::string_view> texts{"the cat"};
  EXPECT_TRUE(models.bi_encoder().encode(texts));
  models.spoil_weights(std::numeric_limits<float>::infinity());
  const Result<Embeddings> embeddings = models.bi_encoder().encode(texts);
  ASSERT_FALSE(embeddings);
  EXPECT_EQ(embeddings.error().code, ErrorCode::kCorruptData);
  EXPECT_TRUE(embeddings.error().message.starts_with("text 1: ")) << embeddings.error().message;
}

// The other tokens read it through attention, where quantisation has made numbers of it.
TEST(BiEncoderGoldens, AWordThatIsNotFiniteIsAnErrorInEveryPrecision) {
  const TinyModels models;
  const std::int32_t unknown = must(Tokenizer::open(models.bi_folder().path())).id("[UNK]").value();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  models.spoil_weights(kNan, "bert.embeddings.word_embeddings.weight", static_cast<std::size_t>(unknown));
  for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
    for (const Pooling pooling : {Pooling::kCls, Pooling::kMean, Pooling::kMax, Pooling::kLastToken}) {
      const BiEncoder encoder =
          must(BiEncoder::open(models.bi_folder().path(), {.compute = {.precision = precision}, .pooling = pooling}));
      const std::string_view texts[] = {"the cat", "the \u2603 cat"};
      EXPECT_TRUE(encoder.encode({texts, 1}));
      const Result<Embeddings> embeddings = encoder.encode(texts);
      ASSERT_FALSE(embeddings) << static_cast<int>(precision) << " " << static_cast<int>(pooling);
      EXPECT_TRUE(embeddings.error().message.starts_with("text 2: ")) << embeddings.error().message;
    }
  }
  models.spoil_weights(kNan);
  EXPECT_FALSE(BiEncoder::open(models.bi_folder().path(), {.compute = {.precision = Precision::kInt8}}));
}

TEST(BiEncoderGoldens, TheIdentityKnowsTheWeightsOfModules) {
  const JsonDocument golden = must(JsonDocument::read_file(families_folder() / "golden.json"));
  std::size_t compared = 0;
  for (const JsonValue& variant : must(golden.root().get_array("variants"))) {
    const JsonValue files = must(variant.get_object("files"));
    std::string module;
    const Status listed = files.for_each_member([&](std::string_view name, JsonValue) -> Status {
      const bool is_module = name.find('/') != std::string_view::npos;
      if (is_module && name.ends_with(".safetensors")) module = name;
      return {};
    });
    ASSERT_TRUE(listed);
    if (module.empty()) continue;
    const TemporaryFolder folder;
    add_golden_files(folder, files, families_folder());
    const auto weights_hash = [&folder] {
      return must(must(BiEncoder::open(folder.path(), {.compute = {.precision = Precision::kF32}})).identity())
          .weights_hash;
    };
    const std::string before = weights_hash();
    std::fstream file(folder.path() / module, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-2, std::ios::end);  // Within the last weight.
    file.put(0x01);
    file.close();
    EXPECT_NE(weights_hash(), before) << module;
    ++compared;
  }
  EXPECT_EQ(compared, 2U);
}

TEST(BiEncoderGoldens, EveryFamilyInEveryPrecisionAndBatch) {
  constexpr double kCosineMin = 0.98;
  const JsonDocument golden = must(JsonDocument::read_file(families_folder() / "golden.json"));
  std::vector<std::string> texts;
  for (const JsonValue& spec : must(golden.root().get_array("texts"))) texts.push_back(golden_text(spec));
  for (const JsonValue& variant : must(golden.root().get_array("variants"))) {
    if (must(variant.get_string("kind")) != "bi") continue;
    const TemporaryFolder folder;
    add_golden_files(folder, must(variant.get_object("files")), families_folder());
    const std::vector<JsonValue> results = must(variant.get_array("results"));
    for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
      SCOPED_TRACE(std::string(must(variant.get_string("name"))) + ", precision " +
                   std::to_string(static_cast<int>(precision)));
      const BiEncoder encoder = must(BiEncoder::open(
          folder.path(), {.compute = {.precision = precision, .executor = Executor(1), .batch_tokens = 500}}));
      const Embeddings together = must(encoder.encode(views_of(texts)));
      for (std::size_t row = 0; row < results.size(); ++row) {
        EXPECT_GE(cosine(together.vectors.row(row), golden_floats(results[row])), kCosineMin) << "text " << row;
        const std::string_view text = texts[row];
        const Embeddings alone = must(encoder.encode(std::span(&text, 1)));
        EXPECT_TRUE(std::ranges::equal(alone.vectors.row(0), together.vectors.row(row))) << "text " << row;
      }
    }
  }
}

// --------------------------------------------------------------------------------------------- published checkpoints

struct GoldenText {
  std::string text;
  std::size_t tokens_dropped = 0;
  std::size_t stride = 1;     // The golden has every stride-th component.
  std::vector<float> vector;  // [dimensions / stride]
};

std::vector<GoldenText> read_texts(const std::string& model) {
  const JsonDocument golden = must(JsonDocument::read_file(goldens_folder() / "encoder" / (model + ".json")));
  std::vector<GoldenText> texts;
  for (const JsonValue& row : must(golden.root().get_array("texts"))) {
    texts.push_back({.text = golden_text(must(row.get("text"))),
                     .tokens_dropped = must(row.get_unsigned("tokens_dropped")),
                     .stride = must(row.get_unsigned("stride")),
                     .vector = golden_floats(must(row.get("vector")))});
  }
  return texts;
}

class PublishedBiEncoder : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    folder_ = published_model(GetParam());
    if (folder_.empty()) GTEST_SKIP() << "TANDEM_TEST_MODELS holds no " << GetParam();
    goldens_ = read_texts(GetParam());
    ASSERT_GE(goldens_.size(), 24U);
  }

  BiEncoder open(Precision precision) const {
    return must(BiEncoder::open(folder_, {.compute = {.precision = precision, .executor = Executor(2)}}));
  }

  /// The cosine to the reference of each text whose golden is whole.
  std::vector<double> cosines(Precision precision) const {
    const BiEncoder encoder = open(precision);
    if (encoder.compute().precision != precision) return {};
    std::vector<double> found;
    for (const GoldenText& golden : goldens_) {
      if (golden.stride != 1) continue;
      const std::string_view text = golden.text;
      const Embeddings embeddings = must(encoder.encode(std::span(&text, 1)));
      found.push_back(cosine(embeddings.vectors.row(0), golden.vector));
    }
    return found;
  }

  std::filesystem::path folder_;
  std::vector<GoldenText> goldens_;
};

TEST_P(PublishedBiEncoder, F32HasTheReferencesComponents) {
  std::vector<std::string_view> texts;
  for (const GoldenText& golden : goldens_) texts.emplace_back(golden.text);
  const Embeddings embeddings = must(open(Precision::kF32).encode(texts));
  for (std::size_t row = 0; row < goldens_.size(); ++row) {
    SCOPED_TRACE(goldens_[row].text.substr(0, 60));
    for (std::size_t i = 0; i < goldens_[row].vector.size(); ++i) {
      ASSERT_NEAR(embeddings.vectors.row(row)[i * goldens_[row].stride], goldens_[row].vector[i], kComponentErrorMax)
          << "component " << i * goldens_[row].stride;
    }
  }
}

TEST_P(PublishedBiEncoder, CountsTheTokensThatTheReferenceCutsOff) {
  const BiEncoder encoder = open(Precision::kF32);
  for (const GoldenText& golden : goldens_) {
    const std::string_view text = golden.text;
    const Truncation truncation = must(encoder.encode(std::span(&text, 1))).truncation;
    EXPECT_EQ(truncation.tokens_dropped, golden.tokens_dropped) << golden.text.substr(0, 60);
    EXPECT_EQ(truncation.texts_truncated, golden.tokens_dropped > 0 ? 1U : 0U);
  }
}

TEST_P(PublishedBiEncoder, Bf16StaysWithinItsBound) {
  const std::vector<double> found = cosines(Precision::kBf16);
  if (found.empty()) GTEST_SKIP() << "this processor runs bf16 as f32";
  EXPECT_GE(std::ranges::min(found), kBf16CosineMin);
}

TEST_P(PublishedBiEncoder, Int8StaysWithinItsBound) {
  const std::vector<double> found = cosines(Precision::kInt8);
  ASSERT_FALSE(found.empty());
  EXPECT_GE(std::ranges::min(found), kInt8CosineMin);
}

INSTANTIATE_TEST_SUITE_P(, PublishedBiEncoder, testing::Values("all-MiniLM-L6-v2", "bge-small-en-v1.5"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase_if(name, [](char c) { return c == '-' || c == '.'; });
                           return name;
                         });

}  // namespace
}  // namespace tandem
