#include "tokenizer/bpe.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "base/string_map.h"
#include "base/utf8.h"
#include "tokenizer/byte_level.h"

namespace tandem {
namespace {

constexpr std::uint32_t kNoSymbol = 0xFFFFFFFF;
constexpr std::size_t kShortSymbolsMax = 32;  // Below this, looking for the best pair beats keeping a heap.

/// The heap's order: the merge that is made first is its top.
bool is_later(const Bpe::Scratch::Candidate& left, const Bpe::Scratch::Candidate& right) {
  return std::pair(left.rank, left.position) > std::pair(right.rank, right.position);
}

}  // namespace

MergeTable::MergeTable(const std::vector<BpeMerge>& merges) : multiplier_(draw_secret() | 1) {
  const std::size_t slots = std::bit_ceil(std::max<std::size_t>(16, merges.size() * 2));
  slots_.assign(slots, {kEmpty, {}});
  mask_ = slots - 1;
  shift_ = 64 - std::countr_zero(slots);
  std::uint32_t rank = 0;
  for (const BpeMerge& merge : merges) {
    const std::uint64_t key = key_of(merge.left, merge.right);
    std::size_t slot = slot_of(key);
    while (slots_[slot].key != kEmpty && slots_[slot].key != key) slot = (slot + 1) & mask_;
    slots_[slot] = {key, {rank++, merge.result}};
  }
}

bool Bpe::can_read_bytes(const BpeSpec& spec) {
  if (!spec.continuing_subword_prefix.empty() || !spec.end_of_word_suffix.empty() || spec.byte_fallback) return false;
  if (spec.unk_token) return true;
  // Where a byte is left out, the reference's offsets depend on how many bytes its character has.
  std::array<bool, 256> has_token{};
  for (const VocabularyEntry& entry : spec.vocabulary) {
    if (entry.spelling.size() > 2) continue;
    const auto bytes = bytes_of_characters(entry.spelling);
    if (bytes && bytes->size() == 1) has_token[static_cast<std::uint8_t>(bytes->front())] = true;
  }
  return std::find(has_token.begin(), has_token.end(), false) == has_token.end();
}

Bpe::Bpe(const BpeSpec& spec, bool reads_bytes)
    : vocabulary_(spec.vocabulary),
      merges_(spec.merges),
      continuing_subword_prefix_(spec.continuing_subword_prefix),
      end_of_word_suffix_(spec.end_of_word_suffix),
      unknown_id_(spec.unk_token ? vocabulary_.id(*spec.unk_token) : Trie::kNoValue),
      fuse_unknown_(spec.fuse_unk),
      byte_fallback_(spec.byte_fallback),
      reads_bytes_(reads_bytes) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::string spelling;
    if (reads_bytes) {
      append_utf8(spelling, kByteCharacters[byte]);
    } else {
      spelling = fmt::format("<0x{:02X}>", byte);
    }
    byte_ids_[byte] = vocabulary_.id(spelling);
  }
  if (spec.ignore_merges || (continuing_subword_prefix_.empty() && end_of_word_suffix_.empty())) {
    find_whole_words(spec.ignore_merges);
  }
}

/// Most words of a text are one token, and a look into a trie is faster than merging them again. `every_word`: all of
/// the vocabulary, whatever its merges; otherwise what merging makes one token of.
void Bpe::find_whole_words(bool every_word) {
  std::vector<std::string> words;
  std::vector<std::int32_t> ids;
  Scratch scratch;
  std::vector<WordToken> tokens;
  for (std::size_t index = 0; index < vocabulary_.size(); ++index) {
    const auto id = static_cast<std::int32_t>(index);
    const std::string_view spelling = vocabulary_.spelling(id);
    if (spelling.empty()) continue;
    auto word = reads_bytes_ ? bytes_of_characters(spelling) : std::optional<std::string>(spelling);
    if (!word) continue;
    if (!every_word) {
      tokenize(*word, scratch, tokens);
      if (tokens.size() != 1 || tokens[0].id != id || tokens[0].end != word->size()) continue;
    }
    words.push_back(std::move(*word));
    ids.push_back(id);
  }
  std::vector<std::pair<std::string_view, std::int32_t>> entries;
  entries.reserve(words.size());
  for (std::size_t index = 0; index < words.size(); ++index) entries.emplace_back(words[index], ids[index]);
  whole_words_ = Trie(entries);
}

void Bpe::tokenize(std::string_view word, Scratch& scratch, std::vector<WordToken>& tokens) const {
  tokens.clear();
  if (const std::int32_t id = whole_words_.find(word); id != Trie::kNoValue) {
    tokens.push_back({id, 0, static_cast<std::uint32_t>(word.size())});
    return;
  }
  split(word, scratch);
  if (scratch.symbols.size() <= kShortSymbolsMax) {
    merge_short(scratch);
  } else {
    merge_long(scratch);
  }
  std::uint32_t begin = 0;
  for (const Scratch::Symbol& symbol : scratch.symbols) {
    if (symbol.bytes == 0) continue;
    tokens.push_back({symbol.id, begin, begin + symbol.bytes});
    begin += symbol.bytes;
  }
}

