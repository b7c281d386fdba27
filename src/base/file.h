// Descriptors that close themselves, and files that are on the disk when a call says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "tandem/result.h"

namespace tandem {

/// Owns an open file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  /// open(2), with O_CLOEXEC; a file that O_CREAT makes has mode 0666 less the umask.
  static Result<FileDescriptor> open(const std::filesystem::path& path, int flags);

  /// open() of what has to be a regular file, and never waits: for what a folder or another program may have put there.
  /// Errors: also kInvalidArgument for a FIFO, a device, a socket or a folder.
  static Result<FileDescriptor> open_regular(const std::filesystem::path& path, int flags);

  int get() const { return descriptor_; }

  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

 private:
  int descriptor_ = -1;
};

/// A new file that is written from the front. Not thread-safe. Errors: kPermission, kNoSpace, kIo.
class OutputFile {
 public:
  /// Refuses a path that exists.
  static Result<OutputFile> create(const std::filesystem::path& path);

  Status append(std::span<const std::byte> bytes);
  /// Replaces bytes that were appended before.
  Status overwrite(std::uint64_t position, std::span<const std::byte> bytes);
  /// Returns when everything written is on the disk.
  Status sync();

 private:
  OutputFile(FileDescriptor descriptor, std::filesystem::path path);
  FileDescriptor descriptor_;
  std::filesystem::path path_;
  std::uint64_t size_ = 0;
};

/// A file that takes the place of another in one step: until commit(), and without it, what was there stays. Not
/// thread-safe. Errors: kPermission, kNoSpace, kIo.
class ReplacementFile {
 public:
  /// Also refuses a path with something else than a regular file: kInvalidArgument.
  static Result<ReplacementFile> create(const std::filesystem::path& path);

  Status append(std::span<const std::byte> bytes) { return file_.append(bytes); }
  /// Replaces bytes that were appended before.
  Status overwrite(std::uint64_t position, std::span<const std::byte> bytes) {
    return file_.overwrite(position, bytes);
  }
  /// Returns when the new content is on the disk, under its name.
  Status commit();

  ReplacementFile(ReplacementFile&& other) noexcept;
  ReplacementFile& operator=(ReplacementFile&&) = delete;
  ~ReplacementFile();

 private:
  ReplacementFile(OutputFile file, std::filesystem::path path, std::filesystem::path partial);

  OutputFile file_;
  std::filesystem::path path_;
  std::filesystem::path partial_;  // Empty once committed or moved from.
};

/// Creates a file with this content, on the disk when it returns.
Status write_new_file(const std::filesystem::path& path, std::string_view content);

/// Returns when a file's content, or a folder's list of names, is on the disk.
Status sync_to_disk(const std::filesystem::path& path);

}  // namespace tandem
