// The vector file's reader on arbitrary bytes, on headers that lie but carry the right checksum, and on bodies that do.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <span>
#include <vector>

#include "base/checksum.h"
#include "base/error.h"
#include "index/block_checks.h"
#include "index/vector_file.h"

namespace {

/// What the header says of the body, as far as it is not absurd.
std::size_t body_bytes(const std::vector<std::uint8_t>& bytes) {
  std::uint32_t element = 0;
  std::uint64_t dimensions = 0;
  std::uint64_t count = 0;
  std::memcpy(&element, bytes.data() + 12, sizeof(element));
  std::memcpy(&dimensions, bytes.data() + 16, sizeof(dimensions));
  std::memcpy(&count, bytes.data() + 24, sizeof(count));
  if (dimensions > 1024 || count > 1024) return bytes.size();
  return dimensions * count * bytes_of(static_cast<tandem::ElementType>(element));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> bytes(data, data + size);
  if (bytes.size() >= 64 && bytes[48] != 0) {
    // What a mutation can hardly hit: the checksums that belong to the body.
    const std::size_t body = body_bytes(bytes);
    if (bytes[48] > 1 && body <= bytes.size() - 64) {
      tandem::BlockChecksums blocks;
      blocks.update(std::as_bytes(std::span(bytes).subspan(64, body)));
      const std::vector<std::uint64_t> checksums = blocks.finish();
      const auto table = std::as_bytes(std::span(checksums));
      bytes.resize(64 + body);
      bytes.insert(bytes.end(), reinterpret_cast<const std::uint8_t*>(table.data()),
                   reinterpret_cast<const std::uint8_t*>(table.data()) + table.size());
      const std::uint64_t checksum = tandem::checksum(table);
      std::memcpy(bytes.data() + 40, &checksum, sizeof(checksum));
    }
    std::uint64_t hash = 0xcbf29ce484222325;
    for (std::size_t index = 0; index < 56; ++index) hash = (hash ^ bytes[index]) * 0x100000001b3;
    std::memcpy(bytes.data() + 56, &hash, sizeof(hash));
  }
  static const int file = ::memfd_create("vectors", MFD_CLOEXEC);
  CHECK(::ftruncate(file, 0) == 0 &&
        ::pwrite(file, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  const auto vectors = tandem::VectorFile::open(fmt::format("/proc/self/fd/{}", file));
  if (!vectors) {
    CHECK(!vectors.error().message.empty());
    return 0;
  }
  const tandem::VectorRows rows = vectors->rows();
  CHECK(rows.dimensions() > 0 && rows.count() * rows.dimensions() * bytes_of(rows.element()) + 64 <= bytes.size());
  const auto block = rows.read(0, rows.count());
  if (!block) return 0;
  volatile std::byte last{};  // Every byte is really read.
  for (const std::byte value : block->bytes()) last = value;
  static_cast<void>(last);
  return 0;
}
