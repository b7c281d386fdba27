#include "formats/onnx_weights.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/protobuf_reader.h"
#include "formats/tensor_source.h"

namespace tandem {
namespace {

using Bytes = std::span<const std::byte>;
using Field = ProtobufField;
using FieldReader = ProtobufReader;

std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// An initialiser: TensorProto.
struct OnnxTensor {
  // TensorProto.DataType.
  static constexpr std::uint64_t kFloat = 1;
  static constexpr std::uint64_t kUint8 = 2;
  static constexpr std::uint64_t kInt8 = 3;

  std::string_view name;
  std::uint64_t type = 0;
  std::vector<std::uint64_t> shape;
  Bytes values;                               ///< raw_data, or packed float_data: both are the elements, little-endian.
  Bytes integers;                             ///< Packed int32_data: varints, which is how short INT8 tensors are kept.
  std::optional<std::uint64_t> single_value;  ///< float_data or int32_data that is not packed.

  bool is_int8() const { return type == kUint8 || type == kInt8; }
};

/// How a matrix was quantised: one scale and one zero point for all of it, or one for each column.
struct Quantisation {
  std::vector<float> scales;
  std::vector<std::int32_t> zero_points;
};

/// What of NodeProto matters here.
struct OnnxNode {
  std::string_view name;
  std::string_view operation;
  std::vector<std::string_view> inputs;
};

Result<OnnxTensor> read_tensor(Bytes message) {
  OnnxTensor tensor;
  FieldReader reader(message);
  while (!reader.at_end()) {
    ASSIGN_OR_RETURN(const Field field, reader.next());
    switch (field.number) {
      case 1: {  // dims, packed or one by one
        FieldReader numbers(field.bytes);
        if (!field.is_bytes) tensor.shape.push_back(field.number_value);
        while (!numbers.at_end()) {
          ASSIGN_OR_RETURN(const std::uint64_t dimension, numbers.varint());
          tensor.shape.push_back(dimension);
        }
        break;
      }
      case 2:
        tensor.type = field.number_value;
        break;
      case 4:  // float_data
        if (field.is_bytes) tensor.values = field.bytes;
        if (!field.is_bytes) tensor.single_value = field.number_value;
        break;
      case 5:  // int32_data
        if (field.is_bytes) tensor.integers = field.bytes;
        if (!field.is_bytes) tensor.single_value = field.number_value;
        break;
      case 8:
        tensor.name = as_text(field.bytes);
        break;
      case 9:  // raw_data
        tensor.values = field.bytes;
        break;
      case 14:  // data_location
        if (field.number_value != 0) {
          return fail(ErrorCode::kUnsupported, "{}: weights outside the file are not supported", tensor.name);
        }
        break;
      default:
        break;
    }
  }
  return tensor;
}

Result<OnnxNode> read_node(Bytes message) {
  OnnxNode node;
  FieldReader reader(message);
  while (!reader.at_end()) {
    ASSIGN_OR_RETURN(const Field field, reader.next());
    if (field.number == 1) node.inputs.push_back(as_text(field.bytes));
    if (field.number == 3) node.name = as_text(field.bytes);
    if (field.number == 4) node.operation = as_text(field.bytes);
  }
  return node;
}

/// Checks that a tensor has the elements that its shape says.
Status check_size(const OnnxTensor& tensor) {
  std::uint64_t bytes = tensor.type == OnnxTensor::kFloat ? sizeof(float) : 1;
  for (const std::uint64_t dimension : tensor.shape) {
    if (dimension == 0 || bytes > std::numeric_limits<std::uint64_t>::max() / dimension) {
      return fail(ErrorCode::kCorruptData, "{}: {} is no shape of a weight", tensor.name, shape_text(tensor.shape));
    }
    bytes *= dimension;
  }
  if (bytes != tensor.values.size()) {
    return fail(ErrorCode::kCorruptData, "{}: has {} bytes, but {} needs {}", tensor.name, tensor.values.size(),
                shape_text(tensor.shape), bytes);
  }
  return {};
}

/// "/bert/encoder/layer.3/attention/self/query/MatMul_quant" is bert.encoder.layer.3.attention.self.query.weight.
std::optional<std::string> weight_name_of_node(std::string_view node) {
  const std::size_t slash = node.rfind('/');
  if (!node.starts_with('/') || slash == 0) return std::nullopt;
  const std::string_view operation = node.substr(slash + 1);
  if (operation != "MatMul_quant" && operation != "Gemm_MatMul_quant") return std::nullopt;
  std::string name(node.substr(1, slash - 1));
  std::ranges::replace(name, '/', '.');
  return name + ".weight";
}

/// The graph of a file, and what is made of it.
class Graph {
 public:
  Status read(Bytes file) {
    FieldReader model(file);
    while (!model.at_end()) {
      ASSIGN_OR_RETURN(const Field field, model.next());
      if (field.number == 7) RETURN_IF_ERROR(read_graph(field.bytes));
    }
    return {};
  }

