// The tensors of a model, wherever its folder keeps them: safetensors or PyTorch's own files, whole or in shards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/mapped_file.h"
#include "tandem/result.h"

namespace tandem {

/// The element types that weights come in. Others are kept by name and refused when they are asked for.
enum class DType { kF32, kF16, kBf16, kI64, kOther };

std::string_view dtype_name(DType dtype);

/// A borrowed tensor, row-major, little-endian; `bytes` has exactly product(shape) elements.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<std::uint64_t> shape;
  std::span<const std::byte> bytes;

  std::uint64_t elements() const;
};

/// "[512, 768]".
std::string shape_text(std::span<const std::uint64_t> shape);

using TensorMap = std::map<std::string, TensorView, std::less<>>;

/// Whether a folder has weights in one of the forms that TensorSource reads.
bool has_weights(const std::filesystem::path& folder);

/// The tensors of one model, mapped: opening reads only headers. Immutable and thread-safe. Another process that
/// shortens a file turns tensors into zeros (base/mapped_file.h), so check_unchanged() belongs to every use of them.
class TensorSource {
 public:
  /// One file: safetensors, or a PyTorch file where its name ends in ".bin" or ".pt". Errors: kNotFound, kCorruptData
  /// (names the file, the tensor, what was expected and got), kUnsupported.
  static Result<TensorSource> open_file(const std::filesystem::path& path);
  /// The first of a folder's model.safetensors, model.safetensors.index.json with every shard that it names,
  /// pytorch_model.bin, pytorch_model.bin.index.json with its shards.
  static Result<TensorSource> open_folder(const std::filesystem::path& folder);

  /// Null when there is no such tensor.
  const TensorView* find(std::string_view name) const;
  const TensorMap& tensors() const { return tensors_; }
  /// The files read, in the order of their names.
  const std::vector<std::filesystem::path>& files() const { return paths_; }
  /// Which files those are, in the same order.
  std::vector<FileIdentity> identities() const;
  /// Success when what was read from the tensors so far is what the files held when they were opened: to be asked
  /// before anything that was computed from them leaves. Costs a system call per file. Errors: kCorruptData, with the
  /// file.
  Status check_unchanged() const;
  /// Feeds the files, in the order of their names, to a hasher: the very bytes that the tensors are read from, whatever
  /// lies under those names by now. Errors: those of check_unchanged() and of `call`.
  Status hash(Hasher& hasher, const CallOptions& call = {}) const;
  /// Drops the pages of a tensor that has been copied elsewhere from this process's resident memory.
  void discard(const TensorView& tensor) const;

 private:
  Status add_file(const std::filesystem::path& path);
  static Result<TensorSource> open_shards(const std::filesystem::path& index);

  TensorMap tensors_;
  std::vector<MappedFile> files_;
  std::vector<std::filesystem::path> paths_;
};

/// Converts elements [first, first + out.size()) of an F32, F16 or BF16 tensor to f32. The range must be inside it.
void copy_as_f32(const TensorView& tensor, std::uint64_t first, std::span<float> out);

}  // namespace tandem
