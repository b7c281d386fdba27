#include "base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace tandem {
namespace {

ErrorCode code_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermission;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorCode::kNoSpace;
    default:
      return ErrorCode::kIo;
  }
}

}  // namespace

std::string shown_message(std::string message) {
  // Enough for two paths and the end of another program's output.
  constexpr std::size_t kBytesKept = 8 << 10;
  if (message.size() <= kBytesKept) return message;
  const auto continues = [&](std::size_t place) { return (static_cast<unsigned char>(message[place]) & 0xC0) == 0x80; };
  std::size_t first = kBytesKept / 2;
  std::size_t last = message.size() - kBytesKept / 2;
  while (first > 0 && continues(first)) --first;
  while (last < message.size() && continues(last)) ++last;
  return fmt::format("{} … ({} bytes left out) … {}", message.substr(0, first), last - first, message.substr(last));
}

tl::unexpected<Error> fail_errno(int error_number, std::string_view what, std::string_view where) {
  return fail(code_of_errno(error_number), "{}: {}: {}", where, what, std::generic_category().message(error_number));
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "tandem: internal error: %s:%d: %s does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace tandem
