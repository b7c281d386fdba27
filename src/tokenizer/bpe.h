// Byte-pair encoding: a word's characters, merged pair by pair in the order of a list. See Sennrich, Haddow and Birch,
// "Neural Machine Translation of Rare Words with Subword Units" (2016), and `tokenizers` for the details.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tokenizer/trie.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/word_token.h"

namespace tandem {

/// Finds the merge of two tokens. A hash table with open addressing. Immutable.
class MergeTable {
 public:
  struct Merge {
    std::uint32_t rank = kNone;
    std::int32_t result = 0;
  };
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  explicit MergeTable(const std::vector<BpeMerge>& merges);

  /// Its rank is kNone where there is no such merge.
  Merge find(std::int32_t left, std::int32_t right) const {
    const std::uint64_t key = key_of(left, right);
    for (std::size_t slot = slot_of(key);; slot = (slot + 1) & mask_) {
      if (slots_[slot].key == key) return slots_[slot].merge;
      if (slots_[slot].key == kEmpty) return {};
    }
  }

 private:
  struct Slot {
    std::uint64_t key;
    Merge merge;
  };
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};

  static std::uint64_t key_of(std::int32_t left, std::int32_t right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
  }
  std::size_t slot_of(std::uint64_t key) const { return (key * multiplier_) >> shift_; }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
  int shift_ = 0;
  /// Odd, and drawn anew for each table, so that no file can be made whose merges all fall into one slot
  /// (Dietzfelbinger et al., "A Reliable Randomized Algorithm for the Closest-Pair Problem", 1997). What is found does
  /// not depend on it.
  std::uint64_t multiplier_;
};

/// Immutable and thread-safe.
class Bpe {
 public:
  /// Working memory of one call.
  struct Scratch {
    struct Symbol {
      std::int32_t id;
      std::uint32_t bytes;  ///< 0: it was merged into the one before it.
      std::uint32_t previous;
      std::uint32_t next;
    };
    struct Candidate {
      std::uint32_t rank;
      std::uint32_t position;
      std::int32_t result;
    };
    std::vector<Symbol> symbols;
    std::vector<MergeTable::Merge> merges;
    std::vector<Candidate> queue;
    std::string spelling;
  };

  /// `reads_bytes`: words are bytes as they are, and the vocabulary spells them with the characters of byte_level.h.
  /// Possible where can_read_bytes() says so.
  Bpe(const BpeSpec& spec, bool reads_bytes);

  static bool can_read_bytes(const BpeSpec& spec);

  /// Puts the tokens of `word`, which must not be empty, in the place of what `tokens` held. Characters that have no
  /// token are left out where the model has no unknown token.
  void tokenize(std::string_view word, Scratch& scratch, std::vector<WordToken>& tokens) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  void find_whole_words(bool every_word);
  void split(std::string_view word, Scratch& scratch) const;
  std::int32_t find_character(std::string_view word, std::size_t begin, std::size_t end, Scratch& scratch) const;
  bool add_bytes(Scratch& scratch) const;
  void merge_short(Scratch& scratch) const;
  void merge_long(Scratch& scratch) const;

  Vocabulary vocabulary_;
  MergeTable merges_;
  std::string continuing_subword_prefix_;
  std::string end_of_word_suffix_;
  std::int32_t unknown_id_;  // Trie::kNoValue: there is none.
  bool fuse_unknown_;
  bool byte_fallback_;
  bool reads_bytes_;
  std::array<std::int32_t, 256> byte_ids_;  // Of bytes as they are read, or as byte_fallback spells them.
  Trie whole_words_;                        // Words that are known to be one token.
};

}  // namespace tandem
