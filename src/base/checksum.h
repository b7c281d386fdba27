// Checksums against accidents: fast enough to be taken of everything that is read. They prove nothing about who wrote
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace tandem {

/// XXH3, 64 bits, seed 0 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md).
std::uint64_t checksum(std::span<const std::byte> bytes);

/// The same of bytes that come piece by piece. Not thread-safe.
class Checksum {
 public:
  Checksum();
  void update(std::span<const std::byte> bytes);
  /// Of what was fed since it was made, or since the last take().
  std::uint64_t take();

  Checksum(Checksum&&) noexcept;
  Checksum& operator=(Checksum&&) noexcept;
  ~Checksum();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tandem
