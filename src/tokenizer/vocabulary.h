// The tokens of a model: ids to spellings and back.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tokenizer/trie.h"

namespace tandem {

/// Immutable and thread-safe.
class Vocabulary {
 public:
  /// Spellings and ids must be unique, as TokenizerSpec has them.
  explicit Vocabulary(std::span<const VocabularyEntry> entries);
  /// Ids are places in `spellings`. Of equal spellings the last counts.
  explicit Vocabulary(std::vector<std::string> spellings);

  /// Trie::kNoValue when there is no such token.
  std::int32_t id(std::string_view spelling) const { return trie_.find(spelling); }
  /// Empty when there is no such id.
  std::string_view spelling(std::int32_t id) const {
    return id >= 0 && static_cast<std::size_t>(id) < spellings_.size() ? spellings_[static_cast<std::size_t>(id)]
                                                                       : std::string_view();
  }
  /// How many tokens there are.
  std::size_t entries() const { return entries_; }
  /// One more than the largest id.
  std::size_t size() const { return spellings_.size(); }
  const Trie& trie() const { return trie_; }

 private:
  std::vector<std::string> spellings_;  // By id.
  Trie trie_;
  std::size_t entries_ = 0;
};

}  // namespace tandem
