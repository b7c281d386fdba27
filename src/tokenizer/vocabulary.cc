#include "tokenizer/vocabulary.h"

#include <algorithm>
#include <utility>

namespace tandem {

Vocabulary::Vocabulary(std::span<const VocabularyEntry> entries) : entries_(entries.size()) {
  std::vector<std::pair<std::string_view, std::int32_t>> ids;
  ids.reserve(entries.size());
  for (const VocabularyEntry& entry : entries) {
    ids.emplace_back(entry.spelling, entry.id);
    spellings_.resize(std::max(spellings_.size(), static_cast<std::size_t>(entry.id) + 1));
    spellings_[static_cast<std::size_t>(entry.id)] = entry.spelling;
  }
  trie_ = Trie(ids);
}

Vocabulary::Vocabulary(std::vector<std::string> spellings)
    : spellings_(std::move(spellings)), entries_(spellings_.size()) {
  std::vector<std::pair<std::string_view, std::int32_t>> ids;
  ids.reserve(spellings_.size());
  for (const std::string& spelling : spellings_) ids.emplace_back(spelling, static_cast<std::int32_t>(ids.size()));
  trie_ = Trie(ids);
}

}  // namespace tandem
