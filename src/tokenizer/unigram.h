// Unigram: of all ways to split a word into pieces the most probable one. See Kudo, "Subword Regularization" (2018),
// and SentencePiece for the details.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tokenizer/normalized_text.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/word_token.h"

namespace tandem {

/// Immutable and thread-safe.
class Unigram {
 public:
  /// Working memory of one call.
  struct Scratch {
    /// The best way to split what lies before a place in the word.
    struct Path {
      double score;
      std::uint32_t piece_begin;  ///< Of its last piece.
      std::int32_t piece;
    };
    std::vector<Path> paths;
  };

  explicit Unigram(UnigramSpec spec);

  /// Puts the tokens of `word`, which must be UTF-8 and not empty, in the place of what `tokens` held. From where the
  /// budget does not last, the word is unknown.
  void tokenize(std::string_view word, TextBudget& budget, Scratch& scratch, std::vector<WordToken>& tokens) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  std::int32_t unknown_id() const { return unknown_id_; }

 private:
  void find_paths(std::string_view word, TextBudget& budget, Scratch& scratch) const;
  void put_unknown_reversed(std::string_view word, std::uint32_t begin, std::uint32_t end,
                            std::vector<WordToken>& tokens) const;

  std::vector<double> scores_;  // By id.
  double unknown_score_;
  std::int32_t unknown_id_;
  bool byte_fallback_;
  Vocabulary vocabulary_;
  std::array<std::int32_t, 256> byte_ids_{};  // As byte_fallback spells bytes; some Trie::kNoValue: not all have one.
};

}  // namespace tandem
