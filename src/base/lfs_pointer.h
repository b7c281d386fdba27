// What lies in the place of a large file after a clone without Git LFS.
// Format: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
#pragma once

#include <string_view>

#include "tandem/result.h"

namespace tandem {

/// An error where `content` is a pointer of Git LFS: kCorruptData, with `name` in front.
Status check_no_lfs_pointer(std::string_view content, std::string_view name);

}  // namespace tandem
