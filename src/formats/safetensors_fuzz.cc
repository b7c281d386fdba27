// Any bytes as a safetensors file: what is accepted must lie inside the file and convert without a fault.
#include <algorithm>
#include <vector>

#include "base/error.h"
#include "formats/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> file = std::as_bytes(std::span(data, size));
  const tandem::Result<tandem::TensorMap> tensors = tandem::parse_safetensors(file, "fuzz");
  if (!tensors) {
    CHECK(!tensors.error().message.empty());
    return 0;
  }
  std::size_t owned_bytes = 0;
  for (const auto& [name, tensor] : *tensors) {
    owned_bytes += tensor.bytes.size();
    if (tensor.dtype == tandem::DType::kI64 || tensor.dtype == tandem::DType::kOther) continue;
    std::vector<float> values(tensor.elements());  // At most the file's size: the parser has checked it.
    tandem::copy_as_f32(tensor, 0, values);
  }
  CHECK(owned_bytes < size);
  return 0;
}
