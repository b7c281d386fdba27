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

// The records that are read, little-endian, with the offsets of the fields that matter:
//
//   end of central directory   0 "PK\5\6"  8 entries on this disk u16  10 entries u16  12 directory bytes u32
//                              16 directory offset u32  20 comment bytes u16   22 in all, then the comment
//   central directory entry    0 "PK\1\2"  8 flags u16  10 method u16  16 crc u32  20 compressed bytes u32
//                              24 bytes u32  28 name bytes u16  30 extra bytes u16  32 comment bytes u16
//                              34 disk u16  42 local header offset u32   46 in all, then name, extra, comment
//   local file header          0 "PK\3\4"  26 name bytes u16  28 extra bytes u16   30 in all, then name, extra, data
//
// A field of the first two that is all ones is too small for its value, which zip64 keeps elsewhere:
//
//   zip64 end locator          0 "PK\6\7"  8 offset of the zip64 end u64   20 in all, right before the end record
//   zip64 end                  0 "PK\6\6"  24 entries on this disk u64  32 entries u64  40 directory bytes u64
//                              48 directory offset u64   56 in all
//   extra field 1 of an entry  0 id u16  2 bytes u16, then a u64 for each of bytes, compressed bytes and local header
//                              offset, in this order, whose own field is all ones
constexpr std::uint32_t kEndSignature = 0x06054B50;
constexpr std::uint32_t kEntrySignature = 0x02014B50;
constexpr std::uint32_t kLocalSignature = 0x04034B50;
constexpr std::uint32_t kZip64LocatorSignature = 0x07064B50;
constexpr std::uint32_t kZip64EndSignature = 0x06064B50;
constexpr std::size_t kZip64LocatorBytes = 20;
constexpr std::size_t kZip64EndBytes = 56;
constexpr std::uint16_t kZip64ExtraId = 1;
constexpr std::uint32_t kInZip64 = std::numeric_limits<std::uint32_t>::max();
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

/// What an entry says about sizes and places, once zip64 has been looked up.
struct EntrySizes {
  std::uint64_t bytes;
  std::uint64_t compressed_bytes;
  std::uint64_t local_header;
};

Result<EntrySizes> read_sizes(std::span<const std::byte> entry, std::span<const std::byte> extra,
                              std::string_view name) {
  EntrySizes sizes{load<std::uint32_t>(entry, 24), load<std::uint32_t>(entry, 20), load<std::uint32_t>(entry, 42)};
  if (sizes.bytes != kInZip64 && sizes.compressed_bytes != kInZip64 && sizes.local_header != kInZip64) return sizes;
  constexpr std::size_t kFieldHeaderBytes = 4;
  while (extra.size() >= kFieldHeaderBytes) {
    const std::size_t field_bytes = load<std::uint16_t>(extra, 2);
    if (field_bytes > extra.size() - kFieldHeaderBytes) break;
    std::span<const std::byte> field = extra.subspan(kFieldHeaderBytes, field_bytes);
    const bool is_zip64 = load<std::uint16_t>(extra, 0) == kZip64ExtraId;
    extra = extra.subspan(kFieldHeaderBytes + field_bytes);
    if (!is_zip64) continue;
    for (std::uint64_t* size : {&sizes.bytes, &sizes.compressed_bytes, &sizes.local_header}) {
      if (*size != kInZip64) continue;
      if (field.size() < sizeof(std::uint64_t)) {
        return fail(ErrorCode::kCorruptData, "{}: its zip64 field has {} bytes and lacks a size", name, field_bytes);
      }
      *size = load<std::uint64_t>(field, 0);
      field = field.subspan(sizeof(std::uint64_t));
    }
    return sizes;
  }
  return fail(ErrorCode::kCorruptData, "{}: has no zip64 field, though its sizes are said to be there", name);
}

/// The contents of a member, found through its local header.
Result<std::span<const std::byte>> find_contents(std::span<const std::byte> file, const EntrySizes& sizes,
                                                 std::string_view name) {
  const std::uint64_t local = sizes.local_header;
  if (local > file.size() || file.size() - local < kLocalBytes || load<std::uint32_t>(file, local) != kLocalSignature) {
    return fail(ErrorCode::kCorruptData, "{}: no local header at byte {}", name, local);
  }
  const std::size_t name_bytes = load<std::uint16_t>(file, local + 26);
  const std::size_t header_bytes = kLocalBytes + name_bytes + load<std::uint16_t>(file, local + 28);
  const std::span<const std::byte> rest = file.subspan(local);
  if (header_bytes > rest.size() || sizes.compressed_bytes > rest.size() - header_bytes) {
    return fail(ErrorCode::kCorruptData, "{}: {} bytes from byte {} on do not fit into the file's {} bytes", name,
                sizes.compressed_bytes, local + header_bytes, file.size());
  }
  if (as_text(rest.subspan(kLocalBytes, name_bytes)) != name) {
    return fail(ErrorCode::kCorruptData, "{}: the local header at byte {} has another name", name, local);
  }
  return rest.subspan(header_bytes, sizes.compressed_bytes);
}

