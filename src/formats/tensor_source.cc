#include "formats/tensor_source.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <set>
#include <utility>

#include "base/call.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "base/relative_path.h"
#include "formats/pytorch_bin.h"
#include "formats/safetensors.h"

namespace tandem {
namespace {

constexpr std::uint64_t kIndexBytesMax = 64U << 20;

// What weights are called; in shards, ".index.json" follows. The first one that a folder has is read.
constexpr const char* kWeightsNames[] = {"model.safetensors", "pytorch_model.bin"};
constexpr const char* kIndexSuffix = ".index.json";

/// Half to single precision in integer arithmetic and one exact subtraction: a loop over it vectorises on plain
/// x86-64, and the result does not depend on whether the thread flushes subnormals to zero.
float half_to_float(std::uint16_t half) {
  constexpr std::uint32_t kExponentMask = 0x7C00U << 13;           // A half's exponent at its place in a float.
  constexpr std::uint32_t kRebias = (127U - 15U) << 23;            // From a half's exponent bias to a float's.
  constexpr std::uint32_t kSmallestNormal = kRebias + (1U << 23);  // 2^-14, as a float.
  const std::uint32_t magnitude = (half & 0x7FFFU) << 13;
  const std::uint32_t exponent = magnitude & kExponentMask;
  // Infinities and NaNs keep an exponent of all ones, which takes the rebias twice (31 + 2 * 112 = 255).
  const std::uint32_t normal = magnitude + kRebias + (exponent == kExponentMask ? kRebias : 0U);
  // A subnormal m * 2^-24 is what 2^-14 + m * 2^-24, whose bits are at hand, has above 2^-14.
  const float subnormal = std::bit_cast<float>(magnitude + kSmallestNormal) - std::bit_cast<float>(kSmallestNormal);
  const std::uint32_t bits = exponent == 0 ? std::bit_cast<std::uint32_t>(subnormal) : normal;
  return std::bit_cast<float>(bits | (half & 0x8000U) << 16);
}

std::uint16_t load_u16(const std::byte* address) {
  std::uint16_t value;  // Tensors need not be aligned in the file.
  std::memcpy(&value, address, sizeof value);
  return value;
}

}  // namespace

std::string_view dtype_name(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kF16:
      return "F16";
    case DType::kBf16:
      return "BF16";
    case DType::kI64:
      return "I64";
    case DType::kOther:
      break;
  }
  return "another type";
}

std::uint64_t TensorView::elements() const {
  std::uint64_t count = 1;
  for (const std::uint64_t dimension : shape) count *= dimension;
  return count;
}

std::string shape_text(std::span<const std::uint64_t> shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

bool has_weights(const std::filesystem::path& folder) {
  return std::ranges::any_of(kWeightsNames, [&folder](const std::string name) {
    return has_entry(folder / name) || has_entry(folder / (name + kIndexSuffix));
  });
}

Status TensorSource::add_file(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  const bool is_pytorch = path.extension() == ".bin" || path.extension() == ".pt";
  ASSIGN_OR_RETURN(TensorMap tensors, is_pytorch ? parse_pytorch_bin(file.bytes(), path.string())
                                                 : parse_safetensors(file.bytes(), path.string()));
  RETURN_IF_ERROR(file.check_unchanged());
  file.discard(file.bytes());  // What was read to look at checksums is read again when it is used.
  tensors_.merge(tensors);
  if (!tensors.empty()) {
    return fail(ErrorCode::kCorruptData, "{}: {}: another shard has a tensor of this name too", path.string(),
                tensors.begin()->first);
  }
  files_.push_back(std::move(file));
  paths_.push_back(path);
  return {};
}

Result<TensorSource> TensorSource::open_file(const std::filesystem::path& path) {
  TensorSource source;
  RETURN_IF_ERROR(source.add_file(path));
  return source;
}

Result<TensorSource> TensorSource::open_folder(const std::filesystem::path& folder) {
  for (const std::string name : kWeightsNames) {
    const std::filesystem::path whole = folder / name;
    const std::filesystem::path index = folder / (name + kIndexSuffix);
    if (has_entry(whole)) return open_file(whole);
    if (has_entry(index)) return open_shards(index);
  }
  return fail(ErrorCode::kNotFound, "{}: has neither {} nor {}, whole or in shards: the folder is partial",
              folder.string(), kWeightsNames[0], kWeightsNames[1]);
}

Result<TensorSource> TensorSource::open_shards(const std::filesystem::path& index) {
  ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::read_file(index, kIndexBytesMax));
  ASSIGN_OR_RETURN(const JsonValue weight_map, document.root().get_object("weight_map"));
  std::set<std::string> shards;
  RETURN_IF_ERROR(weight_map.for_each_member([&](std::string_view tensor, JsonValue value) -> Status {
    ASSIGN_OR_RETURN(const std::string_view shard, value.as_string(tensor));
    if (!is_safe_relative_path(shard) || shard.find('/') != shard.npos) {
      return fail(ErrorCode::kCorruptData, "{}: {}: is said to be in \"{}\", want a file of the same folder",
                  index.string(), tensor, shard);
    }
    shards.emplace(shard);
    return {};
  }));
  if (shards.empty()) return fail(ErrorCode::kCorruptData, "{}: weight_map names no tensors", index.string());

  TensorSource source;
  std::set<FileIdentity> opened;
  for (const std::string& shard : shards) {
    RETURN_IF_ERROR(source.add_file(index.parent_path() / shard));
    // It would be read once for every name that leads to it, and a folder can be full of links to one file.
    if (!opened.insert(source.files_.back().identity()).second) {
      return fail(ErrorCode::kCorruptData, "{}: {}: another shard is the same file", index.string(), shard);
    }
  }
  RETURN_IF_ERROR(weight_map.for_each_member([&](std::string_view tensor, JsonValue) -> Status {
    if (source.find(tensor) != nullptr) return {};
    return fail(ErrorCode::kCorruptData, "{}: {}: no shard has this tensor", index.string(), tensor);
  }));
  return source;
}

