// The first stage of tokenisation: cleans a text, and remembers where each byte of the result comes from.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tokenizer_json.h"
#include "tandem/tokenizer.h"

namespace tandem {

/// A text on its way to the model.
struct NormalizedText {
  std::string text;
  /// For each byte of `text`, the bytes of the original text that it stands for; empty when nobody asked.
  std::vector<Offset> origins;

  void clear() {
    text.clear();
    origins.clear();
  }
};

/// Puts the normalised form of `original`, which must be UTF-8, in the place of what `result` held. With `origins`,
/// result.origins is filled, counting `original` from `original_begin`.
void normalize(const NormalizerSpec& spec, std::string_view original, std::size_t original_begin, bool origins,
               NormalizedText& result);

}  // namespace tandem
