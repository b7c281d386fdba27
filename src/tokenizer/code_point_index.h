// Goes between bytes and code points anywhere in a text, without walking through it each time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tandem {

/// Whether a byte of UTF-8 is the first of its code point.
inline bool begins_code_point(char byte) { return (byte & 0xC0) != 0x80; }

/// Counts the code points before any place of a text, which is UTF-8 and must outlive the index.
class CodePointIndex {
 public:
  CodePointIndex() = default;  ///< To be assigned to before it is asked anything.
  explicit CodePointIndex(std::string_view utf8) : text_(utf8) {
    counts_.reserve(utf8.size() / kBlock + 2);
    counts_.push_back(0);
    for (std::size_t begin = 0; begin < utf8.size(); begin += kBlock) {
      counts_.push_back(counts_.back() + count_code_points(utf8.substr(begin, kBlock)));
    }
  }

  bool is_ascii() const { return counts_.back() == text_.size(); }

  /// `position` is at most the size of the text.
  std::uint32_t count_before(std::uint32_t position) const {
    if (is_ascii()) return position;
    const std::size_t block = position / kBlock;
    return counts_[block] + count_code_points(text_.substr(block * kBlock, position % kBlock));
  }

  /// Where code point number `count` begins, counted from 0; the end of the text where it has no more than that.
  std::uint32_t position_of(std::uint64_t count) const {
    if (count >= counts_.back()) return static_cast<std::uint32_t>(text_.size());
    if (is_ascii()) return static_cast<std::uint32_t>(count);
    // The last block with no more code points than that before it.
    const auto block = std::upper_bound(counts_.begin(), counts_.end(), count) - counts_.begin() - 1;
    std::uint64_t left = count - counts_[static_cast<std::size_t>(block)];
    std::size_t position = static_cast<std::size_t>(block) * kBlock;
    while (!begins_code_point(text_[position]) || left-- > 0) ++position;
    return static_cast<std::uint32_t>(position);
  }

 private:
  static constexpr std::size_t kBlock = 64;

  static std::uint32_t count_code_points(std::string_view utf8) {
    std::uint32_t count = 0;
    for (const char byte : utf8) count += begins_code_point(byte) ? 1 : 0;
    return count;
  }

  std::string_view text_;
  std::vector<std::uint32_t> counts_;  // Before each block of kBlock bytes, and in the whole text.
};

}  // namespace tandem
