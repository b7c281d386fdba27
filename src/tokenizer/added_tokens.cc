#include "tokenizer/added_tokens.h"

#include <algorithm>
#include <utility>

#include "base/unicode.h"
#include "base/utf8.h"

namespace tandem {
namespace {

/// Where the code point that ends at `end` begins.
std::size_t previous_begin(std::string_view text, std::size_t end) {
  do {
    --end;
  } while (end > 0 && (text[end] & 0xC0) == 0x80);
  return end;
}

CodePointClass class_at(std::string_view text, std::size_t begin) {
  return code_point_class(decode_utf8(text, begin).code_point);
}

bool is_single_word(std::string_view text, TextSpan span) {
  return (span.begin == 0 || !class_at(text, previous_begin(text, span.begin)).has(kWord)) &&
         (span.end == text.size() || !class_at(text, span.end).has(kWord));
}

/// Moves `begin` to the left over white space, but not past `limit`.
std::size_t skip_space_left(std::string_view text, std::size_t begin, std::size_t limit) {
  while (begin > limit) {
    const std::size_t previous = previous_begin(text, begin);
    if (!class_at(text, previous).has(kWhitespace)) break;
    begin = previous;
  }
  return begin;
}

std::size_t skip_space_right(std::string_view text, std::size_t end) {
  while (end < text.size()) {
    const Utf8Step step = decode_utf8(text, end);
    if (!code_point_class(step.code_point).has(kWhitespace)) break;
    end += step.bytes;
  }
  return end;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::vector<std::pair<std::string_view, std::int32_t>> patterns;
  for (const Entry& entry : entries_) {
    patterns.emplace_back(entry.pattern, static_cast<std::int32_t>(patterns.size()));
    if (!entry.pattern.empty()) starts_pattern_[static_cast<std::uint8_t>(entry.pattern[0])] = true;
  }
  trie_ = Trie(patterns);
}

AddedTokens::Found AddedTokens::find(std::string_view text, std::size_t position, TextBudget& budget) const {
  for (; position < text.size() && !budget.is_spent(); ++position) {
    if (!starts_pattern_[static_cast<std::uint8_t>(text[position])]) continue;
    const Trie::Match match = trie_.longest_match(Trie::kRoot, text.substr(position));
    budget.take_steps(match.steps);
    if (match.bytes != 0) return {position, match};
  }
  return {position, {}};
}

void AddedTokens::split(std::string_view text, bool split_special, TextBudget& budget,
                        std::vector<AddedTokenPiece>& pieces) const {
  pieces.clear();
  std::size_t piece_begin = 0;
  std::size_t search_begin = 0;
  TextSpan space;  // The last run of white space that was skipped.
  while (!entries_.empty()) {
    const Found found = find(text, search_begin, budget);
    if (found.match.bytes == 0) break;
    TextSpan span{found.begin, found.begin + found.match.bytes};
    // A match that is not wanted still hides the shorter ones inside it, as in the reference.
    search_begin = span.end;
    const Entry& entry = entries_[static_cast<std::size_t>(found.match.value)];
    if (split_special && entry.token.special) continue;
    if (entry.token.single_word && !is_single_word(text, span)) continue;
    if (entry.token.lstrip) span.begin = std::max(skip_space_left(text, span.begin, piece_begin), piece_begin);
    if (entry.token.rstrip) {
      // A token of white space may match again and again inside one run: look for the end of each run once.
      if (span.end < space.begin || span.end > space.end) space = {span.end, skip_space_right(text, span.end)};
      span.end = space.end;
    }
    if (piece_begin < span.begin) pieces.push_back({Trie::kNoValue, {piece_begin, span.begin}});
    if (span.begin < span.end) pieces.push_back({entry.id, span});
    piece_begin = span.end;
  }
  if (piece_begin < text.size()) pieces.push_back({Trie::kNoValue, {piece_begin, text.size()}});
}

}  // namespace tandem
