// Any bytes as a PyTorch file: the pickle of an archive that has two storages, or, where they begin like one, the whole
// file in either form. What is accepted must lie inside the file and convert without a fault.
#include <string>
#include <vector>

#include "base/error.h"
#include "formats/pytorch_bin.h"
#include "formats/testing/zip_builder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string file(reinterpret_cast<const char*>(data), size);
  if (!file.starts_with("PK") && !file.starts_with("\x80\x02\x8a\x0a")) {
    file = tandem::build_zip(
        {{"a/data.pkl", file}, {"a/data/0", std::string(24, 'x')}, {"a/data/1", std::string(8, 'y')}});
  }
  const std::span<const std::byte> bytes = std::as_bytes(std::span(file));
  const tandem::Result<tandem::TensorMap> tensors = tandem::parse_pytorch_bin(bytes, "fuzz");
  if (!tensors) {
    CHECK(!tensors.error().message.empty());
    return 0;
  }
  for (const auto& [name, tensor] : *tensors) {
    CHECK(tensor.bytes.size() < file.size());
    if (tensor.dtype == tandem::DType::kI64 || tensor.dtype == tandem::DType::kOther) continue;
    std::vector<float> values(tensor.elements());  // At most the file's size: the parser has checked it.
    tandem::copy_as_f32(tensor, 0, values);
  }
  return 0;
}
