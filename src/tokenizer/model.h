// The third stage of tokenisation: turns a word into tokens of the vocabulary.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tokenizer/bpe.h"
#include "tokenizer/unigram.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/word_piece.h"
#include "tokenizer/word_token.h"

namespace tandem {

/// One of the models. Immutable and thread-safe.
class Model {
 public:
  struct Scratch {
    Bpe::Scratch bpe;
    Unigram::Scratch unigram;
  };

  /// `reads_bytes`: see Bpe; only where the model is one.
  Model(ModelSpec spec, bool reads_bytes);

  /// Puts the tokens of `word`, which must not be empty, in the place of what `tokens` held.
  void tokenize(std::string_view word, TextBudget& budget, Scratch& scratch, std::vector<WordToken>& tokens) const {
    if (const auto* word_piece = std::get_if<WordPiece>(&model_)) {
      word_piece->tokenize(word, budget, tokens);
    } else if (const auto* bpe = std::get_if<Bpe>(&model_)) {
      bpe->tokenize(word, scratch.bpe, tokens);  // Takes n log n steps, whatever the vocabulary is.
    } else {
      std::get<Unigram>(model_).tokenize(word, budget, scratch.unigram, tokens);
    }
  }

  const Vocabulary& vocabulary() const {
    return std::visit([](const auto& model) -> const Vocabulary& { return model.vocabulary(); }, model_);
  }

  /// The text that the reference calls the token's value: its spelling, but of unknown pieces what they stand for.
  std::string_view value(const WordToken& token, std::string_view word) const;

 private:
  std::variant<WordPiece, Bpe, Unigram> model_;
};

}  // namespace tandem
