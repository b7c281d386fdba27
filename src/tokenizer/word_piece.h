// The third stage of tokenisation: splits a word into pieces of the vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tokenizer/normalized_text.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/word_token.h"

namespace tandem {

/// WordPiece: the longest piece that the word starts with, then the longest continuing piece that the rest starts with,
/// and so on; a word that this does not cover becomes the unknown token. Immutable and thread-safe.
class WordPiece {
 public:
  explicit WordPiece(const WordPieceSpec& spec);

  /// Puts the tokens of `word`, which must be UTF-8 and not empty, in the place of what `tokens` held. Where the budget
  /// does not last, the word is unknown.
  void tokenize(std::string_view word, TextBudget& budget, std::vector<WordToken>& tokens) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
  std::int32_t unknown_id_;
  std::uint32_t continuing_node_;  // Where the trie's continuing pieces hang, or Trie::kNoNode.
  std::size_t word_chars_max_;
};

}  // namespace tandem
