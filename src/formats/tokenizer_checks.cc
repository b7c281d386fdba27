#include "formats/tokenizer_checks.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace tandem {
namespace {

constexpr std::size_t kSpellingBytesMax = 4096;
constexpr std::size_t kAffixBytesMax = 64;

}  // namespace

Status check_spelling(std::string_view spelling, std::string_view name) {
  if (spelling.size() <= kSpellingBytesMax) return {};
  return fail(ErrorCode::kCorruptData, "{}: token '{}…' has {} bytes, want at most {}", name, spelling.substr(0, 32),
              spelling.size(), kSpellingBytesMax);
}

Status check_affix(std::string_view affix, std::string_view part, std::string_view name) {
  if (affix.size() <= kAffixBytesMax) return {};
  return fail(ErrorCode::kUnsupported, "{}: model: {} has {} bytes, want at most {}", name, part, affix.size(),
              kAffixBytesMax);
}

Result<TokenIds> check_vocabulary(const std::vector<VocabularyEntry>& vocabulary, std::string_view name) {
  TokenIds ids;
  ids.reserve(vocabulary.size());
  std::vector<const VocabularyEntry*> by_id;
  for (const VocabularyEntry& entry : vocabulary) {
    if (!ids.emplace(entry.spelling, entry.id).second) {
      return fail(ErrorCode::kCorruptData, "{}: model: token '{}' is in the vocabulary twice", name, entry.spelling);
    }
    const auto id = static_cast<std::size_t>(entry.id);
    if (id >= by_id.size()) by_id.resize(std::max(id + 1, vocabulary.size()));
    if (by_id[id] != nullptr) {
      return fail(ErrorCode::kCorruptData, "{}: model: tokens '{}' and '{}' both have id {}", name, by_id[id]->spelling,
                  entry.spelling, id);
    }
    by_id[id] = &entry;
  }
  return ids;
}

Status check_has_token(const TokenIds& ids, std::string_view token, std::string_view part, std::string_view name) {
  if (!token.empty() && ids.contains(token)) return {};
  return fail(ErrorCode::kCorruptData, "{}: model: {} '{}' is not in the vocabulary", name, part, token);
}

Result<BpeMerge> find_merge(const TokenIds& ids, std::string_view left, std::string_view right, std::string_view prefix,
                            std::string_view name) {
  const auto find = [&](std::string_view token) -> Result<std::int32_t> {
    const auto found = ids.find(token);
    if (found != ids.end()) return found->second;
    return fail(ErrorCode::kCorruptData, "{}: model: merge of '{}' and '{}': '{}' is not in the vocabulary", name, left,
                right, token);
  };
  if (right.size() < prefix.size()) {
    return fail(ErrorCode::kCorruptData, "{}: model: merge of '{}' and '{}': the second one is shorter than '{}'", name,
                left, right, prefix);
  }
  BpeMerge merge;
  ASSIGN_OR_RETURN(merge.left, find(left));
  ASSIGN_OR_RETURN(merge.right, find(right));
  ASSIGN_OR_RETURN(merge.result, find(std::string(left).append(right.substr(prefix.size()))));
  return merge;
}

Result<std::pair<std::string_view, std::string_view>> split_merge(std::string_view text, std::string_view name) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
    return fail(ErrorCode::kCorruptData, "{}: merge '{}', want two tokens with one space between them", name,
                text.substr(0, 64));
  }
  return std::pair(text.substr(0, space), text.substr(space + 1));
}

Status check_unigram(const UnigramSpec& spec, std::string_view name) {
  if (spec.pieces.size() > kTokenIdsMax) {
    return fail(ErrorCode::kCorruptData, "{}: model: {} pieces, want at most {}", name, spec.pieces.size(),
                kTokenIdsMax);
  }
  if (spec.unk_id < 0 || static_cast<std::size_t>(spec.unk_id) >= spec.pieces.size()) {
    return fail(ErrorCode::kCorruptData, "{}: model: unk_id is {}, want below the number of pieces, {}", name,
                spec.unk_id, spec.pieces.size());
  }
  RETURN_IF_ERROR(check_affix(spec.pieces[static_cast<std::size_t>(spec.unk_id)].spelling, "the unknown piece", name));
  for (const UnigramPiece& piece : spec.pieces) {
    RETURN_IF_ERROR(check_spelling(piece.spelling, name));
    if (!std::isfinite(piece.score)) {
      return fail(ErrorCode::kCorruptData, "{}: model: piece '{}' has the score {}, want a finite number", name,
                  piece.spelling, piece.score);
    }
  }
  return {};
}

}  // namespace tandem
