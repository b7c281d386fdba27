#include "index/vector_file.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tandem {
namespace {

constexpr std::array<char, 8> kMagic{'T', 'N', 'D', 'M', 'V', 'E', 'C', '\n'};
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kVersionWithoutChecksums = 1;

/// The header as it lies in the file. All numbers are little-endian, like every processor that Tandem runs on.
struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  ElementType element = ElementType::kF32;
  std::uint64_t dimensions = 0;
  std::uint64_t count = 0;
  std::uint64_t block_bytes = kBlockBytes;  // Version 1: 0.
  std::uint64_t checksums_checksum = 0;     // Version 1: 0.
  std::uint64_t reserved = 0;
  std::uint64_t checksum = 0;

  bool has_checksums() const { return version != kVersionWithoutChecksums; }
  // At most 2^50, so that nothing overflows.
  std::uint64_t body_bytes() const { return count * dimensions * bytes_of(element); }
  std::uint64_t blocks() const { return has_checksums() ? (body_bytes() + kBlockBytes - 1) / kBlockBytes : 0; }
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
  if (header.version != kVersion && header.version != kVersionWithoutChecksums) {
    return fail(ErrorCode::kUnsupported, "version {} of the format, this program reads {} and {}", header.version,
                kVersionWithoutChecksums, kVersion);
  }
  if (bytes_of(header.element) == 0) {
    return fail(ErrorCode::kUnsupported, "element type {}, this program reads 1 (f32), 2 (bf16) and 3 (int8)",
                static_cast<std::uint32_t>(header.element));
  }
  if (header.dimensions == 0 || header.dimensions > kVectorDimensionsMax) {
    return fail(ErrorCode::kCorruptData, "{} dimensions, want 1 to {}", header.dimensions, kVectorDimensionsMax);
  }
  if (header.count > kVectorCountMax) {
    return fail(ErrorCode::kCorruptData, "{} vectors, want at most {}", header.count, kVectorCountMax);
  }
  if (header.has_checksums() && header.block_bytes != kBlockBytes) {
    return fail(ErrorCode::kUnsupported, "checksums over {} bytes each, this program reads those over {}",
                header.block_bytes, kBlockBytes);
  }
  const std::uint64_t expected_bytes = sizeof(Header) + header.body_bytes() + header.blocks() * sizeof(std::uint64_t);
  if (file_bytes != expected_bytes) {
    return fail(ErrorCode::kCorruptData, "{} bytes, want {} for {} vectors of {} dimensions", file_bytes,
                expected_bytes, header.count, header.dimensions);
  }
  return {};
}

/// The checksums of the blocks, which lie behind them.
Result<std::vector<std::uint64_t>> read_checksums(const Header& header, std::span<const std::byte> bytes) {
  if (const std::uint64_t found = checksum(bytes); found != header.checksums_checksum) {
    return fail(ErrorCode::kCorruptData, "the checksum of the blocks' checksums is {:016x}, want {:016x}", found,
                header.checksums_checksum);
  }
  std::vector<std::uint64_t> checksums(header.blocks());
  if (!checksums.empty()) std::memcpy(checksums.data(), bytes.data(), bytes.size());
  return checksums;
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
  const std::span<const std::byte> body = bytes.subspan(sizeof(header), header.body_bytes());
  result.all_ = {header.element, body.data(), header.count, header.dimensions};
  if (!header.has_checksums()) return result;
  Result<std::vector<std::uint64_t>> checksums = read_checksums(header, bytes.subspan(sizeof(header) + body.size()));
  if (!checksums) return fail_in(path.string(), checksums.error());
  result.checks_ = std::make_unique<const BlockChecks>(path.string(), body, std::move(*checksums));
  return result;
}

VectorRows VectorFile::rows() const { return checks_ == nullptr ? VectorRows(all_) : VectorRows(all_, *checks_); }

VectorFileWriter::VectorFileWriter(OutputFile file, std::size_t dimensions, ElementType element)
    : file_(std::move(file)), dimensions_(dimensions), element_(element) {}

Result<VectorFileWriter> VectorFileWriter::create(const std::filesystem::path& path, std::size_t dimensions,
                                                  ElementType element) {
  if (dimensions == 0 || dimensions > kVectorDimensionsMax) {
    return fail(ErrorCode::kInvalidArgument, "{}: {} dimensions, want 1 to {}", path.string(), dimensions,
                kVectorDimensionsMax);
  }
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path));
  constexpr std::array<std::byte, sizeof(Header)> kNoHeaderYet{};
  RETURN_IF_ERROR(file.append(kNoHeaderYet));
  return VectorFileWriter(std::move(file), dimensions, element);
}

Status VectorFileWriter::append(const VectorBlock& rows) {
  if (rows.columns != dimensions_ || rows.element != element_) {
    return fail(ErrorCode::kInvalidArgument, "vectors of {} dimensions in {}, want {} in {}", rows.columns,
                name_of(rows.element), dimensions_, name_of(element_));
  }
  if (rows.rows > kVectorCountMax - count_) {
    return fail(ErrorCode::kInvalidArgument, "more than {} vectors", kVectorCountMax);
  }
  RETURN_IF_ERROR(file_.append(rows.bytes()));
  checksums_.update(rows.bytes());
  count_ += rows.rows;
  return {};
}

Status VectorFileWriter::finish() {
  const std::vector<std::uint64_t> checksums = checksums_.finish();
  const std::span<const std::byte> bytes = std::as_bytes(std::span(checksums));
  RETURN_IF_ERROR(file_.append(bytes));
  Header header{.element = element_, .dimensions = dimensions_, .count = count_, .checksums_checksum = checksum(bytes)};
  header.checksum = checksum_of(header);
  RETURN_IF_ERROR(file_.overwrite(0, std::as_bytes(std::span(&header, 1))));
  return file_.sync();
}

}  // namespace tandem
