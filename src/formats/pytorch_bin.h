// Reads what torch.save writes: pytorch_model.bin, a zip archive of a pickle and the tensors' bytes.
// Format: https://pytorch.org/docs/stable/notes/serialization.html and Python's Lib/pickletools.py.
//
// A pickle is a program. Here it runs on a machine that knows dictionaries, tuples, lists, numbers and text, and of all
// functions only those that put a tensor together; everything else is refused by its name and its place, so no code of
// the file's choosing can run. Work and memory are bounded by the length of the pickle.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "formats/tensor_source.h"
#include "tandem/result.h"

namespace tandem {

/// The tensors of a PyTorch file that lies in memory; the views borrow from `file`, and `name` stands in front of
/// errors. Errors: kCorruptData; kUnsupported for the form that torch.save wrote before PyTorch 1.6, for what no
/// dictionary of tensors needs, and for tensors that do not lie row by row in their storage.
Result<TensorMap> parse_pytorch_bin(std::span<const std::byte> file, std::string_view name);

}  // namespace tandem
