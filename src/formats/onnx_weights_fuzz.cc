// Any bytes as an ONNX file: every weight that is promised must have the size that it says and be computable.
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "formats/onnx_weights.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto weights = tandem::read_onnx_weights(std::as_bytes(std::span(data, size)), "fuzz");
  if (!weights) {
    CHECK(!weights.error().message.empty());
    return 0;
  }
  std::uint64_t total = 0;
  for (const tandem::ComputedTensor& weight : *weights) {
    std::uint64_t elements = 1;
    for (const std::uint64_t dimension : weight.shape) elements *= dimension;
    total += elements;
    CHECK(total <= size);
    std::vector<float> values(elements);
    weight.fill(values);
  }
  return 0;
}
