// The normalisation forms of Unicode: NFC, NFD, NFKC, NFKD (UAX #15).
#pragma once

#include "formats/tokenizer_spec.h"
#include "tokenizer/normalized_text.h"

namespace tandem {

/// Writes `source` in a normalisation form.
void apply_unicode_form(UnicodeFormSpec form, const SourceText& source, TextWriter& writer);

}  // namespace tandem
