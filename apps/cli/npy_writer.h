// Writing vectors as NumPy reads them: numpy.load(path), or numpy.load(path, mmap_mode="r") for large ones.
#pragma once

#include <filesystem>
#include <string>

#include "base/file.h"
#include "tandem/matrix.h"
#include "tandem/result.h"

namespace tandem::cli {

/// Writes a .npy file, little-endian float32, C order, shape [rows, columns], row block by row block. The file appears
/// under its name in one step, at commit(); until then, and without it, what was there stays.
///
/// Format: NEP 1, https://numpy.org/neps/nep-0001-npy-format.html
class NpyWriter {
 public:
  /// Errors: kPermission, kNoSpace, kIo.
  static Result<NpyWriter> create(const std::filesystem::path& path, std::size_t columns);

  /// Rows of `columns` components each.
  Status append(MatrixView rows);
  Status commit();

 private:
  NpyWriter(ReplacementFile file, std::size_t columns);

  ReplacementFile file_;
  std::size_t rows_ = 0;
  std::size_t columns_;
};

}  // namespace tandem::cli
