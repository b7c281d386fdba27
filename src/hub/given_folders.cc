#include "hub/given_folders.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "hub/model_names.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFormat = 1;
constexpr std::uint64_t kRecordBytesMax = 1 << 16;
constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::size_t kSha256Digits = 64;

Result<fs::path> record_path(const fs::path& home, std::string_view weights_hash) {
  const std::string_view digits = weights_hash.substr(std::min(kHashPrefix.size(), weights_hash.size()));
  if (!weights_hash.starts_with(kHashPrefix) || !is_hex(digits, kSha256Digits)) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is no hash of weights, want {} and {} digits", weights_hash,
                kHashPrefix, kSha256Digits);
  }
  return home / "given" / fmt::format("{}.json", digits);
}

Result<ModelFolders> read_record(const fs::path& home, std::string_view weights_hash) {
  ASSIGN_OR_RETURN(const fs::path path, record_path(home, weights_hash));
  ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::read_file(path, kRecordBytesMax));
  ASSIGN_OR_RETURN(const std::uint64_t format, document.root().get_unsigned("format"));
  if (format != kFormat) return fail(ErrorCode::kUnsupported, "{}: format {}", path.string(), format);
  ModelFolders folders;
  ASSIGN_OR_RETURN(folders.model, document.root().get_string("model"));
  ASSIGN_OR_RETURN(folders.adapter, document.root().find_string("adapter"));
  return folders;
}

/// A folder as the record holds it: JSON has no other bytes than those of UTF-8.
Result<std::string> canonical_path(const fs::path& folder) {
  std::error_code error;
  const fs::path path = fs::canonical(folder, error);
  if (error) return fail_errno(error.value(), "cannot be found", folder.string());
  if (is_utf8(path.string())) return path.string();
  return fail(ErrorCode::kUnsupported, "{}: a path that is not UTF-8 cannot be remembered", path.string());
}

}  // namespace

Status keep_given_folders(const fs::path& home, std::string_view weights_hash, const ModelFolders& folders) {
  ASSIGN_OR_RETURN(const fs::path path, record_path(home, weights_hash));
  ASSIGN_OR_RETURN(const std::string model, canonical_path(folders.model));
  JsonWriter json;
  json.begin_object().key("format").value(kFormat).key("model").value(model);
  if (folders.adapter) {
    ASSIGN_OR_RETURN(const std::string adapter, canonical_path(*folders.adapter));
    json.key("adapter").value(adapter);
  }
  const std::string text = json.end_object().take() + "\n";
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return fail_errno(error.value(), "cannot create", path.parent_path().string());
  ASSIGN_OR_RETURN(ReplacementFile file, ReplacementFile::create(path));
  RETURN_IF_ERROR(file.append(std::as_bytes(std::span(text))));
  return file.commit();
}

std::optional<ModelFolders> find_given_folders(const fs::path& home, std::string_view weights_hash) {
  Result<ModelFolders> folders = read_record(home, weights_hash);
  if (!folders) return std::nullopt;
  return *std::move(folders);
}

bool are_here(const ModelFolders& folders) {
  const auto is_here = [](const fs::path& folder) {
    std::error_code ignored;
    return folder.is_absolute() && fs::is_directory(folder, ignored);
  };
  return is_here(folders.model) && (!folders.adapter || is_here(*folders.adapter));
}

}  // namespace tandem