  Result<std::vector<ComputedTensor>> weights() const {
    std::map<std::string, ComputedTensor> weights;
    const auto add = [&weights](ComputedTensor weight) -> Status {
      std::string name = weight.name;
      if (weights.emplace(name, std::move(weight)).second) return {};
      return fail(ErrorCode::kUnsupported, "{}: comes from two places", name);
    };
    for (const auto& [name, tensor] : tensors_) {
      if (tensor.type != OnnxTensor::kFloat || !(name.ends_with(".weight") || name.ends_with(".bias"))) continue;
      RETURN_IF_ERROR(check_size(tensor));
      RETURN_IF_ERROR(add({std::string(name), tensor.shape, [values = tensor.values](std::span<float> out) {
                             std::memcpy(out.data(), values.data(), out.size_bytes());
                           }}));
    }
    std::map<std::string_view, std::string_view> users;  // Of each quantised tensor: a shared one is not understood.
    for (const OnnxNode& node : nodes_) {
      ASSIGN_OR_RETURN(const std::optional<ComputedTensor> weight, weight_of_node(node, users));
      if (weight) RETURN_IF_ERROR(add(*weight));
    }
    if (weights.empty()) return fail(ErrorCode::kUnsupported, "has no weights under the names of a checkpoint");
    std::vector<ComputedTensor> result;
    for (auto& [name, weight] : weights) result.push_back(std::move(weight));
    return result;
  }

 private:
  Status read_graph(Bytes message) {
    FieldReader graph(message);
    while (!graph.at_end()) {
      ASSIGN_OR_RETURN(const Field field, graph.next());
      if (field.number == 1) {
        ASSIGN_OR_RETURN(OnnxNode node, read_node(field.bytes));
        nodes_.push_back(std::move(node));
      } else if (field.number == 5) {
        ASSIGN_OR_RETURN(OnnxTensor tensor, read_tensor(field.bytes));
        const std::string_view name = tensor.name;
        if (!tensors_.emplace(name, std::move(tensor)).second) {
          return fail(ErrorCode::kCorruptData, "{}: two initialisers have this name", name);
        }
      }
    }
    return {};
  }

  /// The weight that a node takes from a quantised initialiser, if it takes one.
  Result<std::optional<ComputedTensor>> weight_of_node(const OnnxNode& node,
                                                       std::map<std::string_view, std::string_view>& users) const {
    const bool is_lookup = node.operation == "Gather";
    const std::size_t input = is_lookup ? 0 : 1;
    if ((!is_lookup && node.operation != "MatMulInteger") || node.inputs.size() <= input) {
      return std::optional<ComputedTensor>();
    }
    constexpr std::string_view kSuffix = "_quantized";
    const std::string_view quantized_name = node.inputs[input];
    const auto found = tensors_.find(quantized_name);
    if (found == tensors_.end() || !quantized_name.ends_with(kSuffix)) return std::optional<ComputedTensor>();
    const OnnxTensor& tensor = found->second;
    const std::string stem(quantized_name.substr(0, quantized_name.size() - kSuffix.size()));
    if (const auto [user, is_first] = users.emplace(quantized_name, node.name); !is_first) {
      return fail(ErrorCode::kUnsupported, "{}: is the weight of two nodes, {} and {}", quantized_name, user->second,
                  node.name);
    }
    if (!tensor.is_int8() || tensor.shape.size() != 2) {
      return fail(ErrorCode::kUnsupported, "{}: has ONNX type {} and shape {}, want an 8-bit matrix", quantized_name,
                  tensor.type, shape_text(tensor.shape));
    }
    RETURN_IF_ERROR(check_size(tensor));
    ASSIGN_OR_RETURN(const Quantisation quantisation, quantisation_of(stem, tensor));
    const std::uint64_t rows = tensor.shape[0];
    const std::uint64_t columns = tensor.shape[1];

    if (is_lookup) {
      return ComputedTensor{stem, {rows, columns}, [=](std::span<float> out) {
                              for (std::size_t row = 0; row < rows; ++row) {
                                for (std::size_t column = 0; column < columns; ++column) {
                                  out[row * columns + column] = value(tensor, row, column, quantisation);
                                }
                              }
                            }};
    }
    const std::optional<std::string> name = weight_name_of_node(node.name);
    if (!name) {
      return fail(ErrorCode::kUnsupported, "node {}: its name does not tell the layer of its weight {}", node.name,
                  quantized_name);
    }
    return ComputedTensor{*name, {columns, rows}, [=](std::span<float> out) {
                            for (std::size_t column = 0; column < columns; ++column) {
                              for (std::size_t row = 0; row < rows; ++row) {
                                out[column * rows + row] = value(tensor, row, column, quantisation);
                              }
                            }
                          }};
  }

