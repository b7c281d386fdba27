// The normaliser of BERT: cleans, spaces out Chinese characters, strips accents, lower-cases.
#pragma once

#include "formats/tokenizer_spec.h"
#include "tokenizer/normalized_text.h"

namespace tandem {

/// Writes the normalised form of `source`.
void normalize_bert(const BertNormalizerSpec& spec, const SourceText& source, TextWriter& writer);

}  // namespace tandem
