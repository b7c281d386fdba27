// Descriptors that close themselves, and files that are on the disk when a call says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "tandem/result.h"

namespace tandem {

/// Owns an open file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  /// open(2), with O_CLOEXEC; a file that O_CREAT makes has `mode` less the umask.
  static Result<FileDescriptor> open(const std::filesystem::path& path, int flags, unsigned mode = 0666);

  /// open() of what has to be a regular file, and never waits: for what a folder or another program may have put there.
  /// Errors: also kInvalidArgument for a FIFO, a device, a socket or a folder.
  static Result<FileDescriptor> open_regular(const std::filesystem::path& path, int flags);

  /// Opens a regular file for reading by its path below a folder, `name` standing for it in errors. No link is
  /// followed, so that the file lies in the folder, whatever others put in its way meanwhile. Never waits. Errors: also
  /// kConflict for a link on the way, and kInvalidArgument for what is no regular file.
  static Result<FileDescriptor> open_beneath(const FileDescriptor& folder, const std::filesystem::path& relative,
                                             std::string_view name);

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
  /// Refuses a path that exists. The file has `mode` less the umask.
  static Result<OutputFile> create(const std::filesystem::path& path, unsigned mode = 0666);

  Status append(std::span<const std::byte> bytes);
  /// Replaces bytes that were appended before.
  Status overwrite(std::uint64_t position, std::span<const std::byte> bytes);
  /// Returns when everything written is on the disk.
  Status sync();
  int descriptor() const { return descriptor_.get(); }

 private:
  OutputFile(FileDescriptor descriptor, std::filesystem::path path);
  FileDescriptor descriptor_;
  std::filesystem::path path_;
  std::uint64_t size_ = 0;
};

/// A file that takes the place of another in one step: until commit(), and without it, what was there stays. It is
/// private until then, and as private as the other was afterwards: it gets the mode of the file that it replaces, and
/// the owner and group where that is allowed; a new one has mode 0666 less the umask. Not thread-safe. Errors:
/// kPermission, kNoSpace, kIo.
class ReplacementFile {
 public:
  /// In the place of what a link leads to, where `path` is one. Also refuses a path with something else than a regular
  /// file: kInvalidArgument.
  static Result<ReplacementFile> create(const std::filesystem::path& path);

  /// The file `name` of a folder, of which the caller gave the folder alone: also refuses a link of that name, which
  /// leads where whoever made the folder wants it to.
  static Result<ReplacementFile> create_in(const std::filesystem::path& folder, const std::string& name);

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
  static Result<ReplacementFile> create_at(std::filesystem::path target, const std::filesystem::path& shown);

  OutputFile file_;
  Status adopt_permissions();

  std::filesystem::path path_;
  std::filesystem::path partial_;  // Empty once committed or moved from.
};

/// Whether a folder has something of this name. Also true of a link that leads nowhere, such as one into a cache that
/// was pruned, and of what cannot be looked at: opening it says why, where what is absent would be done without.
bool has_entry(const std::filesystem::path& path);

/// The content of a regular file of at most `bytes_max` bytes: for what a folder may hold, where a FIFO would never
/// come to an end and a device neither. Errors: kInvalidArgument for what is no regular file, kCorruptData for a longer
/// one and for a pointer of Git LFS, and those of opening and reading.
Result<std::string> read_small_file(const std::filesystem::path& path, std::uint64_t bytes_max);

/// Creates a file with this content, on the disk when it returns.
Status write_new_file(const std::filesystem::path& path, std::string_view content);

/// Returns when a file's content, or a folder's list of names, is on the disk.
Status sync_to_disk(const std::filesystem::path& path);

}  // namespace tandem