  static std::int32_t from_byte(std::byte byte, std::uint64_t type) {
    const auto bits = std::to_integer<std::uint8_t>(byte);
    return type == OnnxTensor::kInt8 ? static_cast<std::int8_t>(bits) : bits;
  }

  static float value(const OnnxTensor& tensor, std::size_t row, std::size_t column, const Quantisation& quantisation) {
    const std::int32_t quantized = from_byte(tensor.values[row * tensor.shape[1] + column], tensor.type);
    const std::size_t scale = quantisation.scales.size() == 1 ? 0 : column;
    const std::size_t zero_point = quantisation.zero_points.size() == 1 ? 0 : column;
    return static_cast<float>(quantized - quantisation.zero_points[zero_point]) * quantisation.scales[scale];
  }

  Result<Quantisation> quantisation_of(const std::string& stem, const OnnxTensor& tensor) const {
    Quantisation result;
    ASSIGN_OR_RETURN(const OnnxTensor* scale, find_per_column(stem + "_scale", OnnxTensor::kFloat, tensor));
    for (Bytes rest = scale->values; rest.size() >= sizeof(float); rest = rest.subspan(sizeof(float))) {
      std::memcpy(&result.scales.emplace_back(), rest.data(), sizeof(float));
    }
    if (scale->single_value) {
      result.scales.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(*scale->single_value)));
    }
    RETURN_IF_ERROR(check_count(*scale, result.scales.size()));

    ASSIGN_OR_RETURN(const OnnxTensor* zero_point, find_per_column(stem + "_zero_point", tensor.type, tensor));
    const auto add = [&result, &tensor](std::byte byte) { result.zero_points.push_back(from_byte(byte, tensor.type)); };
    for (const std::byte byte : zero_point->values) add(byte);
    // A negative number is the varint of its 64 bits, of which the lowest eight are its byte.
    if (zero_point->single_value) add(static_cast<std::byte>(*zero_point->single_value));
    for (FieldReader integers(zero_point->integers); !integers.at_end();) {
      ASSIGN_OR_RETURN(const std::uint64_t integer, integers.varint());
      add(static_cast<std::byte>(integer));
    }
    RETURN_IF_ERROR(check_count(*zero_point, result.zero_points.size()));
    return result;
  }

  static Status check_count(const OnnxTensor& tensor, std::size_t count) {
    if (count == (tensor.shape.empty() ? 1 : tensor.shape[0])) return {};
    return fail(ErrorCode::kCorruptData, "{}: has {} values, but its shape is {}", tensor.name, count,
                shape_text(tensor.shape));
  }

  /// The scale or the zero point of a matrix.
  Result<const OnnxTensor*> find_per_column(const std::string& name, std::uint64_t type,
                                            const OnnxTensor& matrix) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) return fail(ErrorCode::kCorruptData, "{}: no such initialiser", name);
    const OnnxTensor& tensor = found->second;
    const bool is_single = tensor.shape.empty() || tensor.shape == std::vector<std::uint64_t>{1};
    if (tensor.type != type || (!is_single && tensor.shape != std::vector{matrix.shape[1]})) {
      return fail(ErrorCode::kUnsupported, "{}: has ONNX type {} and shape {}, want type {} and [] or [{}]", name,
                  tensor.type, shape_text(tensor.shape), type, matrix.shape[1]);
    }
    return &tensor;
  }

  std::map<std::string_view, OnnxTensor> tensors_;
  std::vector<OnnxNode> nodes_;
};

}  // namespace

Result<std::vector<ComputedTensor>> read_onnx_weights(Bytes file, std::string_view name) {
  Graph graph;
  if (Status status = graph.read(file); !status) return fail_in(name, std::move(status).error());
  Result<std::vector<ComputedTensor>> weights = graph.weights();
  if (!weights) return fail_in(name, std::move(weights).error());
  return weights;
}

Status convert_onnx_weights(const std::filesystem::path& onnx, const std::filesystem::path& safetensors) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::open(onnx));
  ASSIGN_OR_RETURN(const std::vector<ComputedTensor> weights, read_onnx_weights(file.bytes(), onnx.string()));
  // The weights borrow from the file: after they were written, it shows whether it was whole until then.
  RETURN_IF_ERROR(write_safetensors(safetensors, weights));
  Status unchanged = file.check_unchanged();
  if (!unchanged) {
    std::error_code ignored;
    std::filesystem::remove(safetensors, ignored);
  }
  return unchanged;
}

}  // namespace tandem
