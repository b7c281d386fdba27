// A set of strings with a number for each, made for finding the longest one that a text starts with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem {

/// A double-array trie over bytes: the child of node n by byte b lies at n.base ^ b, if that node's parent is n.
/// See Aoe, "An Efficient Digital Search Algorithm by Using a Double-Array Structure" (1989). Immutable.
class Trie {
 public:
  static constexpr std::int32_t kNoValue = -1;
  static constexpr std::uint32_t kRoot = 0;
  static constexpr std::uint32_t kNoNode = std::numeric_limits<std::uint32_t>::max();

  struct Match {
    std::size_t bytes = 0;          ///< Length of the longest string found.
    std::int32_t value = kNoValue;  ///< kNoValue: none was.
    std::size_t steps = 0;          ///< Bytes that were looked at, of strings that turned out to be others too.
  };

  /// The empty trie.
  Trie() : Trie(std::span<const std::pair<std::string_view, std::int32_t>>()) {}

  /// Values must be at least 0. Empty strings are left out; of equal ones the last counts.
  explicit Trie(std::span<const std::pair<std::string_view, std::int32_t>> entries);

  /// The node reached by walking `text` from `node`, or kNoNode.
  std::uint32_t walk(std::uint32_t node, std::string_view text) const {
    for (std::size_t index = 0; index < text.size() && node != kNoNode; ++index) node = child(node, text[index]);
    return node;
  }

  /// The longest string that `text` starts with, counted from `node`, which must be one of this trie.
  Match longest_match(std::uint32_t node, std::string_view text) const {
    Match match;
    std::size_t index = 0;
    for (; index < text.size(); ++index) {
      node = child(node, text[index]);
      if (node == kNoNode) break;
      if (nodes_[node].value != kNoValue) match = {index + 1, nodes_[node].value};
    }
    match.steps = index;
    return match;
  }

  /// Calls `visit(bytes, value)` for every string that `text` starts with, shorter ones first. Returns how many bytes
  /// were looked at.
  template <class Visit>
  std::size_t each_match(std::string_view text, const Visit& visit) const {
    std::uint32_t node = kRoot;
    std::size_t index = 0;
    for (; index < text.size(); ++index) {
      node = child(node, text[index]);
      if (node == kNoNode) break;
      if (nodes_[node].value != kNoValue) visit(index + 1, nodes_[node].value);
    }
    return index;
  }

  /// kNoValue when `text` is not in the set.
  std::int32_t find(std::string_view text) const {
    const std::uint32_t node = walk(kRoot, text);
    return node == kNoNode ? kNoValue : nodes_[node].value;
  }

 private:
  struct Node {
    std::uint32_t base = 0;
    std::uint32_t parent = kNoNode;
    std::int32_t value = kNoValue;
  };
  class Builder;

  std::uint32_t child(std::uint32_t node, char byte) const {
    const std::uint32_t next = nodes_[node].base ^ static_cast<std::uint8_t>(byte);
    return nodes_[next].parent == node ? next : kNoNode;
  }

  std::vector<Node> nodes_;
};

}  // namespace tandem
