#include "formats/safetensors.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/relative_path.h"

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian, and so is Tandem");

namespace tandem {
namespace {

constexpr std::size_t kLengthBytes = 8;                 // The header's length, a little-endian u64.
constexpr std::uint64_t kHeaderBytesMax = 100'000'000;  // The limit of the reference implementation.
constexpr std::uint64_t kIndexBytesMax = 64U << 20;

struct DTypeInfo {
  std::string_view name;
  DType dtype;
  std::uint64_t bits;
};

constexpr DTypeInfo kDTypes[] = {
    {"F32", DType::kF32, 32},      {"F16", DType::kF16, 16},      {"BF16", DType::kBf16, 16},
    {"I64", DType::kI64, 64},      {"F64", DType::kOther, 64},    {"U64", DType::kOther, 64},
    {"C64", DType::kOther, 64},    {"I32", DType::kOther, 32},    {"U32", DType::kOther, 32},
    {"I16", DType::kOther, 16},    {"U16", DType::kOther, 16},    {"I8", DType::kOther, 8},
    {"U8", DType::kOther, 8},      {"BOOL", DType::kOther, 8},    {"F8_E4M3", DType::kOther, 8},
    {"F8_E5M2", DType::kOther, 8}, {"F8_E8M0", DType::kOther, 8}, {"F6_E2M3", DType::kOther, 6},
    {"F6_E3M2", DType::kOther, 6}, {"F4", DType::kOther, 4},
};

/// Bytes of a tensor, or nullopt when they do not fit into 64 bits or are not whole.
std::optional<std::uint64_t> bytes_of(std::span<const std::uint64_t> shape, std::uint64_t bits_per_element) {
  // A dimension of 0 makes the tensor empty however large the others are, so it is looked for first.
  if (std::ranges::find(shape, 0U) != shape.end()) return 0;
  std::uint64_t bits = bits_per_element;
  for (const std::uint64_t dimension : shape) {
    if (bits > std::numeric_limits<std::uint64_t>::max() / dimension) return std::nullopt;
    bits *= dimension;
  }
  if (bits % 8 != 0) return std::nullopt;
  return bits / 8;
}

Result<std::vector<std::uint64_t>> get_unsigned_array(JsonValue object, std::string_view key) {
  ASSIGN_OR_RETURN(const std::vector<JsonValue> elements, object.get_array(key));
  std::vector<std::uint64_t> numbers;
  numbers.reserve(elements.size());
  for (const JsonValue element : elements) {
    ASSIGN_OR_RETURN(const std::uint64_t number, element.as_unsigned(key));
    numbers.push_back(number);
  }
  return numbers;
}

/// Reads what the header says about one tensor and checks it against the data.
Result<TensorView> read_entry(JsonValue entry, std::span<const std::byte> data) {
  ASSIGN_OR_RETURN(const std::string_view dtype, entry.get_string("dtype"));
  TensorView tensor;
  ASSIGN_OR_RETURN(tensor.shape, get_unsigned_array(entry, "shape"));
  ASSIGN_OR_RETURN(const std::vector<std::uint64_t> offsets, get_unsigned_array(entry, "data_offsets"));
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data.size()) {
    return fail(ErrorCode::kCorruptData, "data_offsets are {}, want a range inside the {} bytes of data",
                shape_text(offsets), data.size());
  }
  tensor.bytes = data.subspan(offsets[0], offsets[1] - offsets[0]);

