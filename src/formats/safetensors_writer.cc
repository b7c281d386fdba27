#include "formats/safetensors_writer.h"

#include <functional>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace tandem {
namespace {

std::uint64_t elements_of(const ComputedTensor& tensor) {
  return std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::uint64_t{1}, std::multiplies<>());
}

std::string header_of(std::span<const ComputedTensor> tensors) {
  JsonWriter json;
  json.begin_object();
  json.key("__metadata__").begin_object().key("format").value("pt").end_object();  // transformers insists on it.
  std::uint64_t offset = 0;
  for (const ComputedTensor& tensor : tensors) {
    json.key(tensor.name).begin_object().key("dtype").value("F32").key("shape").begin_array();
    for (const std::uint64_t dimension : tensor.shape) json.value(dimension);
    json.end_array().key("data_offsets").begin_array().value(offset);
    offset += elements_of(tensor) * sizeof(float);
    json.value(offset).end_array().end_object();
  }
  std::string header = json.end_object().take();
  header.resize((header.size() + 7) / 8 * 8, ' ');  // So that the data begins at a multiple of 8.
  return header;
}

}  // namespace

Status write_safetensors(const std::filesystem::path& path, std::span<const ComputedTensor> tensors) {
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path));
  const std::string header = header_of(tensors);
  const std::uint64_t header_bytes = header.size();
  RETURN_IF_ERROR(file.append(std::as_bytes(std::span(&header_bytes, 1))));
  RETURN_IF_ERROR(file.append(std::as_bytes(std::span(header))));
  std::vector<float> values;
  for (const ComputedTensor& tensor : tensors) {
    values.resize(elements_of(tensor));
    tensor.fill(values);
    RETURN_IF_ERROR(file.append(std::as_bytes(std::span(values))));
  }
  return file.sync();
}

}  // namespace tandem
