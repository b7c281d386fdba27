// What is known about a file of a model before it is here, and how it is checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tandem/result.h"

namespace tandem {

/// A file of a model as its source announces it. Hashes are in lower-case hexadecimal; empty: not announced.
struct ModelFile {
  std::string name;  ///< Relative to the model's folder, with '/'.
  std::optional<std::uint64_t> size_bytes;
  std::string sha256;
  std::string git_blob_sha1;  ///< What git names the content by: SHA-1 of "blob SIZE\0" and the content.
};

/// Holds a file on disk against what was announced. Errors: kCorruptData (expected and got), those of reading.
Status check_file(const std::filesystem::path& path, const ModelFile& expected);

}  // namespace tandem
