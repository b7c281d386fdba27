// Checksums over a file's body, block by block: what is read is checked when it is read for the first time, so that
// opening a large file costs nothing and a damaged one is never believed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/checksum.h"
#include "tandem/result.h"

namespace tandem {

/// Bytes of a block; the last one has the rest.
inline constexpr std::size_t kBlockBytes = std::size_t{64} << 10;

/// The checksums of a body that comes piece by piece. Not thread-safe.
class BlockChecksums {
 public:
  void update(std::span<const std::byte> bytes);
  /// One for each block of what was fed. Call once, at the end.
  std::vector<std::uint64_t> finish();

 private:
  Checksum block_;
  std::size_t block_bytes_ = 0;  // Fed since the last block was full.
  std::vector<std::uint64_t> checksums_;
};

/// A body in memory, and what its blocks' checksums have to be. Borrows the body; thread-safe.
class BlockChecks {
 public:
  /// `checksums`: one for each block of `body`. `name` stands in front of errors.
  BlockChecks(std::string name, std::span<const std::byte> body, std::vector<std::uint64_t> checksums);

  /// Checks the blocks that `bytes`, a part of the body, lie in, as far as they were not checked before. Errors:
  /// kCorruptData, with the block and where in the body it lies; it stays unchecked then.
  Status check(std::span<const std::byte> bytes) const;

  std::size_t blocks() const { return checksums_.size(); }

 private:
  std::span<const std::byte> block(std::size_t index) const;

  std::string name_;
  std::span<const std::byte> body_;
  std::vector<std::uint64_t> checksums_;
  std::unique_ptr<std::atomic<bool>[]> checked_;  // [blocks]
};

}  // namespace tandem
