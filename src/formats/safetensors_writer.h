// Writes safetensors files of f32 tensors: what Tandem makes of weights that come in another form.
// Format: https://github.com/huggingface/safetensors#format
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tandem/result.h"

namespace tandem {

/// A tensor that is computed when its turn comes to be written.
struct ComputedTensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  /// Gives every element its value. `values` has product(shape) elements, row-major.
  std::function<void(std::span<float> values)> fill;
};

/// Writes a new file with the tensors in the order given, on the disk when it returns. Holds one tensor at a time.
/// Names must differ. Errors: kPermission, kNoSpace, kIo.
Status write_safetensors(const std::filesystem::path& path, std::span<const ComputedTensor> tensors);

}  // namespace tandem
