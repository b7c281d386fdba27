// Runs the pickles that torch.save writes.
// Format: Python's Lib/pickletools.py.
//
// A pickle is a program. Here it runs on a machine that knows dictionaries, tuples, lists, numbers and text, and of all
// functions only those that put a tensor together; everything else is refused by its name and its place, so no code of
// the file's choosing can run. Work and memory are bounded by the length of the pickle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "formats/tensor_source.h"
#include "tandem/result.h"

namespace tandem {

/// Of one pickle; far above every encoder's.
inline constexpr std::size_t kPickleBytesMax = 8U << 20;

struct TorchElementType {
  std::string_view storage;  ///< The class of torch.
  DType dtype;
  std::uint64_t bytes;
};

/// A storage as a pickle names it. Its bytes lie outside the pickle, and nothing is known of them yet.
struct TorchStorage {
  std::string_view key;
  TorchElementType type;
  std::uint64_t elements;
};

struct TorchTensor {
  std::size_t storage = 0;   ///< The place in TorchTensors::storages.
  std::uint64_t offset = 0;  ///< In elements.
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> strides;
};

struct TorchTensors {
  std::vector<TorchStorage> storages;  ///< With different keys.
  std::map<std::string_view, TorchTensor> tensors;
};

// Each takes the pickle at the front off `bytes` and says what it holds; texts borrow from `bytes`. Errors:
// kCorruptData and kUnsupported, with the byte of the pickle.

/// A dictionary of tensors.
Result<TorchTensors> take_torch_tensors(std::span<const std::byte>& bytes);
Result<std::int64_t> take_torch_number(std::span<const std::byte>& bytes);
/// Those entries of a dictionary whose values are numbers, or true and false: 1 and 0.
Result<std::map<std::string_view, std::int64_t>> take_torch_numbers(std::span<const std::byte>& bytes);
/// A list of texts.
Result<std::vector<std::string_view>> take_torch_texts(std::span<const std::byte>& bytes);

}  // namespace tandem