const TensorView* TensorSource::find(std::string_view name) const {
  const auto entry = tensors_.find(name);
  return entry == tensors_.end() ? nullptr : &entry->second;
}

std::vector<FileIdentity> TensorSource::identities() const {
  std::vector<FileIdentity> identities;
  for (const MappedFile& file : files_) identities.push_back(file.identity());
  return identities;
}

Status TensorSource::check_unchanged() const {
  for (const MappedFile& file : files_) RETURN_IF_ERROR(file.check_unchanged());
  return {};
}

Status TensorSource::hash(Hasher& hasher, const CallOptions& call) const {
  constexpr std::size_t kPieceBytes = std::size_t{1} << 20;  // Resident at a time.
  for (const MappedFile& file : files_) {
    for (std::span<const std::byte> left = file.bytes(); !left.empty();) {
      RETURN_IF_ERROR(check_call(call));
      const std::span<const std::byte> piece = left.first(std::min(kPieceBytes, left.size()));
      hasher.update(piece);
      file.discard(piece);
      left = left.subspan(piece.size());
    }
  }
  return check_unchanged();
}

void TensorSource::discard(const TensorView& tensor) const {
  const std::less_equal<const std::byte*> not_after;
  for (const MappedFile& file : files_) {
    const std::span<const std::byte> bytes = file.bytes();
    if (not_after(bytes.data(), tensor.bytes.data()) &&
        not_after(tensor.bytes.data() + tensor.bytes.size(), bytes.data() + bytes.size())) {
      file.discard(tensor.bytes);
    }
  }
}

void copy_as_f32(const TensorView& tensor, std::uint64_t first, std::span<float> out) {
  // Each branch is one loop without calls or conditions, which the compiler turns into vector instructions.
  switch (tensor.dtype) {
    case DType::kF32:
      CHECK(first <= tensor.bytes.size() / 4 && out.size() <= tensor.bytes.size() / 4 - first);
      if (!out.empty()) std::memcpy(out.data(), tensor.bytes.data() + first * 4, out.size_bytes());
      return;
    case DType::kBf16:
    case DType::kF16: {
      CHECK(first <= tensor.bytes.size() / 2 && out.size() <= tensor.bytes.size() / 2 - first);
      const std::byte* const source = tensor.bytes.data() + first * 2;
      float* const values = out.data();
      const std::size_t count = out.size();
      if (tensor.dtype == DType::kF16) {
        for (std::size_t i = 0; i < count; ++i) values[i] = half_to_float(load_u16(source + 2 * i));
      } else {
        for (std::size_t i = 0; i < count; ++i) {
          values[i] = std::bit_cast<float>(static_cast<std::uint32_t>(load_u16(source + 2 * i)) << 16);
        }
      }
      return;
    }
    case DType::kI64:
    case DType::kOther:
      break;
  }
  constexpr bool kTakesF32F16AndBf16Only = false;
  CHECK(kTakesF32F16AndBf16Only);
}

}  // namespace tandem
