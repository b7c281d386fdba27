// The second stage of tokenisation: splits a normalised text into the words that the model sees one by one.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "formats/tokenizer_json.h"

namespace tandem {

/// Bytes [begin, end) of a text.
struct TextSpan {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
};

/// Puts the words of `text`, which must be UTF-8, in the place of what `words` held. No word is empty.
void pre_tokenize(const PreTokenizerSpec& spec, std::string_view text, std::vector<TextSpan>& words);

}  // namespace tandem
