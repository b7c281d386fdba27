// The normaliser of BERT: cleans, spaces out Chinese characters, strips accents, lower-cases.
#pragma once

#include "formats/tokenizer_spec.h"
#include "tokenizer/normalized_text.h"

namespace tandem {

/// Appends the normalised form of `source` to `result`.
void normalize_bert(const BertNormalizerSpec& spec, const SourceText& source, bool origins, NormalizedText& result);

}  // namespace tandem
