// A shortcut for most of the text in the world: BERT's normalizer and pre-tokenizer in one step for words of plain
// ASCII.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "formats/tokenizer_spec.h"

namespace tandem {

/// Cuts a text at ASCII white space and punctuation. No stage of BERT's normalizer looks across one of these: ASCII is
/// never reordered, and it neither decomposes nor composes. So what lies between two cuts can be tokenised by itself,
/// by table where it is plain ASCII, by the general stages where it is not. Immutable and thread-safe.
class BertAsciiSplitter {
 public:
  /// A word that is ready for the model, or a stretch that is not.
  struct Part {
    std::size_t begin = 0;  ///< In bytes of the text; begin == end: the text is at its end.
    std::size_t end = 0;
    /// The word's normalised bytes, one for each of the text; in the buffer that was given. Empty: the stretch has
    /// bytes that need the general stages.
    std::string_view word;
  };

  static constexpr std::size_t kWordBytesMax = 128;  ///< Longer words take the general way.
  using Buffer = std::array<char, kWordBytesMax>;

  /// Nothing, if these parts are not BERT's.
  static std::optional<BertAsciiSplitter> make(const NormalizerSpec& normalizer, const PreTokenizerSpec& pre_tokenizer);

  /// The next part at or after `position`.
  Part next(std::string_view text, std::size_t position, Buffer& buffer) const {
    const auto code_at = [&](std::size_t index) { return codes_[static_cast<std::uint8_t>(text[index])]; };
    while (position < text.size() && code_at(position) == kCutSpace) ++position;
    Part part{position, position, {}};
    std::uint8_t code = kCutSpace;
    std::size_t length = 0;
    while (part.end < text.size() && length < kWordBytesMax && (code = code_at(part.end)) >= kFirstLetter) {
      buffer[length++] = static_cast<char>(code);
      ++part.end;
    }
    if (part.end == text.size() || code == kCutSpace || (code == kCutPunctuation && length > 0)) {
      part.word = {buffer.data(), length};
      return part;
    }
    if (code == kCutPunctuation) {
      part.word = text.substr(part.end++, 1);
      return part;
    }
    while (part.end < text.size() && code_at(part.end) != kCutSpace && code_at(part.end) != kCutPunctuation) ++part.end;
    return part;
  }

 private:
  // What a byte is: one of these, or a byte of a word, given by what it becomes.
  static constexpr std::uint8_t kNeedsStages = 0;  // Not ASCII, or removed by the normalizer.
  static constexpr std::uint8_t kCutSpace = 1;
  static constexpr std::uint8_t kCutPunctuation = 2;
  static constexpr std::uint8_t kFirstLetter = 3;

  explicit BertAsciiSplitter(const BertNormalizerSpec& spec);

  std::array<std::uint8_t, 256> codes_{};
};

}  // namespace tandem
