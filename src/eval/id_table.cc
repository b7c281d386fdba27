#include "eval/id_table.h"

#include <algorithm>
#include <cstring>

namespace tandem {
namespace {

constexpr std::size_t kFewIds = 8;
constexpr std::size_t kChunkBytes = std::size_t{64} << 10;

}  // namespace

std::string_view TextArena::keep(std::string_view text) {
  if (text.size() > chunk_size_ - chunk_used_) {
    chunk_size_ = std::max(kChunkBytes, text.size());
    chunk_used_ = 0;
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_size_));
  }
  char* place = chunks_.back().get() + chunk_used_;
  std::memcpy(place, text.data(), text.size());
  chunk_used_ += text.size();
  return {place, text.size()};
}

// The slot that holds `id`, or the free one where it belongs.
std::size_t IdTable::slot_of(std::string_view id, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  const auto upper = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    const Slot& candidate = slots_[slot];
    if (candidate.number == kFree || (candidate.hash == upper && ids_[candidate.number] == id)) return slot;
  }
}

std::uint32_t IdTable::intern(std::string_view id, TextArena& arena) {
  const auto next = static_cast<std::uint32_t>(ids_.size());
  if (next < kFewIds) {
    if (const std::optional<std::uint32_t> number = find(id)) return *number;
  } else {
    if (ids_.size() * 2 >= slots_.size()) grow();
    const std::uint64_t hash = hash_(id);
    Slot& slot = slots_[slot_of(id, hash)];
    if (slot.number != kFree) return slot.number;
    slot = {.hash = static_cast<std::uint32_t>(hash >> 32), .number = next};
  }
  ids_.push_back(arena.keep(id));
  return next;
}

std::optional<std::uint32_t> IdTable::find(std::string_view id) const {
  if (slots_.empty()) {
    const auto found = std::ranges::find(ids_, id);
    if (found == ids_.end()) return std::nullopt;
    return static_cast<std::uint32_t>(found - ids_.begin());
  }
  const Slot& slot = slots_[slot_of(id, hash_(id))];
  if (slot.number == kFree) return std::nullopt;
  return slot.number;
}

void IdTable::grow() {
  slots_.assign(std::max(4 * kFewIds, slots_.size() * 2), Slot());
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t number = 0; number < ids_.size(); ++number) {
    const std::uint64_t hash = hash_(ids_[number]);
    std::size_t slot = hash & mask;
    while (slots_[slot].number != kFree) slot = (slot + 1) & mask;
    slots_[slot] = {.hash = static_cast<std::uint32_t>(hash >> 32), .number = number};
  }
}

}  // namespace tandem
