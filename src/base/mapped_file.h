// A file mapped for reading.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "tandem/result.h"

namespace tandem {

/// The bytes of a regular file, shared with the page cache. Owns the mapping; movable. A file that another process
/// truncates while it is mapped raises SIGBUS on access: Tandem replaces files by renaming and never shortens one.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::filesystem::path& path);

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  /// Tells the kernel that a range has been read for the last time, so that it stops counting as resident.
  void discard(std::span<const std::byte> range) const;

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tandem
