#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/lfs_pointer.h"

namespace tandem {
namespace {

/// The umask. Asking umask(2) would change it, for every thread, for a moment. Where the kernel does not tell, as if it
/// kept everything private.
mode_t umask_of_process() {
  constexpr mode_t kPrivate = 0077;
  constexpr std::string_view kKey = "\nUmask:\t";
  const Result<std::string> status = read_small_file("/proc/self/status", 1 << 16);
  if (!status) return kPrivate;
  const std::size_t found = status->find(kKey);
  if (found == std::string::npos) return kPrivate;
  mode_t mask = kPrivate;
  std::from_chars(status->data() + found + kKey.size(), status->data() + status->size(), mask, 8);
  return mask;
}

}  // namespace

Result<FileDescriptor> FileDescriptor::open(const std::filesystem::path& path, int flags, unsigned mode) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (descriptor < 0) {
    return fail_errno(errno, (flags & O_CREAT) != 0 ? "cannot create" : "cannot open", path.string());
  }
  return FileDescriptor(descriptor);
}

Result<FileDescriptor> FileDescriptor::open_regular(const std::filesystem::path& path, int flags) {
  // Opening a FIFO would wait for its other end, and opening a terminal could make it the controlling one.
  Result<FileDescriptor> file = open(path, flags | O_NONBLOCK | O_NOCTTY);
  // A FIFO that nobody reads, and a socket, cannot even be opened; so neither is told by errno alone.
  struct stat status {};
  const bool found = file ? ::fstat(file->get(), &status) == 0 : ::stat(path.c_str(), &status) == 0;
  if (found && !S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kInvalidArgument, "{}: not a regular file", path.string());
  }
  if (file && !found) return fail_errno(errno, "cannot look at it", path.string());
  return file;
}

