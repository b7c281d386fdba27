// The last stage of tokenisation: shortens the texts to fit, and puts the model's special tokens around them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tandem/tokenizer.h"

namespace tandem {

/// The tokens of one text.
struct TextTokens {
  std::vector<std::int32_t> ids;
  std::vector<Offset> offsets;  ///< As long as `ids`, or empty when nobody asked.
  /// What the offsets would be if a token were the text's first; empty where that makes no difference.
  std::vector<Offset> offsets_if_first;
  bool is_cut = false;  ///< The text goes on where its budget was spent.

  void clear() {
    is_cut = false;
    ids.clear();
    offsets.clear();
    offsets_if_first.clear();
  }
};

class PostProcessor {
 public:
  explicit PostProcessor(TemplateSpec spec);

  /// Shortens the texts as `options` say, and joins them. `second` is null for a single text.
  Encoding process(const TextTokens& first, const TextTokens* second, const EncodeOptions& options) const;

  /// What process() does to one text, or to a pair.
  SequenceLayout layout(bool pair) const;

 private:
  TemplateSpec spec_;
};

}  // namespace tandem
