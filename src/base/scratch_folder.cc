#include "base/scratch_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/error.h"

namespace tandem {

namespace fs = std::filesystem;

Result<ScratchFolder> ScratchFolder::create(std::string_view prefix) {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  if (error) {
    const char* wanted = ::getenv("TMPDIR");
    return fail(ErrorCode::kNotFound, "{}: want a folder for temporary files: {}",
                wanted == nullptr ? parent.string() : wanted, error.message());
  }
  return create_in(parent, prefix);
}

Result<ScratchFolder> ScratchFolder::create_in(const fs::path& parent, std::string_view prefix) {
  std::string name = (fs::absolute(parent) / fmt::format("{}-XXXXXX", prefix)).string();
  if (::mkdtemp(name.data()) == nullptr) return fail_errno(errno, "cannot make a folder", name);
  return ScratchFolder(std::move(name));
}

ScratchFolder::ScratchFolder(fs::path path) : path_(std::move(path)) {}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace tandem
