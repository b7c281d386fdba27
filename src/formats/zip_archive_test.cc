#include "formats/zip_archive.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "base/testing/temporary_folder.h"
#include "formats/testing/zip_builder.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

// pkg/ (a folder), pkg/plain.txt ("stored", stored), pkg/long.txt ("tandem " 40 times, deflated) and empty (nothing,
// deflated), written by the zipfile module of Python 3.11.2.
constexpr std::string_view kPythonsArchive =
    "504b03041400000000000000210000000000000000000000000004000000706b672f504b0304140000000000000021000bf9435606000000"
    "060000000d000000706b672f706c61696e2e74787473746f726564504b030414000000080000002100ad092dbb0d000000180100000c0000"
    "00706b672f6c6f6e672e7478742b49cc4b49cd552819a5502900504b03041400000008000000210000000000020000000000000005000000"
    "656d7074790300504b0102140314000000000000002100000000000000000000000000040000000000000000000000800100000000706b67"
    "2f504b01021403140000000000000021000bf9435606000000060000000d0000000000000000000000800122000000706b672f706c61696e"
    "2e747874504b0102140314000000080000002100ad092dbb0d000000180100000c0000000000000000000000800153000000706b672f6c6f"
    "6e672e747874504b010214031400000008000000210000000000020000000000000005000000000000000000000080018a000000656d7074"
    "79504b05060000000004000400da000000af0000000000";

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

template <class Integer>
void put(std::string& bytes, std::size_t offset, Integer value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

/// An archive with one stored member; tests then change single fields of it.
struct OneMember {
  explicit OneMember(const std::string& name)
      : bytes(build_zip({{name, "stored"}})), entry(bytes.rfind("PK\x01\x02")), end(bytes.rfind("PK\x05\x06")) {}

  std::string bytes;
  std::size_t entry;  // Where the directory's entry begins.
  std::size_t end;    // Where the end record begins.
};

Result<ZipMembers> parse(const std::string& bytes) { return parse_zip(std::as_bytes(std::span(bytes)), "test.whl"); }

Result<std::string> contents_of(const ZipMember& member) {
  std::string contents;
  RETURN_IF_ERROR(read_zip_member(member, [&contents](std::span<const std::byte> bytes) -> Status {
    contents.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }));
  return contents;
}

void expect_refused(const std::string& bytes, ErrorCode code, std::string_view part) {
  const Result<ZipMembers> members = parse(bytes);
  ASSERT_FALSE(members) << part;
  EXPECT_EQ(members.error().code, code) << members.error().message;
  EXPECT_TRUE(members.error().message.starts_with("test.whl: ")) << members.error().message;
  EXPECT_NE(members.error().message.find(part), std::string::npos) << members.error().message;
}

TEST(ZipArchive, ReadsWhatPythonWrites) {
  const std::string bytes = from_hex(kPythonsArchive);
  for (const char* comment : {"", "a comment"}) {
    std::string file = bytes + comment;
    put(file, bytes.size() - 2, static_cast<std::uint16_t>(std::strlen(comment)));
    const Result<ZipMembers> members = parse(file);
    ASSERT_TRUE(members) << members.error().message;
    ASSERT_EQ(members->size(), 3U);
    EXPECT_EQ(contents_of(members->at("pkg/plain.txt")).value(), "stored");
    EXPECT_EQ(contents_of(members->at("empty")).value(), "");
    std::string expected;
    for (int i = 0; i < 40; ++i) expected += "tandem ";
    EXPECT_EQ(contents_of(members->at("pkg/long.txt")).value(), expected);
  }
}

TEST(ZipArchive, ExtractsAMemberToAFile) {
  TemporaryFolder folder;
  const Result<ZipArchive> archive = ZipArchive::open(folder.write("a.zip", from_hex(kPythonsArchive)));
  ASSERT_TRUE(archive) << archive.error().message;
  ASSERT_TRUE(archive->extract("pkg/plain.txt", folder.path() / "plain.txt"));
  std::ifstream stream(folder.path() / "plain.txt");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), "stored");

  const Status missing = archive->extract("pkg/other.txt", folder.path() / "other.txt");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(archive->extract("pkg/plain.txt", folder.path() / "plain.txt"));  // It exists already.
  EXPECT_TRUE(fs::exists(folder.path() / "plain.txt"));
}

