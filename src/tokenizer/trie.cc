#include "tokenizer/trie.h"

#include <algorithm>
#include <utility>

namespace tandem {
namespace {

constexpr std::uint32_t kBlock = 256;  // A node's children lie in one block, since base ^ byte changes the low 8 bits.

}  // namespace

/// Places nodes one after another, depth first over the sorted strings.
class Trie::Builder {
 public:
  using Entry = std::pair<std::string_view, std::int32_t>;

  Builder(std::vector<Node>& nodes, std::span<const Entry> sorted) : nodes_(nodes), sorted_(sorted) {
    add_block();
    take(kRoot);
  }

  void build() {
    std::vector<Range> pending{{kRoot, 0, 0, sorted_.size()}};
    std::vector<Range> children;
    std::vector<std::uint8_t> bytes;
    while (!pending.empty()) {
      Range range = pending.back();
      pending.pop_back();
      while (range.begin < range.end && sorted_[range.begin].first.size() == range.depth) {
        nodes_[range.node].value = sorted_[range.begin].second;
        ++range.begin;
      }
      if (range.begin == range.end) continue;

      children.clear();
      bytes.clear();
      for (std::size_t begin = range.begin; begin < range.end;) {
        const char byte = sorted_[begin].first[range.depth];
        std::size_t end = begin + 1;
        while (end < range.end && sorted_[end].first[range.depth] == byte) ++end;
        children.push_back({0, range.depth + 1, begin, end});
        bytes.push_back(static_cast<std::uint8_t>(byte));
        begin = end;
      }
      const std::uint32_t base = find_base(bytes);
      nodes_[range.node].base = base;
      for (std::size_t index = 0; index < children.size(); ++index) {
        const std::uint32_t node = base ^ bytes[index];
        take(node);
        nodes_[node].parent = range.node;
        children[index].node = node;
      }
      pending.insert(pending.end(), children.begin(), children.end());
    }
  }

 private:
  /// The strings [begin, end) of the sorted ones share their first `depth` bytes, which lead to `node`.
  struct Range {
    std::uint32_t node;
    std::size_t depth;
    std::size_t begin;
    std::size_t end;
  };

  // Free nodes form a ring through free_, in the order of their indices. A search tries few of them, newest blocks
  // first, so that building stays linear in the number of nodes whatever the strings are.
  static constexpr int kAttemptsMax = 64;

  struct Links {
    std::uint32_t previous;
    std::uint32_t next;
  };

  std::uint32_t find_base(std::span<const std::uint8_t> bytes) {
    std::uint32_t slot = last_free_;
    for (int attempt = 0; attempt < kAttemptsMax && slot != kNoNode; ++attempt, slot = links_[slot].previous) {
      const std::uint32_t base = slot ^ bytes[0];
      if (std::all_of(bytes.begin(), bytes.end(), [&](std::uint8_t byte) { return is_free_[base ^ byte]; })) {
        return base;
      }
    }
    return add_block();
  }

  std::uint32_t add_block() {
    const auto first = static_cast<std::uint32_t>(nodes_.size());
    nodes_.resize(first + kBlock);
    is_free_.resize(first + kBlock, true);
    links_.resize(first + kBlock);
    for (std::uint32_t slot = first; slot < first + kBlock; ++slot) {
      links_[slot] = {last_free_, kNoNode};
      if (last_free_ != kNoNode) links_[last_free_].next = slot;
      last_free_ = slot;
    }
    return first;
  }

  void take(std::uint32_t slot) {
    is_free_[slot] = false;
    const Links links = links_[slot];
    if (links.previous != kNoNode) links_[links.previous].next = links.next;
    if (links.next != kNoNode) {
      links_[links.next].previous = links.previous;
    } else {
      last_free_ = links.previous;
    }
  }

  std::vector<Node>& nodes_;
  std::span<const Entry> sorted_;
  std::vector<Links> links_;
  std::vector<bool> is_free_;
  std::uint32_t last_free_ = kNoNode;
};

namespace {

/// A string to sort, with its first 16 bytes as numbers: most comparisons end there, without a look at the string.
struct SortKey {
  std::pair<std::uint64_t, std::uint64_t> head;
  std::uint32_t index;
};

std::uint64_t number_of(std::string_view text) {
  char bytes[8] = {};
  text.copy(bytes, sizeof(bytes));
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<std::uint8_t>(byte);
  return number;
}

std::pair<std::uint64_t, std::uint64_t> head_of(std::string_view text) {
  return {number_of(text), text.size() > 8 ? number_of(text.substr(8)) : 0};
}

}  // namespace

Trie::Trie(std::span<const std::pair<std::string_view, std::int32_t>> entries) {
  std::vector<SortKey> keys;
  keys.reserve(entries.size());
  for (std::size_t index = 0; index < entries.size(); ++index) {
    if (entries[index].first.empty()) continue;
    keys.push_back({head_of(entries[index].first), static_cast<std::uint32_t>(index)});
  }
  std::sort(keys.begin(), keys.end(), [&](const SortKey& left, const SortKey& right) {
    if (left.head != right.head) return left.head < right.head;
    const int order = entries[left.index].first.compare(entries[right.index].first);
    return order != 0 ? order < 0 : left.index < right.index;
  });
  std::vector<Builder::Entry> sorted;
  sorted.reserve(keys.size());
  for (const SortKey& key : keys) sorted.push_back(entries[key.index]);
  nodes_.reserve(4 * sorted.size());  // About what a vocabulary of a natural language takes.
  Builder(nodes_, sorted).build();
}

}  // namespace tandem
