// The first stage of tokenisation: cleans a text, and remembers where each byte of the result comes from.
#pragma once

#include <cstddef>
#include <string_view>
#include <variant>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tokenizer/normalized_text.h"
#include "tokenizer/precompiled.h"

namespace tandem {

/// Immutable and thread-safe.
class Normalizer {
 public:
  explicit Normalizer(const NormalizerSpec& spec);

  /// Puts the normalised form of `original`, which must be UTF-8, in the place of what `result` held. With `origins`,
  /// result.origins is filled, counting `original` from `original_begin`. `spare` is working memory. Where the budget
  /// is spent afterwards, the result is not whole, and must not be used.
  void normalize(std::string_view original, std::size_t original_begin, bool origins, TextBudget& budget,
                 NormalizedText& spare, NormalizedText& result) const;

 private:
  using Step = std::variant<BertNormalizerSpec, UnicodeFormSpec, LowercaseSpec, StripAccentsSpec, StripSpec,
                            PrependSpec, NmtSpec, ReplaceSpec, Precompiled, ByteLevelNormalizerSpec>;

  std::vector<Step> steps_;
};

}  // namespace tandem
