#include "index/block_checks.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tandem {

void BlockChecksums::update(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t taken = std::min(bytes.size(), kBlockBytes - block_bytes_);
    block_.update(bytes.first(taken));
    bytes = bytes.subspan(taken);
    block_bytes_ += taken;
    if (block_bytes_ < kBlockBytes) return;
    checksums_.push_back(block_.take());
    block_bytes_ = 0;
  }
}

std::vector<std::uint64_t> BlockChecksums::finish() {
  if (block_bytes_ > 0) checksums_.push_back(block_.take());
  return std::move(checksums_);
}

BlockChecks::BlockChecks(std::string name, std::span<const std::byte> body, std::vector<std::uint64_t> checksums)
    : name_(std::move(name)),
      body_(body),
      checksums_(std::move(checksums)),
      checked_(std::make_unique<std::atomic<bool>[]>(checksums_.size())) {
  CHECK(checksums_.size() == (body.size() + kBlockBytes - 1) / kBlockBytes);
}

Status BlockChecks::check(std::span<const std::byte> bytes) const {
  if (bytes.empty()) return {};
  const auto begin = static_cast<std::size_t>(bytes.data() - body_.data());
  CHECK(begin < body_.size() && bytes.size() <= body_.size() - begin);
  for (std::size_t index = begin / kBlockBytes; index * kBlockBytes < begin + bytes.size(); ++index) {
    // Two threads may check one block at once: it is the same answer.
    if (checked_[index].load(std::memory_order_relaxed)) continue;
    if (const std::uint64_t found = checksum(block(index)); found != checksums_[index]) {
      return fail(ErrorCode::kCorruptData,
                  "{}: block {} of {}, from byte {} on, has the checksum {:016x}, want {:016x}", name_, index + 1,
                  checksums_.size(), index * kBlockBytes, found, checksums_[index]);
    }
    checked_[index].store(true, std::memory_order_relaxed);
  }
  return {};
}

std::span<const std::byte> BlockChecks::block(std::size_t index) const {
  const std::size_t first = index * kBlockBytes;
  return body_.subspan(first, std::min(kBlockBytes, body_.size() - first));
}

}  // namespace tandem
