// Kills a writer at each call by which it changes the file system, from taking the lock to removing the old version,
// and looks at what it leaves. This shows that no order of calls leaves half a version; it does not show what a machine
// that loses its power has brought to the disk.
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <set>
#include <string>
#include <string_view>

#include "base/testing/temporary_folder.h"
#include "store/testing/sample_versions.h"

namespace {

/// What a writer does, in memory that it shares with the test that waits for it.
struct Trace {
  static constexpr std::size_t kCallsMax = 1000;
  std::array<const char*, kCallsMax> names;  // Literals: the writer is a fork of the test.
  std::size_t calls;
  std::size_t kill_at;  // The number of the call that is the last, from 1 on; 0: none is.
  pid_t writer;

  /// Notes a call; true for the one at which to end.
  bool ends_at(const char* name) {
    if (::getpid() != writer || calls == kCallsMax) return false;
    names[calls++] = name;
    return calls == kill_at;
  }
};

Trace& trace() {
  static auto* const shared =
      static_cast<Trace*>(::mmap(nullptr, sizeof(Trace), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return *shared;
}

void die() { ::kill(::getpid(), SIGKILL); }

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// Of bytes that are written when the writer ends, half arrive.
ssize_t write_at(const char* name, int file, const void* bytes, size_t size, off_t position) {
  auto* const write = next<ssize_t(int, const void*, size_t, off_t)>(name);
  if (!trace().ends_at(name)) return write(file, bytes, size, position);
  static_cast<void>(write(file, bytes, size / 2, position));
  die();
  return -1;
}

template <class... Arguments>
int change(const char* name, Arguments... arguments) {
  if (trace().ends_at(name)) die();
  return next<int(Arguments...)>(name)(arguments...);
}

int open_file(const char* name, const char* path, int flags, mode_t mode) {
  if ((flags & O_CREAT) != 0 && trace().ends_at(name)) die();
  return next<int(const char*, int, ...)>(name)(path, flags, mode);
}

mode_t mode_of(int flags, va_list arguments) { return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0; }

}  // namespace

// The program's own functions take the place of the C library's, in SQLite and in the C++ library too.
#pragma GCC visibility push(default)
extern "C" {
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
ssize_t pwrite(int file, const void* bytes, size_t size, off_t position) {
  return write_at("pwrite", file, bytes, size, position);
}
ssize_t pwrite64(int file, const void* bytes, size_t size, off_t position) {
  return write_at("pwrite64", file, bytes, size, position);
}
int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file("open", path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file("open64", path, flags, mode);
}
int mkdir(const char* path, mode_t mode) noexcept { return change("mkdir", path, mode); }
int fsync(int file) { return change("fsync", file); }
int fdatasync(int file) { return change("fdatasync", file); }
int ftruncate(int file, off_t size) noexcept { return change("ftruncate", file, size); }
int ftruncate64(int file, off_t size) noexcept { return change("ftruncate64", file, size); }
int rename(const char* from, const char* to) noexcept { return change("rename", from, to); }
int unlink(const char* path) noexcept { return change("unlink", path); }
int unlinkat(int folder, const char* path, int flags) noexcept { return change("unlinkat", folder, path, flags); }
int rmdir(const char* path) noexcept { return change("rmdir", path); }
int remove(const char* path) noexcept { return change("remove", path); }
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
}
#pragma GCC visibility pop

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDocuments = 3;

/// Writes a version in a process that ends at its `kill_at`-th call; its status, as Child says it.
int write_and_die(const fs::path& folder, std::uint32_t tag, std::size_t kill_at) {
  trace() = {};
  trace().kill_at = kill_at;
  const Child child([&] {
    trace().writer = ::getpid();
    return write_version(folder, tag, kDocuments) ? 0 : 1;
  });
  return child.wait();
}

/// True when the writer came to the call behind that of this name.
bool is_behind(std::string_view name) {
  for (std::size_t call = 0; call + 1 < trace().calls; ++call) {
    if (trace().names[call] == name) return true;
  }
  return false;
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

/// Kills a writer at every call, each time over the version before it or, at first, over nothing.
void kill_everywhere(bool has_old_version) {
  const TemporaryFolder temporary;
  std::set<std::string_view> killed_at;
  for (std::size_t kill_at = 1;; ++kill_at) {
    SCOPED_TRACE(kill_at);
    const fs::path folder = temporary.path() / std::to_string(kill_at);
    constexpr std::uint32_t kOld = 1;
    constexpr std::uint32_t kNew = 2;
    if (has_old_version) {
      ASSERT_TRUE(write_version(folder, kOld, kDocuments));
    }
    const int status = write_and_die(folder, kNew, kill_at);
    if (status == 0) break;
    ASSERT_EQ(status, -SIGKILL);
    ASSERT_EQ(trace().calls, kill_at);
    killed_at.insert(trace().names[kill_at - 1]);

    const auto version = read_version(folder);
    if (is_behind("rename")) {
      ASSERT_TRUE(version) << version.error().message;
      EXPECT_EQ(*version, kNew);
    } else if (has_old_version) {
      ASSERT_TRUE(version) << version.error().message;
      EXPECT_EQ(*version, kOld);
    } else {
      ASSERT_FALSE(version);
      EXPECT_EQ(version.error().code, ErrorCode::kNotFound) << version.error().message;
    }
    // The next writer clears away what this one has left.
    constexpr std::uint32_t kNext = 3;
    const auto next = write_version(folder, kNext, kDocuments);
    ASSERT_TRUE(next) << next.error().message;
    EXPECT_EQ(*read_version(folder), kNext);
    EXPECT_EQ(names_in(folder).size(), 2U);
  }
  // Vectors, documents and manifest are written and synced, the switch is a rename, and the old version is removed.
  for (const std::string_view name : {"mkdir", "open", "pwrite", "pwrite64", "fsync", "rename"}) {
    EXPECT_TRUE(killed_at.contains(name)) << name;
  }
  EXPECT_EQ(killed_at.contains("unlinkat"), has_old_version);
}

TEST(CollectionKill, AtEveryCallLeavesTheOldOrTheNewVersion) { kill_everywhere(true); }

TEST(CollectionKill, AtEveryCallOfTheFirstWriterLeavesNothingOrItsVersion) { kill_everywhere(false); }

}  // namespace
}  // namespace tandem
