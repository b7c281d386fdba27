// Reads what torch.save writes: pytorch_model.bin, in the form of PyTorch 1.6 and later, a zip archive of a pickle and
// the tensors' bytes, or in the form before, pickles and the tensors' bytes one after another.
// Format: https://pytorch.org/docs/stable/notes/serialization.html and torch/serialization.py.
//
// No code of the file's runs: formats/torch_pickle.h.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "formats/tensor_source.h"
#include "tandem/result.h"

namespace tandem {

/// The tensors of a PyTorch file that lies in memory; the views borrow from `file`, and `name` stands in front of
/// errors. Reads all of the file where it has checksums, as the newer form does. Errors: kCorruptData; kUnsupported for
/// the tar archives of the first PyTorch releases, for what no dictionary of tensors needs, and for tensors that do not
/// lie row by row in their storage.
Result<TensorMap> parse_pytorch_bin(std::span<const std::byte> file, std::string_view name);

}  // namespace tandem
