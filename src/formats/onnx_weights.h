// Reads the weights of an encoder back from an ONNX file that ONNX Runtime's dynamic quantisation made: INT8 weights,
// with a scale and a zero point per tensor or per column, become the f32 tensors of a Hugging Face checkpoint.
// Format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "formats/safetensors_writer.h"
#include "tandem/result.h"

namespace tandem {

/// The weights in an ONNX file that lies in memory, under the names of the checkpoint that it was exported from. They
/// borrow from `file`; `name` stands in front of errors. Errors: kCorruptData, kUnsupported.
///
///   X.weight, X.bias      f32 initialisers keep their names.
///   X.weight_quantized    looked up by a Gather is an embedding table: X.weight, as it lies.
///   second input of the MatMulInteger node /a/b.0/c/MatMul_quant: a.b.0.c.weight, transposed, because MatMul
///                         multiplies by [in, out] and checkpoints store [out, in].
///
/// A value is (quantized − zero_point) · scale, computed in f32.
Result<std::vector<ComputedTensor>> read_onnx_weights(std::span<const std::byte> file, std::string_view name);

/// Writes the weights of `onnx` to a new safetensors file. Errors: those of reading and writing.
Status convert_onnx_weights(const std::filesystem::path& onnx, const std::filesystem::path& safetensors);

}  // namespace tandem
