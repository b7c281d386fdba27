#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/testing/temporary_folder.h"

namespace tandem {
namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

Status replace(const std::filesystem::path& path, std::string_view content) {
  ASSIGN_OR_RETURN(ReplacementFile file, ReplacementFile::create(path));
  RETURN_IF_ERROR(file.append(std::as_bytes(std::span(content))));
  return file.commit();
}

TEST(ReplacementFileTest, IsAsPrivateAsTheFileThatItReplaces) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.write("file", "old");
  for (const mode_t mode : {0600, 0640, 0444, 0755}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    ASSERT_TRUE(replace(path, "new"));
    EXPECT_EQ(mode_of(path), mode);
  }
}

TEST(ReplacementFileTest, ANewFileHasTheModeThatTheUmaskLeaves) {
  const TemporaryFolder folder;
  for (const mode_t mask : {0022, 0077, 0002}) {
    const mode_t before = ::umask(mask);
    const std::filesystem::path path = folder.path() / std::to_string(mask);
    const Status status = replace(path, "new");
    ::umask(before);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(mode_of(path), 0666 & ~mask);
  }
}

TEST(ReplacementFileTest, IsPrivateUntilItIsWhole) {
  const TemporaryFolder folder;
  const Result<ReplacementFile> file = ReplacementFile::create(folder.path() / "file");
  ASSERT_TRUE(file) << file.error().message;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) EXPECT_EQ(mode_of(entry.path()), 0600U);
}

TEST(ReplacementFileTest, GoesWhereLinksLeadThatTheCallerNamed) {
  const TemporaryFolder folder;
  folder.write("there/old", "old");
  std::filesystem::create_symlink("there/old", folder.path() / "link");
  std::filesystem::create_symlink("there/new", folder.path() / "dangling");
  std::filesystem::create_symlink("dangling", folder.path() / "chain");
  for (const char* name : {"link", "chain"}) {
    const Status status = replace(folder.path() / name, name);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_TRUE(std::filesystem::is_symlink(folder.path() / name));
  }
  EXPECT_EQ(*read_small_file(folder.path() / "there/old", 100), "link");
  EXPECT_EQ(*read_small_file(folder.path() / "there/new", 100), "chain");
  std::filesystem::create_symlink("loop", folder.path() / "loop");
  EXPECT_FALSE(replace(folder.path() / "loop", "x"));
}

TEST(ReplacementFileTest, FollowsNoLinkThatLiesInAFolder) {
  const TemporaryFolder folder;
  folder.write("secret", "old");
  folder.write("charts/plain.svg", "old");
  std::filesystem::create_symlink("../secret", folder.path() / "charts/link.svg");
  std::filesystem::create_symlink("../nothing", folder.path() / "charts/dangling.svg");
  std::filesystem::create_symlink("charts", folder.path() / "given");
  for (const char* name : {"link.svg", "dangling.svg"}) {
    const auto file = ReplacementFile::create_in(folder.path() / "given", name);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(file.error().message.find("is a link"), std::string::npos) << file.error().message;
  }
  auto file = ReplacementFile::create_in(folder.path() / "given", "plain.svg");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_TRUE(file->commit());
  EXPECT_EQ(*read_small_file(folder.path() / "secret", 100), "old");
  EXPECT_EQ(*read_small_file(folder.path() / "charts/plain.svg", 100), "");
}

TEST(ReplacementFileTest, KeepsOwnerAndGroupWhereThatIsAllowed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.write("file", "old");
  ASSERT_EQ(::chown(path.c_str(), 12345, 23456), 0);
  ASSERT_TRUE(replace(path, "new"));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 12345U);
  EXPECT_EQ(status.st_gid, 23456U);
}

TEST(ReadSmallFile, ReadsAFileOfAtMostThatManyBytes) {
  const TemporaryFolder folder;
  const std::string content(200'000, 'x');
  const std::filesystem::path path = folder.write("file", content);
  EXPECT_EQ(read_small_file(path, content.size()).value(), content);
  EXPECT_EQ(read_small_file(folder.write("empty", ""), 0).value(), "");
  const auto too_long = read_small_file(path, content.size() - 1);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, ErrorCode::kCorruptData);
  EXPECT_EQ(too_long.error().message, path.string() + ": 200000 bytes, want at most 199999");
  EXPECT_EQ(read_small_file(folder.path() / "none", 1).error().code, ErrorCode::kNotFound);
}

TEST(ReadSmallFile, SaysThatAFileIsAPointerOfGitLfs) {
  const TemporaryFolder folder;
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, '0') + "\nsize 90888945\n";
  const std::filesystem::path path = folder.write("tokenizer.json", pointer);
  const auto content = read_small_file(path, 1 << 20);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().code, ErrorCode::kCorruptData);
  EXPECT_TRUE(content.error().message.starts_with(path.string() + ": is a pointer of Git LFS"));
  EXPECT_NE(content.error().message.find("`git lfs pull`"), std::string::npos) << content.error().message;
  const auto mapped = MappedFile::open(path);
  ASSERT_FALSE(mapped);
  EXPECT_EQ(mapped.error().message, content.error().message);
  EXPECT_TRUE(read_small_file(folder.write("notes.txt", "git-lfs: " + pointer), 1 << 20));
}

TEST(ReadSmallFile, ReadsFilesWhoseSizeNobodyKnows) {
  EXPECT_GT(read_small_file("/proc/self/status", 1 << 16).value().size(), 100U);
  EXPECT_EQ(read_small_file("/proc/self/status", 10).error().code, ErrorCode::kCorruptData);
}

TEST(ReadSmallFile, RefusesWhatIsNoRegularFileWithoutWaiting) {
  const TemporaryFolder folder;
  const std::filesystem::path fifo = folder.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const std::filesystem::path& path : {fifo, folder.path(), std::filesystem::path("/dev/zero")}) {
    const auto content = read_small_file(path, 1 << 20);
    ASSERT_FALSE(content) << path;
    EXPECT_EQ(content.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(content.error().message, path.string() + ": not a regular file");
  }
}

}  // namespace
}  // namespace tandem