Result<ZipMember> read_entry(std::span<const std::byte> file, std::span<const std::byte> entry,
                             std::span<const std::byte> extra, std::string_view name) {
  ZipMember member;
  const auto method = load<std::uint16_t>(entry, 10);
  member.is_deflated = method == kMethodDeflated;
  member.crc32 = load<std::uint32_t>(entry, 16);
  if (!is_safe_relative_path(name.substr(0, name.size() - (name.ends_with('/') ? 1 : 0)))) {  // "pkg/" is a folder.
    return fail(ErrorCode::kCorruptData, "member \"{}\": a name that could lead out of a folder", name);
  }
  if ((load<std::uint16_t>(entry, 8) & kFlagEncrypted) != 0) {
    return fail(ErrorCode::kUnsupported, "{}: encrypted members are not supported", name);
  }
  if (method != kMethodStored && method != kMethodDeflated) {
    return fail(ErrorCode::kUnsupported, "{}: compression method {} is not supported, want 0 or 8", name, method);
  }
  ASSIGN_OR_RETURN(const EntrySizes sizes, read_sizes(entry, extra, name));
  member.size_bytes = sizes.bytes;
  ASSIGN_OR_RETURN(member.contents, find_contents(file, sizes, name));
  if (!member.is_deflated && member.contents.size() != member.size_bytes) {
    return fail(ErrorCode::kCorruptData, "{}: stored in {} bytes, but said to have {}", name, member.contents.size(),
                member.size_bytes);
  }
  return member;
}

/// Where the directory lies.
struct Directory {
  std::uint64_t entries;
  std::uint64_t entries_on_this_disk;
  std::uint64_t bytes;
  std::uint64_t offset;
};

Result<Directory> find_directory(std::span<const std::byte> file, std::size_t end) {
  Directory directory{load<std::uint16_t>(file, end + 10), load<std::uint16_t>(file, end + 8),
                      load<std::uint32_t>(file, end + 12), load<std::uint32_t>(file, end + 16)};
  if (directory.entries != std::numeric_limits<std::uint16_t>::max() && directory.bytes != kInZip64 &&
      directory.offset != kInZip64) {
    return directory;
  }
  if (end < kZip64LocatorBytes || load<std::uint32_t>(file, end - kZip64LocatorBytes) != kZip64LocatorSignature) {
    return fail(ErrorCode::kCorruptData, "no zip64 locator before the end of central directory, which needs one");
  }
  const auto offset = load<std::uint64_t>(file, end - kZip64LocatorBytes + 8);
  if (offset > file.size() || file.size() - offset < kZip64EndBytes ||
      load<std::uint32_t>(file, offset) != kZip64EndSignature) {
    return fail(ErrorCode::kCorruptData, "no zip64 end of central directory at byte {}", offset);
  }
  return Directory{load<std::uint64_t>(file, offset + 32), load<std::uint64_t>(file, offset + 24),
                   load<std::uint64_t>(file, offset + 40), load<std::uint64_t>(file, offset + 48)};
}

Result<ZipMembers> parse_directory(std::span<const std::byte> file) {
  ASSIGN_OR_RETURN(const std::size_t end, find_end_record(file));
  ASSIGN_OR_RETURN(const Directory directory, find_directory(file, end));
  if (directory.entries_on_this_disk != directory.entries) {
    return fail(ErrorCode::kUnsupported, "archives of several disks are not supported");
  }
  if (directory.offset > end || directory.bytes > end - directory.offset) {
    return fail(ErrorCode::kCorruptData, "the directory's {} bytes from byte {} on do not fit into the file",
                directory.bytes, directory.offset);
  }

  ZipMembers members;
  std::span<const std::byte> rest = file.subspan(directory.offset, directory.bytes);
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (rest.size() < kEntryBytes || load<std::uint32_t>(rest, 0) != kEntrySignature) {
      return fail(ErrorCode::kCorruptData, "the directory has {} entries, want {}", i, directory.entries);
    }
    const std::size_t name_bytes = load<std::uint16_t>(rest, 28);
    const std::size_t extra_bytes = load<std::uint16_t>(rest, 30);
    const std::size_t entry_bytes = kEntryBytes + name_bytes + extra_bytes + load<std::uint16_t>(rest, 32);
    if (entry_bytes > rest.size()) {
      return fail(ErrorCode::kCorruptData, "entry {} of the directory reaches beyond its end", i);
    }
    const std::string_view name = as_text(rest.subspan(kEntryBytes, name_bytes));
    const std::span<const std::byte> extra = rest.subspan(kEntryBytes + name_bytes, extra_bytes);
    ASSIGN_OR_RETURN(const ZipMember member, read_entry(file, rest, extra, name));
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
  std::span<const std::byte> rest = member.contents;
  for (;;) {
    if (stream.avail_in == 0) {  // zlib counts what it has in 32 bits.
      const auto piece = rest.first(std::min<std::size_t>(rest.size(), std::numeric_limits<uInt>::max()));
      stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(piece.data()));
      stream.avail_in = static_cast<uInt>(piece.size());
      rest = rest.subspan(piece.size());
    }
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
