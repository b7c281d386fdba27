// The last stage of tokenisation: shortens the texts to fit, and puts the model's special tokens around them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/tokenizer_json.h"
#include "tandem/tokenizer.h"

namespace tandem {

/// The tokens of one text.
struct TextTokens {
  std::vector<std::int32_t> ids;
  std::vector<Offset> offsets;  ///< As long as `ids`, or empty when nobody asked.

  /// How many tokens each word has, and minus one for an added token; empty when nobody asked. The reference stops
  /// reading a text after the word that makes it long enough, which shows where pairs are truncated.
  std::vector<std::int32_t> words;

  void clear() {
    ids.clear();
    offsets.clear();
    words.clear();
  }
};

/// Whether truncate() looks at TextTokens::words.
bool truncation_needs_words(const EncodeOptions& options, bool is_pair);

class PostProcessor {
 public:
  explicit PostProcessor(TemplateSpec spec);

  /// Shortens the texts as `options` say, and joins them. `second` is null for a single text.
  Encoding process(const TextTokens& first, const TextTokens* second, const EncodeOptions& options) const;

 private:
  TemplateSpec spec_;
};

}  // namespace tandem
