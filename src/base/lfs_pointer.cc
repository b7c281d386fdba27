#include "base/lfs_pointer.h"

#include <cstddef>

#include "base/error.h"

namespace tandem {

Status check_no_lfs_pointer(std::string_view content, std::string_view name) {
  constexpr std::size_t kPointerBytesMax = 1024;
  if (content.size() > kPointerBytesMax || !content.starts_with("version https://git-lfs.github.com/spec/")) return {};
  return fail(
      ErrorCode::kCorruptData,
      "{}: is a pointer of Git LFS, not the file that it stands for: the repository was cloned without git-lfs; "
      "`git lfs pull` in its folder fetches the file",
      name);
}

}  // namespace tandem
