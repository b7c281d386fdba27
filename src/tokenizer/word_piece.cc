#include "tokenizer/word_piece.h"

#include <algorithm>

namespace tandem {
namespace {

std::size_t count_code_points(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

}  // namespace

WordPiece::WordPiece(const WordPieceSpec& spec)
    : vocabulary_(spec.vocabulary),
      unknown_id_(vocabulary_.id(spec.unk_token)),
      continuing_node_(vocabulary_.trie().walk(Trie::kRoot, spec.continuing_subword_prefix)),
      word_chars_max_(spec.max_input_chars_per_word) {}

void WordPiece::tokenize(std::string_view word, TextBudget& budget, std::vector<WordToken>& tokens) const {
  tokens.clear();
  if (word.size() <= word_chars_max_ || count_code_points(word) <= word_chars_max_) {
    std::uint32_t node = Trie::kRoot;
    std::size_t begin = 0;
    while (begin < word.size() && node != Trie::kNoNode) {
      const Trie::Match match = vocabulary_.trie().longest_match(node, word.substr(begin));
      budget.take_steps(match.steps);
      if (match.bytes == 0 || budget.is_spent()) break;
      const std::size_t end = begin + match.bytes;
      tokens.push_back({match.value, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
      begin = end;
      node = continuing_node_;
    }
    if (begin == word.size()) return;
    tokens.clear();
  }
  tokens.push_back({unknown_id_, 0, static_cast<std::uint32_t>(word.size())});
}

}  // namespace tandem
