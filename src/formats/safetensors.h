// Reads the header of a safetensors file.
// Format: https://github.com/huggingface/safetensors#format
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "formats/tensor_source.h"
#include "tandem/result.h"

namespace tandem {

/// The tensors of a safetensors file that lies in memory; the views borrow from `file`, and `name` stands in front of
/// errors. Errors: kCorruptData.
Result<TensorMap> parse_safetensors(std::span<const std::byte> file, std::string_view name);

}  // namespace tandem
