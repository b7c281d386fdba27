// Folders for what is needed for a while only.
#pragma once

#include <filesystem>
#include <string_view>

#include "tandem/result.h"

namespace tandem {

/// A new folder that only this user may enter, which is removed with everything in it.
class ScratchFolder {
 public:
  /// Among the temporary files; `prefix` begins its name. Errors: kNotFound where there is no folder for temporary
  /// files, and those of create_in().
  static Result<ScratchFolder> create(std::string_view prefix);
  /// In another folder, by its absolute path. Errors: kNotFound, kPermission, kNoSpace, kIo.
  static Result<ScratchFolder> create_in(const std::filesystem::path& parent, std::string_view prefix);

  const std::filesystem::path& path() const { return path_; }

  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();

 private:
  explicit ScratchFolder(std::filesystem::path path);
  std::filesystem::path path_;  // Empty: moved from.
};

}  // namespace tandem
