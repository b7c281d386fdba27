#include "tokenizer/unigram.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/utf8.h"

namespace tandem {
namespace {

// An unknown character is less probable than any piece, by this much in the logarithm: kUnkPenalty of SentencePiece.
constexpr double kUnknownPenalty = 10;
constexpr std::uint32_t kNoPiece = 0xFFFFFFFF;

std::vector<std::string> spellings_of(std::vector<UnigramPiece>& pieces) {
  std::vector<std::string> spellings;
  spellings.reserve(pieces.size());
  for (UnigramPiece& piece : pieces) spellings.push_back(std::move(piece.spelling));
  return spellings;
}

std::vector<double> scores_of(const std::vector<UnigramPiece>& pieces) {
  std::vector<double> scores;
  scores.reserve(pieces.size());
  for (const UnigramPiece& piece : pieces) scores.push_back(piece.score);
  return scores;
}

}  // namespace

Unigram::Unigram(UnigramSpec spec)
    : scores_(scores_of(spec.pieces)),
      unknown_score_(*std::min_element(scores_.begin(), scores_.end()) - kUnknownPenalty),
      unknown_id_(spec.unk_id),
      byte_fallback_(spec.byte_fallback),
      vocabulary_(spellings_of(spec.pieces)) {
  for (unsigned byte = 0; byte < 256; ++byte) byte_ids_[byte] = vocabulary_.id(fmt::format("<0x{:02X}>", byte));
}

/// Viterbi's algorithm. Of equally probable ways the one whose last piece begins first counts, as in the reference.
void Unigram::find_paths(std::string_view word, TextBudget& budget, Scratch& scratch) const {
  scratch.paths.assign(word.size() + 1, {0, kNoPiece, 0});
  Scratch::Path* const paths = scratch.paths.data();
  for (std::size_t begin = 0; begin < word.size();) {
    const std::size_t character_bytes = decode_utf8(word, begin).bytes;
    const double score = paths[begin].score;
    const auto offer = [&](std::size_t bytes, double piece_score, std::int32_t piece) {
      Scratch::Path& path = paths[begin + bytes];
      const double candidate = piece_score + score;
      if (path.piece_begin == kNoPiece || candidate > path.score) {
        path = {candidate, static_cast<std::uint32_t>(begin), piece};
      }
    };
    bool has_character = false;
    if (!budget.is_spent()) {
      const auto visit = [&](std::size_t bytes, std::int32_t piece) {
        offer(bytes, scores_[static_cast<std::size_t>(piece)], piece);
        has_character |= bytes == character_bytes;
      };
      budget.take_steps(vocabulary_.trie().each_match(word.substr(begin), visit));
    }
    if (!has_character) offer(character_bytes, unknown_score_, unknown_id_);
    begin += character_bytes;
  }
}

void Unigram::tokenize(std::string_view word, TextBudget& budget, Scratch& scratch,
                       std::vector<WordToken>& tokens) const {
  find_paths(word, budget, scratch);
  tokens.clear();
  for (auto end = static_cast<std::uint32_t>(word.size()); end > 0;) {
    const auto& path = scratch.paths[end];
    std::uint32_t begin = path.piece_begin;
    if (path.piece == unknown_id_) {
      // Neighbouring unknown characters are one.
      while (begin > 0 && scratch.paths[begin].piece == unknown_id_) begin = scratch.paths[begin].piece_begin;
      put_unknown_reversed(word, begin, end, tokens);
    } else {
      tokens.push_back({path.piece, begin, end});
    }
    end = begin;
  }
  std::reverse(tokens.begin(), tokens.end());
}

/// What is unknown may be a piece after all when it is looked up as a whole, or bytes, if each byte has a piece.
void Unigram::put_unknown_reversed(std::string_view word, std::uint32_t begin, std::uint32_t end,
                                   std::vector<WordToken>& tokens) const {
  const std::string_view text = word.substr(begin, end - begin);
  const std::int32_t known = vocabulary_.id(text);
  const auto id_of = [&](char byte) { return byte_ids_[static_cast<std::uint8_t>(byte)]; };
  if (known != Trie::kNoValue) {
    tokens.push_back({known, begin, end});
  } else if (byte_fallback_ &&
             std::none_of(text.begin(), text.end(), [&](char byte) { return id_of(byte) == Trie::kNoValue; })) {
    for (auto byte = text.rbegin(); byte != text.rend(); ++byte) tokens.push_back({id_of(*byte), begin, end});
  } else {
    tokens.push_back({unknown_id_, begin, end});
  }
}

}  // namespace tandem
