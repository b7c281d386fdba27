#include "model/model_files.h"

#include "base/error.h"
#include "base/hash.h"

namespace tandem {

Status check_file(const std::filesystem::path& path, const ModelFile& expected) {
  std::error_code error;
  const std::uint64_t size_bytes = std::filesystem::file_size(path, error);
  if (error) return fail_errno(error.value(), "cannot read its size", path.string());
  if (expected.size_bytes && size_bytes != *expected.size_bytes) {
    return fail(ErrorCode::kCorruptData, "{}: has {} bytes, want {}", path.string(), size_bytes, *expected.size_bytes);
  }
  const auto check = [&path](std::string_view kind, Hasher hasher, std::string_view want) -> Status {
    if (want.empty()) return {};
    RETURN_IF_ERROR(hash_file(path, hasher));
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

}  // namespace tandem