/// The characters of a word, as far as they have tokens; the others become unknown tokens or bytes.
void Bpe::split(std::string_view word, Scratch& scratch) const {
  scratch.symbols.clear();
  const auto add = [&](std::int32_t id, std::size_t bytes) {
    scratch.symbols.push_back({id, static_cast<std::uint32_t>(bytes), 0, 0});
  };
  std::size_t unknown_bytes = 0;  // Of the unknown token that may still grow.
  const auto end_unknown = [&] {
    if (unknown_bytes > 0) add(unknown_id_, unknown_bytes);
    unknown_bytes = 0;
  };
  for (std::size_t begin = 0; begin < word.size();) {
    const std::size_t bytes = reads_bytes_ ? 1 : decode_utf8(word, begin).bytes;
    const std::int32_t id = find_character(word, begin, begin + bytes, scratch);
    begin += bytes;
    if (id != Trie::kNoValue) {
      end_unknown();
      add(id, bytes);
      // An unknown token that bytes follow keeps growing after them: the reference looks at it only when a known
      // character comes.
    } else if (byte_fallback_ && add_bytes(scratch)) {
      continue;
    } else if (unknown_id_ != Trie::kNoValue) {
      if (!fuse_unknown_) end_unknown();
      unknown_bytes += bytes;
    }
  }
  end_unknown();
}

/// The token of one character, which the prefix and the suffix are part of; its spelling stays in `scratch`.
std::int32_t Bpe::find_character(std::string_view word, std::size_t begin, std::size_t end, Scratch& scratch) const {
  if (reads_bytes_) return byte_ids_[static_cast<std::uint8_t>(word[begin])];
  scratch.spelling.clear();
  if (begin > 0) scratch.spelling = continuing_subword_prefix_;
  scratch.spelling.append(word, begin, end - begin);
  if (end == word.size()) scratch.spelling.append(end_of_word_suffix_);
  return vocabulary_.id(scratch.spelling);
}

/// The tokens of the bytes of a character, if each has one.
bool Bpe::add_bytes(Scratch& scratch) const {
  const auto id_of = [&](char byte) { return byte_ids_[static_cast<std::uint8_t>(byte)]; };
  const std::string& bytes = scratch.spelling;
  if (std::any_of(bytes.begin(), bytes.end(), [&](char byte) { return id_of(byte) == Trie::kNoValue; })) return false;
  for (const char byte : bytes) scratch.symbols.push_back({id_of(byte), 1, 0, 0});
  return true;
}

/// Looks for the best pair again and again.
void Bpe::merge_short(Scratch& scratch) const {
  std::vector<Scratch::Symbol>& symbols = scratch.symbols;
  std::vector<MergeTable::Merge>& merges = scratch.merges;
  if (symbols.size() < 2) return;
  merges.clear();
  for (std::size_t index = 0; index + 1 < symbols.size(); ++index) {
    merges.push_back(merges_.find(symbols[index].id, symbols[index + 1].id));
  }
  while (!merges.empty()) {
    std::size_t best = 0;
    for (std::size_t index = 1; index < merges.size(); ++index) {
      if (merges[index].rank < merges[best].rank) best = index;
    }
    if (merges[best].rank == MergeTable::kNone) break;
    symbols[best].id = merges[best].result;
    symbols[best].bytes += symbols[best + 1].bytes;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    merges.erase(merges.begin() + static_cast<std::ptrdiff_t>(best));
    if (best > 0) merges[best - 1] = merges_.find(symbols[best - 1].id, symbols[best].id);
    if (best < merges.size()) merges[best] = merges_.find(symbols[best].id, symbols[best + 1].id);
  }
}

/// Keeps the pairs in a heap. A pair that has changed since it was put there is told by what it merges to.
void Bpe::merge_long(Scratch& scratch) const {
  std::vector<Scratch::Symbol>& symbols = scratch.symbols;
  std::vector<Scratch::Candidate>& queue = scratch.queue;
  const auto count = static_cast<std::uint32_t>(symbols.size());
  queue.clear();
  for (std::uint32_t index = 0; index < count; ++index) {
    symbols[index].previous = index == 0 ? kNoSymbol : index - 1;
    symbols[index].next = index + 1 == count ? kNoSymbol : index + 1;
    if (index + 1 == count) break;
    const MergeTable::Merge merge = merges_.find(symbols[index].id, symbols[index + 1].id);
    if (merge.rank != MergeTable::kNone) queue.push_back({merge.rank, index, merge.result});
  }
  std::make_heap(queue.begin(), queue.end(), is_later);
  const auto add = [&](std::uint32_t left, std::uint32_t right) {
    if (left == kNoSymbol || right == kNoSymbol) return;
    const MergeTable::Merge merge = merges_.find(symbols[left].id, symbols[right].id);
    if (merge.rank == MergeTable::kNone) return;
    queue.push_back({merge.rank, left, merge.result});
    std::push_heap(queue.begin(), queue.end(), is_later);
  };
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), is_later);
    const Scratch::Candidate top = queue.back();
    queue.pop_back();
    Scratch::Symbol& left = symbols[top.position];
    if (left.bytes == 0 || left.next == kNoSymbol) continue;
    Scratch::Symbol& right = symbols[left.next];
    const MergeTable::Merge merge = merges_.find(left.id, right.id);
    if (merge.rank == MergeTable::kNone || merge.result != top.result) continue;
    left.id = top.result;
    left.bytes += right.bytes;
    left.next = right.next;
    right.bytes = 0;
    if (left.next != kNoSymbol) symbols[left.next].previous = top.position;
    add(left.previous, top.position);
    add(top.position, left.next);
  }
}

}  // namespace tandem
