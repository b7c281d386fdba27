// Any bytes as a zip archive: members must lie inside it, and unpack to the size that is said, or fail.
#include <cstdint>

#include "base/error.h"
#include "formats/zip_archive.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tandem::Result<tandem::ZipMembers> members = tandem::parse_zip(std::as_bytes(std::span(data, size)), "fuzz");
  if (!members) {
    CHECK(!members.error().message.empty());
    return 0;
  }
  for (const auto& [name, member] : *members) {
    std::uint64_t size_bytes = 0;
    const tandem::Status status =
        tandem::read_zip_member(member, [&size_bytes](std::span<const std::byte> bytes) -> tandem::Status {
          size_bytes += bytes.size();
          return {};
        });
    CHECK(size_bytes <= member.size_bytes);
    CHECK(!status || size_bytes == member.size_bytes);
  }
  return 0;
}