  const auto* const known = std::ranges::find(kDTypes, dtype, &DTypeInfo::name);
  if (known == std::end(kDTypes)) {
    // The size of its elements is not known, so it cannot be checked; and nobody will read them.
    tensor.dtype = DType::kOther;
    return tensor;
  }
  tensor.dtype = known->dtype;
  const std::optional<std::uint64_t> bytes = bytes_of(tensor.shape, known->bits);
  if (!bytes) {
    return fail(ErrorCode::kCorruptData, "{} {} is not a whole number of bytes below 2^61", dtype,
                shape_text(tensor.shape));
  }
  if (*bytes != tensor.bytes.size()) {
    return fail(ErrorCode::kCorruptData, "data_offsets {} hold {} bytes, but {} {} has {}", shape_text(offsets),
                tensor.bytes.size(), dtype, shape_text(tensor.shape), *bytes);
  }
  return tensor;
}

/// The format wants the tensors to cover the data exactly: where they do not, the file was cut, joined or made up.
Status check_coverage(const TensorMap& tensors, std::span<const std::byte> data) {
  using Entry = TensorMap::value_type;
  std::vector<const Entry*> in_file_order;
  in_file_order.reserve(tensors.size());
  for (const Entry& entry : tensors) in_file_order.push_back(&entry);
  auto range = [data](const Entry* entry) {
    const auto begin = static_cast<std::size_t>(entry->second.bytes.data() - data.data());
    return std::pair(begin, begin + entry->second.bytes.size());
  };
  std::ranges::sort(in_file_order, {}, range);

  std::size_t covered = 0;
  for (const Entry* entry : in_file_order) {
    const auto [begin, end] = range(entry);
    if (begin != covered) {
      return fail(ErrorCode::kCorruptData, "{}: begins at byte {} of the data, want {}: {}", entry->first, begin,
                  covered, begin < covered ? "it overlaps another tensor" : "no tensor owns the bytes between");
    }
    covered = end;
  }
  if (covered != data.size()) {
    return fail(ErrorCode::kCorruptData, "the tensors end at byte {} of the data, which has {} bytes", covered,
                data.size());
  }
  return {};
}

Result<TensorMap> parse_checked(std::span<const std::byte> file) {
  std::uint64_t header_bytes = 0;
  if (file.size() < kLengthBytes) {
    return fail(ErrorCode::kCorruptData,
                "{} bytes are no safetensors file, which begins with the {} bytes of its "
                "header's length",
                file.size(), kLengthBytes);
  }
  std::memcpy(&header_bytes, file.data(), kLengthBytes);
  const std::span<const std::byte> rest = file.subspan(kLengthBytes);
  if (header_bytes > rest.size() || header_bytes > kHeaderBytesMax) {
    return fail(ErrorCode::kCorruptData, "a header of {} bytes is announced, want at most {}", header_bytes,
                std::min<std::uint64_t>(rest.size(), kHeaderBytesMax));
  }
  const std::span<const std::byte> header = rest.first(header_bytes);
  const std::span<const std::byte> data = rest.subspan(header_bytes);

  ASSIGN_OR_RETURN(const JsonDocument document,
                   JsonDocument::parse({reinterpret_cast<const char*>(header.data()), header.size()}, "header"));
  TensorMap tensors;
  RETURN_IF_ERROR(document.root().for_each_member([&](std::string_view name, JsonValue entry) -> Status {
    if (name == "__metadata__") return {};
    Result<TensorView> tensor = read_entry(entry, data);
    if (!tensor) return fail_in(name, std::move(tensor).error());
    if (!tensors.emplace(name, *std::move(tensor)).second) {
      return fail(ErrorCode::kCorruptData, "{}: the header names this tensor twice", name);
    }
    return {};
  }));
  RETURN_IF_ERROR(check_coverage(tensors, data));
  return tensors;
}

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

Result<TensorMap> parse_safetensors(std::span<const std::byte> file, std::string_view name) {
  Result<TensorMap> tensors = parse_checked(file);
  if (!tensors) return fail_in(name, std::move(tensors).error());
  return tensors;
}

Status TensorSource::add_file(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  ASSIGN_OR_RETURN(TensorMap tensors, parse_safetensors(file.bytes(), path.string()));
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
  const std::filesystem::path whole = folder / "model.safetensors";
  const std::filesystem::path index = folder / "model.safetensors.index.json";
  std::error_code ignored;
  if (std::filesystem::exists(whole, ignored)) return open_file(whole);
  if (!std::filesystem::exists(index, ignored)) {
    return fail(ErrorCode::kNotFound, "{}: has neither model.safetensors nor model.safetensors.index.json{}",
                folder.string(),
                std::filesystem::exists(folder / "pytorch_model.bin", ignored)
                    ? "; pytorch_model.bin, which it has, is not read: convert it to safetensors"
                    : "");
  }

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
  for (const std::string& shard : shards) {
    RETURN_IF_ERROR(source.add_file(folder / shard));
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
