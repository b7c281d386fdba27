#include "formats/onnx_weights.h"

#include <gtest/gtest.h>

#include <map>

#include "base/testing/temporary_folder.h"
#include "formats/tensor_source.h"

namespace tandem {
namespace {

// What follows writes protocol buffers by the wire format's own rules: https://protobuf.dev/programming-guides/encoding

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>((value & 0x7F) | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

std::string number_field(std::uint64_t number, std::uint64_t value) { return varint(number << 3) + varint(value); }

std::string bytes_field(std::uint64_t number, std::string_view bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}

template <class Value>
std::string raw(std::initializer_list<Value> values) {
  return {reinterpret_cast<const char*>(std::data(values)), values.size() * sizeof(Value)};
}

constexpr std::uint64_t kFloat = 1;
constexpr std::uint64_t kUint8 = 2;
constexpr std::uint64_t kInt8 = 3;
constexpr std::uint64_t kFloatData = 4;
constexpr std::uint64_t kInt32Data = 5;
constexpr std::uint64_t kRawData = 9;

/// A TensorProto; `data` is one whole field, or several.
std::string tensor(std::string_view name, std::uint64_t type, std::initializer_list<std::uint64_t> shape,
                   const std::string& data) {
  std::string message;
  for (const std::uint64_t dimension : shape) message += number_field(1, dimension);
  return bytes_field(5, message + number_field(2, type) + data + bytes_field(8, name));
}

std::string tensor_raw(std::string_view name, std::uint64_t type, std::initializer_list<std::uint64_t> shape,
                       std::string_view bytes) {
  return tensor(name, type, shape, bytes_field(kRawData, bytes));
}

std::string node(std::string_view operation, std::string_view name, std::initializer_list<std::string_view> inputs) {
  std::string message;
  for (const std::string_view input : inputs) message += bytes_field(1, input);
  return bytes_field(1, message + bytes_field(2, "output") + bytes_field(3, name) + bytes_field(4, operation));
}

std::string model(const std::string& graph) { return number_field(1, 7) + bytes_field(7, graph) + number_field(5, 1); }

struct Values {
  std::vector<std::uint64_t> shape;
  std::vector<float> values;
  bool operator==(const Values&) const = default;
};

Result<std::map<std::string, Values>> read(const std::string& file) {
  ASSIGN_OR_RETURN(const std::vector<ComputedTensor> weights,
                   read_onnx_weights(std::as_bytes(std::span(file)), "model.onnx"));
  std::map<std::string, Values> result;
  for (const ComputedTensor& weight : weights) {
    std::size_t elements = 1;
    for (const std::uint64_t dimension : weight.shape) elements *= dimension;
    Values& values = result[weight.name];
    values.shape = weight.shape;
    values.values.resize(elements);
    weight.fill(values.values);
  }
  return result;
}

void expect_refused(const std::string& graph, ErrorCode code, std::string_view part) {
  const auto weights = read(model(graph));
  ASSERT_FALSE(weights) << part;
  EXPECT_EQ(weights.error().code, code) << weights.error().message;
  EXPECT_NE(weights.error().message.find(part), std::string::npos) << weights.error().message;
}

const std::string kQueryNode =
    node("MatMulInteger", "/bert/encoder/layer.3/attention/self/query/MatMul_quant",
         {"activations_quantized", "onnx::MatMul_7_quantized", "activations_zero_point", "onnx::MatMul_7_zero_point"});

TEST(OnnxWeights, KeepsFloatWeightsUnderTheirNames) {
  const auto weights =
      read(model(tensor_raw("bert.pooler.dense.bias", kFloat, {2}, raw({1.5F, -2.0F})) +
                 tensor("embeddings.LayerNorm.weight", kFloat, {2}, bytes_field(kFloatData, raw({3.0F, 4.0F}))) +
                 tensor_raw("onnx::constant", kFloat, {1}, raw({5.0F}))));
  ASSERT_TRUE(weights) << weights.error().message;
  EXPECT_EQ(*weights, (std::map<std::string, Values>{{"bert.pooler.dense.bias", {{2}, {1.5F, -2.0F}}},
                                                     {"embeddings.LayerNorm.weight", {{2}, {3.0F, 4.0F}}}}));
}

TEST(OnnxWeights, ReadsAnEmbeddingTableAsItLies) {
  const std::string graph =
      tensor_raw("e.weight_quantized", kUint8, {3, 2}, raw<std::uint8_t>({128, 129, 0, 255, 127, 1})) +
      tensor("e.weight_scale", kFloat, {}, bytes_field(kFloatData, raw({0.5F}))) +
      tensor("e.weight_zero_point", kUint8, {}, bytes_field(kInt32Data, varint(128))) +
      node("Gather", "/e/Gather", {"e.weight_quantized", "input_ids"});
  const auto weights = read(model(graph));
  ASSERT_TRUE(weights) << weights.error().message;
  EXPECT_EQ(weights->at("e.weight"), (Values{{3, 2}, {0, 0.5F, -64, 63.5F, -0.5F, -63.5F}}));
}

TEST(OnnxWeights, TransposesAMatrixAndNamesItByItsNode) {
  // A zero point of −1, kept in each of the three ways that the format has.
  for (const std::string& zero_point : {bytes_field(kInt32Data, varint(~std::uint64_t{0})),
                                        number_field(kInt32Data, ~std::uint64_t{0}), bytes_field(kRawData, "\xff")}) {
    const auto weights = read(model(
        kQueryNode + tensor_raw("onnx::MatMul_7_quantized", kInt8, {2, 3}, raw<std::int8_t>({1, 2, 3, -4, -128, 127})) +
        tensor("onnx::MatMul_7_scale", kFloat, {}, varint(kFloatData << 3 | 5) + raw({0.25F})) +
        tensor("onnx::MatMul_7_zero_point", kInt8, {1}, zero_point)));
    ASSERT_TRUE(weights) << weights.error().message;
    EXPECT_EQ(*weights, (std::map<std::string, Values>{{"bert.encoder.layer.3.attention.self.query.weight",
                                                        {{3, 2}, {0.5F, -0.75F, 0.75F, -31.75F, 1, 32}}}}));
  }
}

TEST(OnnxWeights, AppliesScalesAndZeroPointsPerColumn) {
  const auto weights = read(model(
      tensor_raw("classifier.weight_quantized", kInt8, {2, 3}, raw<std::int8_t>({1, 2, 3, 4, 5, 6})) +
      tensor_raw("classifier.weight_scale", kFloat, {3}, raw({1.0F, 10.0F, 100.0F})) +
      tensor("classifier.weight_zero_point", kInt8, {3}, bytes_field(kInt32Data, varint(0) + varint(1) + varint(2))) +
      node("MatMulInteger", "/classifier/Gemm_MatMul_quant", {"a", "classifier.weight_quantized"})));
  ASSERT_TRUE(weights) << weights.error().message;
  EXPECT_EQ(weights->at("classifier.weight"), (Values{{3, 2}, {1, 4, 10, 40, 100, 400}}));
}

TEST(OnnxWeights, WritesThemAsSafetensors) {
  TemporaryFolder folder;
  const auto onnx = folder.write("model.onnx", model(tensor_raw("a.bias", kFloat, {2}, raw({1.0F, 2.0F}))));
  ASSERT_TRUE(convert_onnx_weights(onnx, folder.path() / "model.safetensors"));
  const Result<TensorSource> source = TensorSource::open_folder(folder.path());
  ASSERT_TRUE(source) << source.error().message;
  std::vector<float> values(2);
  copy_as_f32(*source->find("a.bias"), 0, values);
  EXPECT_EQ(values, (std::vector<float>{1, 2}));
}

TEST(OnnxWeights, RefusesQuantisedWeightsThatItDoesNotUnderstand) {
  const std::string matrix = tensor_raw("onnx::MatMul_7_quantized", kInt8, {1, 2}, "ab");
  const std::string scale = tensor_raw("onnx::MatMul_7_scale", kFloat, {}, raw({1.0F}));
  const std::string zero_point = tensor_raw("onnx::MatMul_7_zero_point", kInt8, {}, "a");
  ASSERT_TRUE(read(model(kQueryNode + matrix + scale + zero_point)));

  expect_refused(kQueryNode + matrix + zero_point, ErrorCode::kCorruptData, "MatMul_7_scale: no such initialiser");
  expect_refused(kQueryNode + matrix + scale, ErrorCode::kCorruptData, "MatMul_7_zero_point: no such initialiser");
  expect_refused(kQueryNode + scale + zero_point + tensor_raw("onnx::MatMul_7_quantized", kInt8, {2}, "ab"),
                 ErrorCode::kUnsupported, "shape [2], want an 8-bit matrix");
  expect_refused(kQueryNode + scale + zero_point + tensor_raw("onnx::MatMul_7_quantized", kFloat, {1, 2}, "abcdefgh"),
                 ErrorCode::kUnsupported, "ONNX type 1");
  expect_refused(kQueryNode + matrix + scale + tensor_raw("onnx::MatMul_7_zero_point", kUint8, {}, "a"),
                 ErrorCode::kUnsupported, "MatMul_7_zero_point: has ONNX type 2");
  expect_refused(kQueryNode + matrix + zero_point + tensor_raw("onnx::MatMul_7_scale", kFloat, {3}, "123456789012"),
                 ErrorCode::kUnsupported, "want type 1 and [] or [2]");
  expect_refused(kQueryNode + matrix + scale + tensor("onnx::MatMul_7_zero_point", kInt8, {}, ""),
                 ErrorCode::kCorruptData, "MatMul_7_zero_point: has 0 values");
  expect_refused(kQueryNode + kQueryNode + matrix + scale + zero_point, ErrorCode::kUnsupported, "weight of two nodes");
  expect_refused(kQueryNode + matrix + scale + zero_point +
                     tensor_raw("bert.encoder.layer.3.attention.self.query.weight", kFloat, {1}, "abcd"),
                 ErrorCode::kUnsupported, "comes from two places");
  for (const char* name : {"MatMul_quant", "/MatMul_quant", "/layer/Something_quant", ""}) {
    expect_refused(node("MatMulInteger", name, {"a", "onnx::MatMul_7_quantized"}) + matrix + scale + zero_point,
                   ErrorCode::kUnsupported, "does not tell the layer");
  }
  expect_refused(tensor("a.bias", kFloat, {1}, number_field(14, 1)), ErrorCode::kUnsupported, "outside the file");
  expect_refused("", ErrorCode::kUnsupported, "no weights under the names");
}

TEST(OnnxWeights, RefusesSizesThatLie) {
  expect_refused(tensor_raw("a.bias", kFloat, {2}, "abcdefg"), ErrorCode::kCorruptData,
                 "a.bias: has 7 bytes, but [2] needs 8");
  expect_refused(tensor_raw("a.bias", kFloat, {std::uint64_t{1} << 62, 4}, ""), ErrorCode::kCorruptData, "no shape of");
  expect_refused(tensor_raw("a.bias", kFloat, {0}, ""), ErrorCode::kCorruptData, "no shape of");
  expect_refused(tensor_raw("a.bias", kFloat, {1}, "abcd") + tensor_raw("a.bias", kFloat, {1}, "abcd"),
                 ErrorCode::kCorruptData, "two initialisers");
}

TEST(OnnxWeights, RefusesWhatIsNotProtocolBuffers) {
  const std::string whole = model(tensor_raw("a.bias", kFloat, {1}, "abcd"));
  ASSERT_TRUE(read(whole));
  for (const std::string& file : {whole.substr(0, 10), std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
                                  std::string("\x0b"), std::string("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
                                  std::string("\x39"
                                              "123")}) {
    const auto weights = read(file);
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().code, ErrorCode::kCorruptData);
    EXPECT_TRUE(weights.error().message.starts_with("model.onnx: not protocol buffers")) << weights.error().message;
  }
}

}  // namespace
}  // namespace tandem
