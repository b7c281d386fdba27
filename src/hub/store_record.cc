#include "hub/store_record.h"

#include <fmt/format.h>

#include <vector>

#include "base/controls.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/relative_path.h"
#include "hub/model_files.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecordName = "tandem.json";
constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kCommitDigitsShown = 8;

Result<StoreRecord> parse_record(const fs::path& folder) {
  ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::read_file(folder / kRecordName));
  const JsonValue root = document.root();
  ASSIGN_OR_RETURN(const std::uint64_t format, root.get_unsigned("format"));
  if (format != kFormat) return fail(ErrorCode::kUnsupported, "{}: format {}", folder.string(), format);
  StoreRecord record;
  ASSIGN_OR_RETURN(record.id, root.get_string("id"));
  ASSIGN_OR_RETURN(record.revision, root.get_string("revision"));
  ASSIGN_OR_RETURN(record.source, root.get_string("source"));
  ASSIGN_OR_RETURN(record.version, root.get_string("version"));
  for (const std::string_view name : {record.id, record.revision, record.source, record.version}) {
    RETURN_IF_ERROR(check_name("text", name));  // They are printed in lines and tables.
  }
  ASSIGN_OR_RETURN(const std::vector<JsonValue> files, root.get_array("files"));
  for (const JsonValue file : files) {
    ASSIGN_OR_RETURN(const std::string_view name, file.get_string("name"));
    ASSIGN_OR_RETURN(const std::uint64_t size_bytes, file.get_unsigned("size"));
    std::error_code error;
    if (!is_safe_relative_path(name) || fs::file_size(folder / name, error) != size_bytes || error) {
      return fail(ErrorCode::kCorruptData, "{}: a file of its record is not there as it was", folder.string());
    }
    record.size_bytes += size_bytes;
  }
  return record;
}

}  // namespace

std::string StoreRecord::description() const {
  if (source == "hub") return fmt::format("hub {} {}", revision, version.substr(0, kCommitDigitsShown));
  return fmt::format("{} {}", source, version);
}

Status write_store_record(const fs::path& folder, const StoreRecord& record, const CallOptions& call) {
  std::error_code error;
  fs::remove(folder / kRecordName, error);
  ASSIGN_OR_RETURN(const std::vector<fs::path> files, files_below(folder));
  JsonWriter json;
  json.begin_object().key("format").value(kFormat).key("id").value(record.id).key("revision").value(record.revision);
  json.key("source").value(record.source).key("version").value(record.version).key("files").begin_array();
  for (const fs::path& file : files) {
    ASSIGN_OR_RETURN(const std::string sha256, sha256_file(folder / file, call));
    const std::uint64_t size_bytes = fs::file_size(folder / file, error);
    if (error) return fail_errno(error.value(), "cannot read its size", (folder / file).string());
    json.begin_object().key("name").value(file.generic_string()).key("size").value(size_bytes);
    json.key("sha256").value(sha256).end_object();
  }
  json.end_array().end_object();
  return write_new_file(folder / kRecordName, json.take() + "\n");
}

std::optional<StoreRecord> read_store_record(const fs::path& folder) {
  Result<StoreRecord> record = parse_record(folder);
  if (!record) return std::nullopt;
  return *std::move(record);
}

}  // namespace tandem
