#include "hub/model_files.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"

namespace tandem {

namespace fs = std::filesystem;

Status check_file(const std::filesystem::path& path, const ModelFile& expected, const CallOptions& call) {
  std::error_code error;
  const std::uint64_t size_bytes = std::filesystem::file_size(path, error);
  if (error) return fail_errno(error.value(), "cannot read its size", path.string());
  if (expected.size_bytes && size_bytes != *expected.size_bytes) {
    return fail(ErrorCode::kCorruptData, "{}: has {} bytes, want {}", path.string(), size_bytes, *expected.size_bytes);
  }
  const auto check = [&path, &call](std::string_view kind, Hasher hasher, std::string_view want) -> Status {
    if (want.empty()) return {};
    RETURN_IF_ERROR(hash_file(path, hasher, call));
    const std::string got = hasher.finish();
    if (got == want) return {};
    return fail(ErrorCode::kCorruptData, "{}: {} is {}, want {}", path.string(), kind, got, want);
  };
  RETURN_IF_ERROR(check("SHA-256", Hasher(HashKind::kSha256), expected.sha256));
  Hasher git_blob(HashKind::kSha1);
  git_blob.update(fmt::format("blob {}", size_bytes));
  git_blob.update(std::string_view("\0", 1));
  return check("git blob SHA-1", std::move(git_blob), expected.git_blob_sha1);
}

Result<std::vector<fs::path>> entries_of(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    paths.push_back(entry->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail_errno(error.value(), "cannot list", folder.string());
  }
  std::ranges::sort(paths);
  return paths;
}

Result<std::vector<fs::path>> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) files.push_back(entry->path().lexically_relative(folder));
  }
  if (error) return fail_errno(error.value(), "cannot list", folder.string());
  std::ranges::sort(files);
  return files;
}

}  // namespace tandem
