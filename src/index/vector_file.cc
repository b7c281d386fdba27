#include "index/vector_file.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace tandem {
namespace {

constexpr std::array<char, 8> kMagic{'T', 'N', 'D', 'M', 'V', 'E', 'C', '\n'};
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kElementF32 = 1;

/// The header as it lies in the file. All numbers are little-endian, like every processor that Tandem runs on.
struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t element = kElementF32;
  std::uint64_t dimensions = 0;
  std::uint64_t count = 0;
  std::array<std::uint64_t, 3> reserved = {};
  std::uint64_t checksum = 0;
};
static_assert(sizeof(Header) == 64 && std::endian::native == std::endian::little);

// FNV-1a, 64 bits (https://datatracker.ietf.org/doc/html/draft-eastlake-fnv), over all that stands before the checksum.
std::uint64_t checksum_of(const Header& header) {
  std::array<unsigned char, sizeof(Header)> bytes;
  std::memcpy(bytes.data(), &header, sizeof(header));
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t index = 0; index < offsetof(Header, checksum); ++index) {
    hash = (hash ^ bytes[index]) * 0x100000001b3;
  }
  return hash;
}

Status check(const Header& header, std::uint64_t file_bytes) {
  if (header.magic != kMagic) return fail(ErrorCode::kCorruptData, "not a vector file, or one never finished");
  if (const std::uint64_t checksum = checksum_of(header); header.checksum != checksum) {
    return fail(ErrorCode::kCorruptData, "the header's checksum is {:016x}, want {:016x}", header.checksum, checksum);
  }
  if (header.version != kVersion) {
    return fail(ErrorCode::kUnsupported, "version {} of the format, this program reads {}", header.version, kVersion);
  }
  if (header.element != kElementF32) {
    return fail(ErrorCode::kUnsupported, "element type {}, this program reads {} (f32)", header.element, kElementF32);
  }
  if (header.dimensions == 0 || header.dimensions > kVectorDimensionsMax) {
    return fail(ErrorCode::kCorruptData, "{} dimensions, want 1 to {}", header.dimensions, kVectorDimensionsMax);
  }
  if (header.count > kVectorCountMax) {
    return fail(ErrorCode::kCorruptData, "{} vectors, want at most {}", header.count, kVectorCountMax);
  }
  // At most 2^50, so it cannot overflow.
  const std::uint64_t expected_bytes = sizeof(Header) + header.count * header.dimensions * sizeof(float);
  if (file_bytes != expected_bytes) {
    return fail(ErrorCode::kCorruptData, "{} bytes, want {} for {} vectors of {} dimensions", file_bytes,
                expected_bytes, header.count, header.dimensions);
  }
  return {};
}

}  // namespace

Result<VectorFile> VectorFile::open(const std::filesystem::path& path) {
  VectorFile result;
  ASSIGN_OR_RETURN(result.file_, MappedFile::open(path));
  const std::span<const std::byte> bytes = result.file_.bytes();
  Header header;
  if (bytes.size() < sizeof(header)) {
    return fail(ErrorCode::kCorruptData, "{}: {} bytes, want at least the {} of the header", path.string(),
                bytes.size(), sizeof(header));
  }
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (const Status status = check(header, bytes.size()); !status) return fail_in(path.string(), status.error());
  result.vectors_ = {reinterpret_cast<const float*>(bytes.data() + sizeof(header)), header.count, header.dimensions};
  return result;
}

VectorFileWriter::VectorFileWriter(OutputFile file, std::size_t dimensions)
    : file_(std::move(file)), dimensions_(dimensions) {}

Result<VectorFileWriter> VectorFileWriter::create(const std::filesystem::path& path, std::size_t dimensions) {
  if (dimensions == 0 || dimensions > kVectorDimensionsMax) {
    return fail(ErrorCode::kInvalidArgument, "{}: {} dimensions, want 1 to {}", path.string(), dimensions,
                kVectorDimensionsMax);
  }
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path));
  constexpr std::array<std::byte, sizeof(Header)> kNoHeaderYet{};
  RETURN_IF_ERROR(file.append(kNoHeaderYet));
  return VectorFileWriter(std::move(file), dimensions);
}

Status VectorFileWriter::append(MatrixView vectors) {
  if (vectors.columns != dimensions_) {
    return fail(ErrorCode::kInvalidArgument, "vectors of {} dimensions, want {}", vectors.columns, dimensions_);
  }
  if (vectors.rows > kVectorCountMax - count_) {
    return fail(ErrorCode::kInvalidArgument, "more than {} vectors", kVectorCountMax);
  }
  RETURN_IF_ERROR(file_.append(std::as_bytes(std::span(vectors.data, vectors.rows * vectors.columns))));
  count_ += vectors.rows;
  return {};
}

Status VectorFileWriter::finish() {
  Header header{.dimensions = dimensions_, .count = count_};
  header.checksum = checksum_of(header);
  RETURN_IF_ERROR(file_.overwrite(0, std::as_bytes(std::span(&header, 1))));
  return file_.sync();
}

}  // namespace tandem