TEST(ZipArchive, LeavesNoFileWhenTheChecksumIsWrong) {
  TemporaryFolder folder;
  OneMember archive("a");
  archive.bytes[31] = 'S';  // The first byte of the content.
  const Result<ZipArchive> opened = ZipArchive::open(folder.write("a.zip", archive.bytes));
  ASSERT_TRUE(opened) << opened.error().message;
  const Status status = opened->extract("a", folder.path() / "a");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(status.error().message.find("CRC-32"), std::string::npos) << status.error().message;
  EXPECT_FALSE(fs::exists(folder.path() / "a"));
}

TEST(ZipArchive, RefusesNamesThatLeadOutOfAFolder) {
  ASSERT_TRUE(parse(OneMember("a/b..c/...").bytes));
  for (const std::string& name :
       {std::string("../a"), std::string("a/../b"), std::string("a/.."), std::string("/a"), std::string("a\\..\\b"),
        std::string("a\0b", 3), std::string(""), std::string("a//b"), std::string("./a"), std::string("../")}) {
    expect_refused(OneMember(name).bytes, ErrorCode::kCorruptData, "could lead out of a folder");
  }
}

TEST(ZipArchive, RefusesWhatItDoesNotSupport) {
  OneMember encrypted("a");
  put(encrypted.bytes, encrypted.entry + 8, std::uint16_t{1});
  expect_refused(encrypted.bytes, ErrorCode::kUnsupported, "encrypted");
  OneMember bzip2("a");
  put(bzip2.bytes, bzip2.entry + 10, std::uint16_t{12});
  expect_refused(bzip2.bytes, ErrorCode::kUnsupported, "compression method 12");
  OneMember disks("a");
  put(disks.bytes, disks.end + 8, std::uint16_t{0});
  expect_refused(disks.bytes, ErrorCode::kUnsupported, "several disks");
}

