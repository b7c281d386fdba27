#include "base/mapped_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/testing/temporary_folder.h"

namespace tandem {
namespace {

constexpr std::size_t kBytes = 100'000;

class MappedFileTest : public testing::Test {
 protected:
  MappedFileTest() : path_(folder_.write("file", std::string(kBytes, 'x'))) {}

  static std::uint64_t sum(const MappedFile& file) {
    const std::span<const std::byte> bytes = file.bytes();
    return std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0}, [](std::uint64_t all, std::byte each) {
      return all + std::to_integer<std::uint64_t>(each);
    });
  }

  void shorten(std::uintmax_t bytes) const { std::filesystem::resize_file(path_, bytes); }

  TemporaryFolder folder_;
  std::filesystem::path path_;
};

TEST_F(MappedFileTest, AFileThatNobodyChangesIsUnchanged) {
  auto file = MappedFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  const MappedFile moved = std::move(*file);
  EXPECT_EQ(sum(moved), kBytes * 'x');
  EXPECT_TRUE(moved.check_unchanged());
  std::filesystem::remove(path_);
  EXPECT_TRUE(moved.check_unchanged()) << "an unlinked file lives on";
  EXPECT_TRUE(MappedFile::open(folder_.write("empty", ""))->check_unchanged());
}

TEST_F(MappedFileTest, LostPagesReadAsZerosAndAreAnError) {
  for (const std::size_t left : {std::size_t{0}, std::size_t{1}, kBytes / 2 + 123}) {
    folder_.write("file", std::string(kBytes, 'x'));
    const auto file = MappedFile::open(path_);
    ASSERT_TRUE(file) << file.error().message;
    shorten(left);
    EXPECT_EQ(sum(*file), left * 'x');
    const Status status = file->check_unchanged();
    ASSERT_FALSE(status) << left;
    EXPECT_EQ(status.error().code, ErrorCode::kCorruptData);
    EXPECT_EQ(status.error().message,
              fmt::format("{}: was shortened while it was read: {} bytes, want {}", path_.string(), left, kBytes));
  }
}

TEST_F(MappedFileTest, AFileThatWasFilledAgainIsStillChanged) {
  const auto file = MappedFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  struct stat before {};
  ASSERT_EQ(::stat(path_.c_str(), &before), 0);
  shorten(0);
  EXPECT_EQ(sum(*file), 0U);
  folder_.write("file", std::string(kBytes, 'x'));
  const timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  EXPECT_FALSE(file->check_unchanged()) << "zeros were read";
}

TEST_F(MappedFileTest, AFileThatIsFilledAgainBeforeItIsReadIsChanged) {
  const auto file = MappedFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // The clock of files is a coarse one.
  shorten(0);
  shorten(kBytes);
  EXPECT_FALSE(file->check_unchanged());
}

TEST_F(MappedFileTest, ManyThreadsReadOnWhileFilesShrinkAndCloseAndOpen) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      const std::string name = "file" + std::to_string(thread);
      for (int round = 0; round < 50; ++round) {
        const std::filesystem::path path = folder_.write(name, std::string(kBytes, 'x'));
        const auto file = MappedFile::open(path);
        ASSERT_TRUE(file) << file.error().message;
        std::thread other([&file] { static_cast<void>(sum(*file)); });
        std::filesystem::resize_file(path, static_cast<std::uintmax_t>(round * 1999));
        static_cast<void>(sum(*file));
        other.join();
        EXPECT_FALSE(file->check_unchanged());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(MappedFileTest, RefusesAFifoWithoutWaiting) {
  const std::filesystem::path fifo = folder_.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(MappedFile::open(fifo).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(MappedFile::open(folder_.path()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(MappedFile::open("/dev/zero").error().code, ErrorCode::kInvalidArgument);
}

/// Reads a page of a file, mapped by other means, that is not there.
void read_a_page_of_somebody_else(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  const auto* const bytes =
      static_cast<const volatile char*>(::mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE, descriptor, 0));
  std::filesystem::resize_file(path, 0);
  static_cast<void>(bytes[0]);
}

TEST_F(MappedFileTest, TheSignalOfAMappingThatIsNotOursEndsTheProcess) {
  const auto file = MappedFile::open(folder_.write("ours", "x"));
  EXPECT_DEATH(read_a_page_of_somebody_else(path_), "");
  EXPECT_DEATH(::raise(SIGBUS), "");
}

}  // namespace
}  // namespace tandem
