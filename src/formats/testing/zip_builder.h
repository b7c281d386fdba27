// Builds zip archives of stored members, for tests.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tandem {

enum class ZipChecksums { kComputed, kZero };

/// The bytes of an archive with these members: name, contents.
inline std::string build_zip(const std::vector<std::pair<std::string, std::string>>& members,
                             ZipChecksums checksums = ZipChecksums::kComputed) {
  const auto put = [](std::string& bytes, auto value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);  // Little-endian, as the machine is.
  };
  std::string archive;
  std::string directory;
  for (const auto& [name, contents] : members) {
    std::uint32_t crc32 = 0;
    if (checksums == ZipChecksums::kComputed) {
      crc32 =
          static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(contents.data()), contents.size()));
    }
    const auto offset = static_cast<std::uint32_t>(archive.size());
    std::string fields;  // What the local header and the directory have in common, from "version needed" on.
    put(fields, std::uint16_t{20});
    put(fields, std::uint16_t{0});  // Flags.
    put(fields, std::uint16_t{0});  // Method: stored.
    put(fields, std::uint32_t{0});  // Time and date.
    put(fields, crc32);
    put(fields, static_cast<std::uint32_t>(contents.size()));
    put(fields, static_cast<std::uint32_t>(contents.size()));
    put(fields, static_cast<std::uint16_t>(name.size()));
    put(fields, std::uint16_t{0});  // Extra bytes.
    archive += "PK\x03\x04" + fields + name + contents;
    directory += "PK\x01\x02";
    put(directory, std::uint16_t{20});
    directory += fields;
    directory.append(10, '\0');  // Comment bytes, disk, attributes.
    put(directory, offset);
    directory += name;
  }
  const auto directory_offset = static_cast<std::uint32_t>(archive.size());
  archive += directory + "PK\x05\x06";
  put(archive, std::uint32_t{0});  // Disks.
  put(archive, static_cast<std::uint16_t>(members.size()));
  put(archive, static_cast<std::uint16_t>(members.size()));
  put(archive, static_cast<std::uint32_t>(directory.size()));
  put(archive, directory_offset);
  put(archive, std::uint16_t{0});  // Comment bytes.
  return archive;
}

}  // namespace tandem
