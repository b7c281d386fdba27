#include "formats/zip_archive.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/relative_path.h"

namespace tandem {
namespace {

// The three records that are read, little-endian, with the offsets of the fields that matter:
//
//   end of central directory   0 "PK\5\6"  8 entries on this disk u16  10 entries u16  12 directory bytes u32
//                              16 directory offset u32  20 comment bytes u16   22 in all, then the comment
//   central directory entry    0 "PK\1\2"  8 flags u16  10 method u16  16 crc u32  20 compressed bytes u32
//                              24 bytes u32  28 name bytes u16  30 extra bytes u16  32 comment bytes u16
//                              34 disk u16  42 local header offset u32   46 in all, then name, extra, comment
//   local file header          0 "PK\3\4"  26 name bytes u16  28 extra bytes u16   30 in all, then name, extra, data
constexpr std::uint32_t kEndSignature = 0x06054B50;
constexpr std::uint32_t kEntrySignature = 0x02014B50;
constexpr std::uint32_t kLocalSignature = 0x04034B50;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEntryBytes = 46;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kCommentBytesMax = 65535;
constexpr std::uint16_t kFlagEncrypted = 1U << 0;
constexpr std::uint16_t kMethodStored = 0;
constexpr std::uint16_t kMethodDeflated = 8;

/// Reads an unsigned integer; the caller has checked that it is inside.
template <class Integer>
Integer load(std::span<const std::byte> bytes, std::size_t offset) {
  Integer value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);  // Little-endian, as every machine that Tandem runs on.
  return value;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The end record stands at the very end, in front of a comment that most archives do not have.
Result<std::size_t> find_end_record(std::span<const std::byte> file) {
  if (file.size() >= kEndBytes) {
    const std::size_t last = file.size() - kEndBytes;
    const std::size_t first = last - std::min(last, kCommentBytesMax);
    for (std::size_t offset = last + 1; offset-- > first;) {
      if (load<std::uint32_t>(file, offset) == kEndSignature &&
          load<std::uint16_t>(file, offset + 20) == file.size() - offset - kEndBytes) {
        return offset;
      }
    }
  }
  return fail(ErrorCode::kCorruptData, "no zip archive, or one that was cut: it has no end of central directory");
}

/// The contents of the member whose directory entry is given, found through its local header.
Result<std::span<const std::byte>> find_contents(std::span<const std::byte> file, std::span<const std::byte> entry,
                                                 std::string_view name) {
  const std::size_t local = load<std::uint32_t>(entry, 42);
  const std::size_t compressed_bytes = load<std::uint32_t>(entry, 20);
  if (local > file.size() || file.size() - local < kLocalBytes || load<std::uint32_t>(file, local) != kLocalSignature) {
    return fail(ErrorCode::kCorruptData, "{}: no local header at byte {}", name, local);
  }
  const std::size_t name_bytes = load<std::uint16_t>(file, local + 26);
  const std::size_t header_bytes = kLocalBytes + name_bytes + load<std::uint16_t>(file, local + 28);
  const std::span<const std::byte> rest = file.subspan(local);
  if (header_bytes > rest.size() || compressed_bytes > rest.size() - header_bytes) {
    return fail(ErrorCode::kCorruptData, "{}: {} bytes from byte {} on do not fit into the file's {} bytes", name,
                compressed_bytes, local + header_bytes, file.size());
  }
  if (as_text(rest.subspan(kLocalBytes, name_bytes)) != name) {
    return fail(ErrorCode::kCorruptData, "{}: the local header at byte {} has another name", name, local);
  }
  return rest.subspan(header_bytes, compressed_bytes);
}

Result<ZipMember> read_entry(std::span<const std::byte> file, std::span<const std::byte> entry, std::string_view name) {
  constexpr std::uint32_t kZip64 = std::numeric_limits<std::uint32_t>::max();
  ZipMember member;
  const auto method = load<std::uint16_t>(entry, 10);
  member.is_deflated = method == kMethodDeflated;
  member.crc32 = load<std::uint32_t>(entry, 16);
  member.size_bytes = load<std::uint32_t>(entry, 24);
  if (!is_safe_relative_path(name.substr(0, name.size() - (name.ends_with('/') ? 1 : 0)))) {  // "pkg/" is a folder.
    return fail(ErrorCode::kCorruptData, "member \"{}\": a name that could lead out of a folder", name);
  }
  if ((load<std::uint16_t>(entry, 8) & kFlagEncrypted) != 0) {
    return fail(ErrorCode::kUnsupported, "{}: encrypted members are not supported", name);
  }
  if (method != kMethodStored && method != kMethodDeflated) {
    return fail(ErrorCode::kUnsupported, "{}: compression method {} is not supported, want 0 or 8", name, method);
  }
  if (load<std::uint32_t>(entry, 20) == kZip64 || member.size_bytes == kZip64 ||
      load<std::uint32_t>(entry, 42) == kZip64) {
    return fail(ErrorCode::kUnsupported, "{}: zip64 is not supported", name);
  }
  ASSIGN_OR_RETURN(member.contents, find_contents(file, entry, name));
  if (!member.is_deflated && member.contents.size() != member.size_bytes) {
    return fail(ErrorCode::kCorruptData, "{}: stored in {} bytes, but said to have {}", name, member.contents.size(),
                member.size_bytes);
  }
  return member;
}

Result<ZipMembers> parse_directory(std::span<const std::byte> file) {
  ASSIGN_OR_RETURN(const std::size_t end, find_end_record(file));
  const auto entries = load<std::uint16_t>(file, end + 10);
  const std::size_t directory_bytes = load<std::uint32_t>(file, end + 12);
  const std::size_t directory_offset = load<std::uint32_t>(file, end + 16);
  if (entries == std::numeric_limits<std::uint16_t>::max() ||
      directory_offset == std::numeric_limits<std::uint32_t>::max()) {
    return fail(ErrorCode::kUnsupported, "zip64 is not supported");
  }
  if (load<std::uint16_t>(file, end + 8) != entries) {
    return fail(ErrorCode::kUnsupported, "archives of several disks are not supported");
  }
  if (directory_offset > end || directory_bytes > end - directory_offset) {
    return fail(ErrorCode::kCorruptData, "the directory's {} bytes from byte {} on do not fit into the file",
                directory_bytes, directory_offset);
  }

  ZipMembers members;
  std::span<const std::byte> rest = file.subspan(directory_offset, directory_bytes);
  for (std::size_t i = 0; i < entries; ++i) {
    if (rest.size() < kEntryBytes || load<std::uint32_t>(rest, 0) != kEntrySignature) {
      return fail(ErrorCode::kCorruptData, "the directory has {} entries, want {}", i, entries);
    }
    const std::size_t name_bytes = load<std::uint16_t>(rest, 28);
    const std::size_t entry_bytes =
        kEntryBytes + name_bytes + load<std::uint16_t>(rest, 30) + load<std::uint16_t>(rest, 32);
    if (entry_bytes > rest.size()) {
      return fail(ErrorCode::kCorruptData, "entry {} of the directory reaches beyond its end", i);
    }
    const std::string_view name = as_text(rest.subspan(kEntryBytes, name_bytes));
    ASSIGN_OR_RETURN(const ZipMember member, read_entry(file, rest, name));
    rest = rest.subspan(entry_bytes);
    if (name.ends_with('/')) continue;
    if (!members.emplace(name, member).second) {
      return fail(ErrorCode::kCorruptData, "{}: the directory names this member twice", name);
    }
  }
  return members;
}

/// What has come out of a member so far, held against what the directory says.
class Checker {
 public:
  Checker(const ZipMember& member, const std::function<Status(std::span<const std::byte>)>& sink)
      : member_(member), sink_(sink) {}

