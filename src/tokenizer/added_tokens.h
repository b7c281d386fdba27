// Finds tokens that are looked up in the text itself, such as [SEP], before the model sees what lies between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tokenizer/normalized_text.h"
#include "tokenizer/text_pattern.h"
#include "tokenizer/trie.h"

namespace tandem {

/// A piece of a text: an added token, or what lies between two.
struct AddedTokenPiece {
  std::int32_t id = Trie::kNoValue;  ///< kNoValue: not an added token.
  TextSpan span;
};

/// A set of added tokens, leftmost-longest: of all that match, the one that begins first, and of those the longest.
/// Immutable and thread-safe.
class AddedTokens {
 public:
  struct Entry {
    AddedToken token;
    std::int32_t id = 0;
    std::string pattern;  ///< What is looked for: the token's content, or its normalised form.
  };

  AddedTokens() = default;
  explicit AddedTokens(std::vector<Entry> entries);

  bool empty() const { return entries_.empty(); }

  /// Puts the pieces of `text`, which must be UTF-8, in the place of what `pieces` held; none is empty.
  /// `split_special`: special tokens are not recognised. None is, either, behind the place where the budget is spent.
  void split(std::string_view text, bool split_special, TextBudget& budget, std::vector<AddedTokenPiece>& pieces) const;

 private:
  /// The next place at or after `position` where some pattern starts, and the longest one there.
  struct Found {
    std::size_t begin;
    Trie::Match match;
  };
  Found find(std::string_view text, std::size_t position, TextBudget& budget) const;

  std::vector<Entry> entries_;
  Trie trie_;  // Its values are indices of entries_.
  bool starts_pattern_[256] = {};
};

}  // namespace tandem
