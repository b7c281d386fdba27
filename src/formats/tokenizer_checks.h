// Checks that every source of a tokenizer goes through: tokenizer.json and the files that came before it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/string_map.h"
#include "formats/tokenizer_spec.h"
#include "tandem/result.h"

namespace tandem {

constexpr std::uint64_t kTokenizerFileBytesMax = 128U << 20;
constexpr std::uint64_t kTokenIdsMax = 1U << 22;  // The largest published vocabularies have a million tokens.

/// Tokens by their spelling. Borrows from the vocabulary it was made from.
using TokenIds = StringMap<std::int32_t>;

/// A spelling that is short enough. `name` stands in front of every error.
Status check_spelling(std::string_view spelling, std::string_view name);

/// What a model puts before or behind characters to look them up, such as "##" and "</w>", and what it writes in place
/// of any that it does not know, is short.
Status check_affix(std::string_view affix, std::string_view part, std::string_view name);

/// Refuses spellings or ids that appear twice.
Result<TokenIds> check_vocabulary(const std::vector<VocabularyEntry>& vocabulary, std::string_view name);

/// Refuses a token that is not in the vocabulary; `part` says what it is, e.g. "unk_token".
Status check_has_token(const TokenIds& ids, std::string_view token, std::string_view part, std::string_view name);

/// A merge by the spellings of its parts; the second one may begin with `prefix`, which the result leaves out.
Result<BpeMerge> find_merge(const TokenIds& ids, std::string_view left, std::string_view right, std::string_view prefix,
                            std::string_view name);

/// Splits a merge that is written as two spellings with a space between them.
Result<std::pair<std::string_view, std::string_view>> split_merge(std::string_view text, std::string_view name);

/// Refuses scores that are not finite, more pieces than ids, and an unk_id that is none of them.
Status check_unigram(const UnigramSpec& spec, std::string_view name);

}  // namespace tandem