// The form that Python's zipfile gives large archives, here with small numbers in the large fields.
std::string zip64_archive(std::uint16_t field_bytes) {
  OneMember member("a");
  std::string field;
  for (const auto value : {std::uint16_t{1}, field_bytes}) {
    field.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  for (const std::uint64_t value : {std::uint64_t{6}, std::uint64_t{6}, std::uint64_t{0}}) {
    field.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  std::string bytes = member.bytes.substr(0, member.end);
  const std::string unrelated("\xca\xfe\x02\0zz", 6);
  put(bytes, member.entry + 20, std::uint32_t{0xFFFFFFFF});
  put(bytes, member.entry + 24, std::uint32_t{0xFFFFFFFF});
  put(bytes, member.entry + 42, std::uint32_t{0xFFFFFFFF});
  put(bytes, member.entry + 30, static_cast<std::uint16_t>(unrelated.size() + field.size()));
  bytes += unrelated + field;
  std::string end64(56, '\0');
  put(end64, 0, std::uint32_t{0x06064B50});
  put(end64, 24, std::uint64_t{1});
  put(end64, 32, std::uint64_t{1});
  put(end64, 40, std::uint64_t{bytes.size() - member.entry});
  put(end64, 48, std::uint64_t{member.entry});
  std::string locator(20, '\0');
  put(locator, 0, std::uint32_t{0x07064B50});
  put(locator, 8, std::uint64_t{bytes.size()});
  std::string end = member.bytes.substr(member.end);
  put(end, 12, std::uint32_t{0xFFFFFFFF});
  put(end, 16, std::uint32_t{0xFFFFFFFF});
  return bytes + end64 + locator + end;
}

TEST(ZipArchive, ReadsZip64) {
  const std::string bytes = zip64_archive(24);
  const Result<ZipMembers> members = parse(bytes);
  ASSERT_TRUE(members) << members.error().message;
  ASSERT_EQ(members->size(), 1U);
  EXPECT_EQ(contents_of(members->at("a")), "stored");
}

TEST(ZipArchive, RefusesZip64ThatLacksWhatItPromises) {
  expect_refused(zip64_archive(16), ErrorCode::kCorruptData, "lacks a size");
  std::string locator = zip64_archive(24);
  put(locator, locator.size() - 42, std::uint32_t{0});
  expect_refused(locator, ErrorCode::kCorruptData, "no zip64 locator");
  std::string end = zip64_archive(24);
  put(end, end.size() - 34, std::uint64_t{end.size() - 10});
  expect_refused(end, ErrorCode::kCorruptData, "no zip64 end");
  OneMember no_field("a");
  put(no_field.bytes, no_field.entry + 24, std::uint32_t{0xFFFFFFFF});
  expect_refused(no_field.bytes, ErrorCode::kCorruptData, "no zip64 field");
}

TEST(ZipArchive, RefusesDirectoriesThatLie) {
  const OneMember good("a");
  expect_refused("", ErrorCode::kCorruptData, "no end of central directory");
  expect_refused(good.bytes.substr(0, good.bytes.size() - 1), ErrorCode::kCorruptData, "no end of central directory");
  expect_refused(good.bytes + "x", ErrorCode::kCorruptData, "no end of central directory");

  const auto with = [&good](std::size_t offset, auto value) {
    std::string bytes = good.bytes;
    put(bytes, offset, value);
    return bytes;
  };
  expect_refused(with(good.end + 16, std::uint32_t{1000}), ErrorCode::kCorruptData, "do not fit into the file");
  expect_refused(with(good.end + 12, std::uint32_t{1000}), ErrorCode::kCorruptData, "do not fit into the file");
  expect_refused(with(good.entry, std::uint32_t{0}), ErrorCode::kCorruptData, "has 0 entries, want 1");
  expect_refused(with(good.entry + 28, std::uint16_t{100}), ErrorCode::kCorruptData, "reaches beyond its end");
  expect_refused(with(good.entry + 42, std::uint32_t{5}), ErrorCode::kCorruptData, "no local header at byte 5");
  expect_refused(with(good.entry + 42, std::uint32_t{0xFFFFFFF0}), ErrorCode::kCorruptData, "no local header");
  expect_refused(with(good.entry + 20, std::uint32_t{1000}), ErrorCode::kCorruptData, "do not fit into the file");
  expect_refused(with(28, std::uint16_t{60000}), ErrorCode::kCorruptData, "do not fit into the file");
  expect_refused(with(30, 'b'), ErrorCode::kCorruptData, "has another name");
  expect_refused(with(good.entry + 24, std::uint32_t{5}), ErrorCode::kCorruptData, "said to have 5");

  std::string twice = good.bytes;
  twice.insert(good.end, good.bytes.substr(good.entry, good.end - good.entry));
  const std::size_t end = twice.size() - 22;
  put(twice, end + 8, std::uint16_t{2});
  put(twice, end + 10, std::uint16_t{2});
  put(twice, end + 12, static_cast<std::uint32_t>(2 * (good.end - good.entry)));
  expect_refused(twice, ErrorCode::kCorruptData, "names this member twice");
}

TEST(ZipArchive, RefusesDeflatedDataThatIsWrong) {
  const std::string bytes = from_hex(kPythonsArchive);
  const std::size_t data = bytes.find("\x2b\x49\xcc");  // The deflated text of pkg/long.txt.
  ASSERT_NE(data, std::string::npos);
  const std::size_t entry = bytes.rfind("PK\x01\x02", bytes.rfind("pkg/long.txt"));
  ASSERT_NE(entry, std::string::npos);

  const auto error_with = [&](std::size_t offset, auto value) {
    std::string changed = bytes;
    put(changed, offset, value);
    const Result<ZipMembers> members = parse(changed);
    if (!members) return members.error().message;
    const Result<std::string> contents = contents_of(members->at("pkg/long.txt"));
    return contents ? "no error" : contents.error().message;
  };
  EXPECT_NE(error_with(data, '\xff').find("deflated data is wrong"), std::string::npos);
  // Said to be longer and shorter than it is, uncompressed; cut, compressed.
  EXPECT_NE(error_with(entry + 24, std::uint32_t{281}).find("280 bytes, but the directory says 281"),
            std::string::npos);
  EXPECT_NE(error_with(entry + 24, std::uint32_t{279}).find("more than the 279 bytes"), std::string::npos);
  EXPECT_NE(error_with(entry + 20, std::uint32_t{5}).find("wrong or cut"), std::string::npos);
  EXPECT_NE(error_with(entry + 16, std::uint32_t{1}).find("CRC-32"), std::string::npos);
}

}  // namespace
}  // namespace tandem