Result<FileDescriptor> FileDescriptor::open_beneath(const FileDescriptor& folder, const std::filesystem::path& relative,
                                                    std::string_view name) {
  FileDescriptor file;
  for (auto part = relative.begin(); part != relative.end(); ++part) {
    const bool is_last = std::next(part) == relative.end();
    const int parent = part == relative.begin() ? folder.get() : file.get();
    const int flags = is_last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
    FileDescriptor next(*part == ".." ? -1 : ::openat(parent, part->c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
    if (next.get() < 0) {
      if (*part == ".." || errno == ELOOP || errno == ENOTDIR) {
        return fail(ErrorCode::kConflict, "{}: there is a link on the way to it, which is not followed", name);
      }
      return fail_errno(errno, "cannot open", name);
    }
    file = std::move(next);
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_errno(errno, "cannot look at it", name);
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::kInvalidArgument, "{}: not a regular file", name);
  return file;
}

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

OutputFile::OutputFile(FileDescriptor descriptor, std::filesystem::path path)
    : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

Result<OutputFile> OutputFile::create(const std::filesystem::path& path, unsigned mode) {
  ASSIGN_OR_RETURN(FileDescriptor descriptor, FileDescriptor::open(path, O_WRONLY | O_CREAT | O_EXCL, mode));
  return OutputFile(std::move(descriptor), path);
}

Status OutputFile::append(std::span<const std::byte> bytes) {
  RETURN_IF_ERROR(overwrite(size_, bytes));
  size_ += bytes.size();
  return {};
}

Status OutputFile::overwrite(std::uint64_t position, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (written < 0) {
      if (errno == EINTR) continue;
      return fail_errno(errno, "cannot write", path_.string());
    }
    position += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Status OutputFile::sync() {
  if (::fsync(descriptor_.get()) != 0) return fail_errno(errno, "cannot write to the disk", path_.string());
  return {};
}

Result<ReplacementFile> ReplacementFile::create(const std::filesystem::path& path) {
  // Renaming over a link would leave its target as it was. The last link may lead to what is not there yet.
  constexpr int kLinksMax = 40;
  std::error_code error;
  std::filesystem::path target = path;
  for (int links = 0; std::filesystem::is_symlink(target, error); ++links) {
    if (links == kLinksMax) return fail_errno(ELOOP, "cannot create", path.string());
    const std::filesystem::path next = std::filesystem::read_symlink(target, error);
    if (error) return fail_errno(error.value(), "cannot create", path.string());
    target = target.parent_path() / next;
  }
  target = std::filesystem::weakly_canonical(target, error);
  if (error) return fail_errno(error.value(), "cannot create", path.string());
  return create_at(std::move(target), path);
}

Result<ReplacementFile> ReplacementFile::create_in(const std::filesystem::path& folder, const std::string& name) {
  const std::filesystem::path path = folder / name;
  std::error_code error;
  const std::filesystem::path target = std::filesystem::canonical(folder, error) / name;
  if (error) return fail_errno(error.value(), "cannot create", path.string());
  if (std::filesystem::is_symlink(target, error)) {
    return fail(ErrorCode::kInvalidArgument, "{}: is a link, which is not followed: remove it first", path.string());
  }
  return create_at(target, path);
}

Result<ReplacementFile> ReplacementFile::create_at(std::filesystem::path target, const std::filesystem::path& shown) {
  std::error_code error;
  // Renaming over a device would replace the device.
  if (std::filesystem::exists(target, error) && !std::filesystem::is_regular_file(target, error)) {
    return fail(ErrorCode::kInvalidArgument, "{}: exists and is not a regular file", shown.string());
  }
  std::filesystem::path partial = target;
  partial += fmt::format(".{}.partial", ::getpid());
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(partial, 0600));
  return ReplacementFile(std::move(file), std::move(target), std::move(partial));
}

ReplacementFile::ReplacementFile(OutputFile file, std::filesystem::path path, std::filesystem::path partial)
    : file_(std::move(file)), path_(std::move(path)), partial_(std::move(partial)) {}

ReplacementFile::ReplacementFile(ReplacementFile&& other) noexcept
    : file_(std::move(other.file_)), path_(std::move(other.path_)), partial_(std::exchange(other.partial_, {})) {}

ReplacementFile::~ReplacementFile() {
  std::error_code error;
  if (!partial_.empty()) std::filesystem::remove(partial_, error);
}

Status ReplacementFile::adopt_permissions() {
  constexpr mode_t kPermissions = 0777;
  constexpr mode_t kGroup = 0070;
  struct stat old {};
  mode_t mode = 0666 & ~umask_of_process();
  if (::lstat(path_.c_str(), &old) == 0 && S_ISREG(old.st_mode)) {
    mode = old.st_mode & kPermissions;
    // Only root may give a file away; anybody may give it to a group that he is in.
    if (::fchown(file_.descriptor(), old.st_uid, old.st_gid) != 0) {
      struct stat now {};
      const bool same_group = ::fchown(file_.descriptor(), static_cast<uid_t>(-1), old.st_gid) == 0 ||
                              (::fstat(file_.descriptor(), &now) == 0 && now.st_gid == old.st_gid);
      // Another group would read what the old one could: it gets what everybody has.
      if (!same_group) mode = (mode & ~kGroup) | ((mode << 3) & kGroup);
    }
  }
  if (::fchmod(file_.descriptor(), mode) != 0) return fail_errno(errno, "cannot set its mode", path_.string());
  return {};
}

Status ReplacementFile::commit() {
  RETURN_IF_ERROR(adopt_permissions());
  RETURN_IF_ERROR(file_.sync());
  std::error_code error;
  std::filesystem::rename(partial_, path_, error);
  if (error) return fail_errno(error.value(), "cannot rename to", path_.string());
  partial_.clear();
  return {};
}

bool has_entry(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::symlink_status(path, error).type() != std::filesystem::file_type::not_found;
}

Result<std::string> read_small_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
  constexpr std::size_t kStepBytes = std::size_t{64} << 10;
  ASSIGN_OR_RETURN(const FileDescriptor file, FileDescriptor::open_regular(path, O_RDONLY));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_errno(errno, "cannot read its size", path.string());
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > bytes_max) {
    return fail(ErrorCode::kCorruptData, "{}: {} bytes, want at most {}", path.string(), size, bytes_max);
  }
  std::string content;
  content.reserve(size + 1);
  // To its end and not to its size, which another process may change and which /proc does not know.
  for (;;) {
    const std::size_t before = content.size();
    content.resize(before + std::max<std::size_t>(content.capacity() - before, kStepBytes));
    const ssize_t count = ::read(file.get(), content.data() + before, content.size() - before);
    if (count < 0 && errno != EINTR) return fail_errno(errno, "cannot read", path.string());
    content.resize(before + (count < 0 ? 0 : static_cast<std::size_t>(count)));
    if (count == 0) {
      RETURN_IF_ERROR(check_no_lfs_pointer(content, path.string()));
      return content;
    }
    if (content.size() > bytes_max) {
      return fail(ErrorCode::kCorruptData, "{}: grew while it was read, to more than {} bytes", path.string(),
                  bytes_max);
    }
  }
}

Status write_new_file(const std::filesystem::path& path, std::string_view content) {
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path));
  RETURN_IF_ERROR(file.append(std::as_bytes(std::span(content))));
  return file.sync();
}

Status sync_to_disk(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const FileDescriptor descriptor, FileDescriptor::open(path, O_RDONLY));
  if (::fsync(descriptor.get()) != 0) return fail_errno(errno, "cannot write to the disk", path.string());
  return {};
}

}  // namespace tandem
