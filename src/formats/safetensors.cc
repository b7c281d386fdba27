#include "formats/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/json.h"

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian, and so is Tandem");

namespace tandem {
namespace {

constexpr std::size_t kLengthBytes = 8;                 // The header's length, a little-endian u64.
constexpr std::uint64_t kHeaderBytesMax = 100'000'000;  // The limit of the reference implementation.

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
  // More than any tensor has dimensions.
  constexpr std::size_t kElementsMax = 64;
  ASSIGN_OR_RETURN(const std::vector<JsonValue> elements, object.get_array(key));
  if (elements.size() > kElementsMax) {
    return fail(ErrorCode::kCorruptData, "{} has {} numbers, want at most {}", key, elements.size(), kElementsMax);
  }
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

}  // namespace

Result<TensorMap> parse_safetensors(std::span<const std::byte> file, std::string_view name) {
  Result<TensorMap> tensors = parse_checked(file);
  if (!tensors) return fail_in(name, std::move(tensors).error());
  return tensors;
}

}  // namespace tandem
