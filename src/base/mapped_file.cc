#include "base/mapped_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/lfs_pointer.h"

namespace tandem {
namespace {

/// A mapping that the signal handler stands in for. `begin` is 0 in a free slot and kTaken in one that is being filled.
struct MappedRange {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
  std::atomic<bool> lost_pages{false};
};
constexpr std::uintptr_t kTaken = 1;

// A signal handler reaches nothing but globals, and may neither wait for a lock nor allocate: hence a table of fixed
// size. Each mapped file keeps a descriptor, of which a process rarely has more than this.
constexpr std::size_t kRangesMax = 4096;
std::array<MappedRange, kRangesMax> mapped_ranges;
struct sigaction previous_action;
std::uintptr_t page_bytes;

MappedRange* range_of(std::uintptr_t address) {
  for (MappedRange& range : mapped_ranges) {
    const std::uintptr_t begin = range.begin.load(std::memory_order_acquire);
    if (begin <= kTaken || address < begin || address >= range.end.load(std::memory_order_acquire)) continue;
    // Unless the slot was given to another mapping in between, which cannot be the one that this thread reads.
    if (range.begin.load(std::memory_order_acquire) == begin) return &range;
  }
  return nullptr;
}

// Puts zeros in the place of the page that is no longer there and of all behind it, which are not there either: a file
// is shortened at its end. mmap(2) is a plain system call, which POSIX only forgot to call safe here, and is made as
// one: what a library puts before it, such as a sanitizer, has no place in a handler.
bool replace_lost_pages(std::uintptr_t address) {
  MappedRange* const range = range_of(address);
  if (range == nullptr) return false;
  const std::uintptr_t page = address / page_bytes * page_bytes;
  range->lost_pages.store(true, std::memory_order_release);
  const std::uintptr_t bytes = range->end.load(std::memory_order_acquire) - page;
  return ::syscall(SYS_mmap, page, bytes, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) >=
         0;
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const bool replaced = info->si_code > 0 && replace_lost_pages(reinterpret_cast<std::uintptr_t>(info->si_addr));
  errno = saved_errno;
  if (replaced) return;
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal);
  } else {
    // Whoever sent it, the default ends the process: at once, or when the access that failed is tried again.
    ::signal(signal, SIG_DFL);
    ::raise(signal);
  }
}

bool install_handler() {
  page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  ::sigaction(SIGBUS, nullptr, &previous_action);
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  return ::sigaction(SIGBUS, &action, nullptr) == 0;
}

std::int64_t modified_ns(const struct stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

}  // namespace

/// A mapping's place in the table.
class MappedFile::Guard {
 public:
  static Result<std::unique_ptr<Guard>> over(std::span<const std::byte> bytes, const std::filesystem::path& path) {
    static const bool installed = install_handler();
    CHECK(installed);
    for (MappedRange& range : mapped_ranges) {
      std::uintptr_t free = 0;
      if (!range.begin.compare_exchange_strong(free, kTaken, std::memory_order_acq_rel)) continue;
      const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
      range.lost_pages.store(false, std::memory_order_relaxed);
      range.end.store((begin + bytes.size() + page_bytes - 1) / page_bytes * page_bytes, std::memory_order_release);
      range.begin.store(begin, std::memory_order_release);
      return std::unique_ptr<Guard>(new Guard(range));
    }
    return fail(ErrorCode::kUnsupported, "{}: cannot map: {} files are mapped already", path.string(), kRangesMax);
  }

  bool lost_pages() const { return range_.lost_pages.load(std::memory_order_acquire); }

  ~Guard() { range_.begin.store(0, std::memory_order_release); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  explicit Guard(MappedRange& range) : range_(range) {}
  MappedRange& range_;
};

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  MappedFile file;
  file.path_ = path;
  ASSIGN_OR_RETURN(file.file_, FileDescriptor::open_regular(path, O_RDONLY));
  struct stat status {};
  if (::fstat(file.file_.get(), &status) != 0) return fail_errno(errno, "cannot read its size", path.string());
  file.identity_ = {status.st_dev, status.st_ino};
  file.modified_ns_ = modified_ns(status);
  if (status.st_size == 0) return file;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.file_.get(), 0);
  if (data == MAP_FAILED) return fail_errno(errno, "cannot map", path.string());
  file.data_ = static_cast<const std::byte*>(data);
  file.size_ = size;
  ASSIGN_OR_RETURN(file.guard_, Guard::over(file.bytes(), path));
  RETURN_IF_ERROR(check_no_lfs_pointer({reinterpret_cast<const char*>(file.data_), file.size_}, path.string()));
  return file;
}

Status MappedFile::check_unchanged() const {
  if (data_ == nullptr) return {};
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return fail_errno(errno, "cannot read its size", path_.string());
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < size_) {
    return fail(ErrorCode::kCorruptData, "{}: was shortened while it was read: {} bytes, want {}", path_.string(), size,
                size_);
  }
  // It may have been shortened and filled again: then the time says so, and the pages that were missed stay lost.
  if (modified_ns(status) != modified_ns_ || guard_->lost_pages()) {
    return fail(ErrorCode::kCorruptData, "{}: was changed while it was read: replace files by renaming others",
                path_.string());
  }
  return {};
}

void MappedFile::discard(std::span<const std::byte> range) const {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(range.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(range.data() + range.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

MappedFile::MappedFile() = default;

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(file_, other.file_);
  std::swap(path_, other.path_);
  std::swap(identity_, other.identity_);
  std::swap(modified_ns_, other.modified_ns_);
  std::swap(guard_, other.guard_);
  return *this;
}

MappedFile::~MappedFile() {
  // The slot first: another mapping may get the addresses as soon as they are free.
  guard_.reset();
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace tandem
