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

tl::unexpected<Error> fail_errno(int error_number, std::string_view what, std::string_view where) {
  return fail(code_of_errno(error_number), "{}: {}: {}", where, what, std::generic_category().message(error_number));
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "tandem: internal error: %s:%d: %s does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace tandem
