// A file mapped for reading.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "base/file.h"
#include "tandem/result.h"

namespace tandem {

/// Tells files apart, whatever names and links lead to them: stat(2)'s device and inode.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  auto operator<=>(const FileIdentity&) const = default;
};

/// The bytes of a regular file, shared with the page cache. Owns the mapping; movable.
///
/// Another process may shorten or change the file meanwhile, which ends a process that reads the lost pages (SIGBUS).
/// Here they read as zeros instead, through a handler of that signal, which passes on what it is not for. So whoever
/// computes something from the bytes asks check_unchanged() before the result leaves:
///
///   const float sum = add_up(file.bytes());
///   RETURN_IF_ERROR(file.check_unchanged());
class MappedFile {
 public:
  /// Never waits. Errors: kInvalidArgument for what is no regular file, kCorruptData for a pointer of Git LFS, and
  /// those of opening and mapping.
  static Result<MappedFile> open(const std::filesystem::path& path);

  std::span<const std::byte> bytes() const { return {data_, size_}; }

  /// Of the file that was opened.
  FileIdentity identity() const { return identity_; }

  /// Success when everything that was read from bytes() so far is what the file held when it was opened. Costs one
  /// fstat(2). Errors: kCorruptData. Thread-safe.
  Status check_unchanged() const;

  /// Tells the kernel that a range has been read for the last time, so that it stops counting as resident.
  void discard(std::span<const std::byte> range) const;

  MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  FileDescriptor file_;  // Stays open for check_unchanged(), and keeps an unlinked file.
  std::filesystem::path path_;
  FileIdentity identity_;
  std::int64_t modified_ns_ = 0;
  class Guard;
  std::unique_ptr<Guard> guard_;
};

}  // namespace tandem
