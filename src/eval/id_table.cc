#include "eval/id_table.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace tandem {
namespace {

constexpr std::size_t kSlotsMin = 64;
constexpr std::size_t kChunkBytes = std::size_t{64} << 10;

std::uint64_t hash_of(std::string_view id) { return std::hash<std::string_view>()(id); }

// The finaliser of SplitMix64: every bit of the key reaches every bit of the result.
// https://prng.di.unimi.it/splitmix64.c
std::uint64_t mix(std::uint64_t key) {
  key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9U;
  key = (key ^ (key >> 27)) * 0x94D049BB133111EBU;
  return key ^ (key >> 31);
}

}  // namespace

// The slot that holds `id`, or the free one where it belongs.
std::size_t IdTable::slot_of(std::string_view id, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  const auto upper = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    const Slot& candidate = slots_[slot];
    if (candidate.number == kFree || (candidate.hash == upper && ids_[candidate.number] == id)) return slot;
  }
}

std::uint32_t IdTable::intern(std::string_view id) {
  if (ids_.size() * 2 >= slots_.size()) grow();
  const std::uint64_t hash = hash_of(id);
  Slot& slot = slots_[slot_of(id, hash)];
  if (slot.number == kFree) {
    slot = {.hash = static_cast<std::uint32_t>(hash >> 32), .number = static_cast<std::uint32_t>(ids_.size())};
    ids_.push_back(keep(id));
  }
  return slot.number;
}

std::optional<std::uint32_t> IdTable::find(std::string_view id) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[slot_of(id, hash_of(id))];
  if (slot.number == kFree) return std::nullopt;
  return slot.number;
}

void IdTable::grow() {
  slots_.assign(std::max(kSlotsMin, slots_.size() * 2), Slot());
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t number = 0; number < ids_.size(); ++number) {
    const std::uint64_t hash = hash_of(ids_[number]);
    std::size_t slot = hash & mask;
    while (slots_[slot].number != kFree) slot = (slot + 1) & mask;
    slots_[slot] = {.hash = static_cast<std::uint32_t>(hash >> 32), .number = number};
  }
}

std::string_view IdTable::keep(std::string_view id) {
  if (id.size() > chunk_size_ - chunk_used_) {
    chunk_size_ = std::max(kChunkBytes, id.size());
    chunk_used_ = 0;
    chunks_.push_back(std::make_unique<char[]>(chunk_size_));
  }
  char* place = chunks_.back().get() + chunk_used_;
  std::memcpy(place, id.data(), id.size());
  chunk_used_ += id.size();
  return {place, id.size()};
}

std::size_t PairSet::slot_of(std::uint64_t key) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = mix(key) & mask;
  while (slots_[slot] != kFree && slots_[slot] != key) slot = (slot + 1) & mask;
  return slot;
}

bool PairSet::insert(std::uint32_t first, std::uint32_t second) {
  if (size_ * 2 >= slots_.size()) grow();
  const std::uint64_t key = (static_cast<std::uint64_t>(first) << 32) | second;
  std::uint64_t& slot = slots_[slot_of(key)];
  if (slot == key) return false;
  slot = key;
  ++size_;
  return true;
}

void PairSet::grow() {
  std::vector<std::uint64_t> keys = std::move(slots_);
  slots_.assign(std::max(kSlotsMin, keys.size() * 2), kFree);
  for (const std::uint64_t key : keys) {
    if (key != kFree) slots_[slot_of(key)] = key;
  }
}

}  // namespace tandem
