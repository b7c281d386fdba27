// The second stage of tokenisation: splits a normalised text into the words that the model sees one by one. Some steps
// rewrite the text as well.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tokenizer/normalized_text.h"
#include "tokenizer/text_pattern.h"

namespace tandem {

/// A piece of a text that is a match, or lies between two.
struct PatternPiece {
  TextSpan span;
  bool is_match = false;
};

/// Words, and the text that they are of.
struct Words {
  const NormalizedText* text = nullptr;  ///< What was given, or one of `texts`.
  std::vector<TextSpan> spans;           ///< None is empty.

  // Working memory of the steps.
  NormalizedText texts[2];
  std::vector<TextSpan> before;
  std::vector<PatternPiece> pieces;
};

/// Immutable and thread-safe.
class PreTokenizer {
 public:
  /// `keeps_bytes`: the last step, which must be ByteLevel, leaves bytes as they are, for a model that reads them so.
  explicit PreTokenizer(PreTokenizerSpec spec, bool keeps_bytes = false);

  /// Puts the words of `part` of `text`, which must be UTF-8, in the place of what `words` held. `text` must have
  /// origins where needs_origins() says so.
  void split(const NormalizedText& text, TextSpan part, TextBudget& budget, Words& words) const;

  /// Whether some step asks where in the original text a word begins.
  bool needs_origins() const;

 private:
  PreTokenizerSpec spec_;
  bool keeps_bytes_;
};

}  // namespace tandem