  Status take(std::span<const std::byte> bytes) {
    if (bytes.size() > member_.size_bytes - size_bytes_) {
      return fail(ErrorCode::kCorruptData, "more than the {} bytes that the directory says", member_.size_bytes);
    }
    size_bytes_ += bytes.size();
    crc_ = ::crc32_z(crc_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
    return bytes.empty() ? Status() : sink_(bytes);
  }

  Status finish() const {
    if (size_bytes_ != member_.size_bytes) {
      return fail(ErrorCode::kCorruptData, "{} bytes, but the directory says {}", size_bytes_, member_.size_bytes);
    }
    if (crc_ != member_.crc32) {
      return fail(ErrorCode::kCorruptData, "CRC-32 is {:08x}, but the directory says {:08x}", crc_, member_.crc32);
    }
    return {};
  }

 private:
  const ZipMember& member_;
  const std::function<Status(std::span<const std::byte>)>& sink_;
  std::uint64_t size_bytes_ = 0;
  uLong crc_ = ::crc32_z(0, nullptr, 0);
};

Status inflate_into(const ZipMember& member, Checker& checker) {
  struct Stream : z_stream {
    Stream() : z_stream{} {}
    ~Stream() { ::inflateEnd(this); }
  } stream;
  // Minus: raw deflate, without zlib's own header.
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) return fail(ErrorCode::kIo, "cannot start zlib");
  std::vector<std::byte> buffer(std::size_t{1} << 18);
  // Sizes are below 2^32, because zip64 is refused.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(member.contents.data()));
  stream.avail_in = static_cast<uInt>(member.contents.size());
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    const int code = ::inflate(&stream, Z_NO_FLUSH);
    RETURN_IF_ERROR(checker.take(std::span(buffer).first(buffer.size() - stream.avail_out)));
    if (code == Z_STREAM_END) return {};
    if (code != Z_OK) {
      return fail(ErrorCode::kCorruptData, "the deflated data is wrong or cut ({})",
                  stream.msg != nullptr ? stream.msg : "no more input");
    }
  }
}

}  // namespace

Result<ZipMembers> parse_zip(std::span<const std::byte> file, std::string_view name) {
  Result<ZipMembers> members = parse_directory(file);
  if (!members) return fail_in(name, std::move(members).error());
  return members;
}

Status read_zip_member(const ZipMember& member, const std::function<Status(std::span<const std::byte>)>& sink) {
  Checker checker(member, sink);
  RETURN_IF_ERROR(member.is_deflated ? inflate_into(member, checker) : checker.take(member.contents));
  return checker.finish();
}

Result<ZipArchive> ZipArchive::open(const std::filesystem::path& path) {
  ZipArchive archive;
  archive.name_ = path.string();
  ASSIGN_OR_RETURN(archive.file_, MappedFile::open(path));
  ASSIGN_OR_RETURN(archive.members_, parse_zip(archive.file_.bytes(), archive.name_));
  return archive;
}

Status ZipArchive::extract(std::string_view member, const std::filesystem::path& destination) const {
  const auto found = members_.find(member);
  if (found == members_.end()) return fail(ErrorCode::kNotFound, "{}: has no member {}", name_, member);
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(destination));
  Status status =
      read_zip_member(found->second, [&file](std::span<const std::byte> bytes) { return file.append(bytes); });
  if (status) status = file.sync();
  if (status) return {};
  std::error_code ignored;
  std::filesystem::remove(destination, ignored);
  return fail_in(fmt::format("{}: {}", name_, member), std::move(status).error());
}

}  // namespace tandem
