// SHA-256 and SHA-1, for checksums of files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tandem/call.h"
#include "tandem/result.h"

namespace tandem {

enum class HashKind {
  kSha256,
  kSha1,  ///< Only where a format asks for it: git names contents by it.
};

/// A hash that is fed piece by piece. Not thread-safe.
class Hasher {
 public:
  explicit Hasher(HashKind kind);

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text) { update(std::as_bytes(std::span(text))); }
  /// The hash of everything fed so far, in lower-case hexadecimal. Call once, at the end.
  std::string finish();

  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Feeds a file's content to a hasher; holds a piece of it at a time. Errors: kNotFound, kPermission, kIo,
/// kInvalidArgument for what is no regular file, and those of `call`.
Status hash_file(const std::filesystem::path& path, Hasher& hasher, const CallOptions& call = {});

/// The SHA-256 of a file, in lower-case hexadecimal. Errors: those of hash_file().
Result<std::string> sha256_file(const std::filesystem::path& path, const CallOptions& call = {});

}  // namespace tandem
