// What is known about a file of a model before it is here, and how it is checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tandem/call.h"
#include "tandem/result.h"

namespace tandem {

/// A file of a model as its source announces it. Hashes are in lower-case hexadecimal; empty: not announced.
struct ModelFile {
  std::string name;  ///< Relative to the model's folder, with '/'.
  std::optional<std::uint64_t> size_bytes;
  std::string sha256;
  std::string git_blob_sha1;  ///< What git names the content by: SHA-1 of "blob SIZE\0" and the content.
};

/// Holds a file on disk against what was announced. Errors: kCorruptData (expected and got), those of reading
/// and of `call`.
Status check_file(const std::filesystem::path& path, const ModelFile& expected, const CallOptions& call);

/// The paths of what lies in a folder, sorted; none where there is no such folder.
Result<std::vector<std::filesystem::path>> entries_of(const std::filesystem::path& folder);

/// The regular files of a folder and the folders below it, relative to it, sorted. Links to files count as files.
Result<std::vector<std::filesystem::path>> files_below(const std::filesystem::path& folder);

}  // namespace tandem
