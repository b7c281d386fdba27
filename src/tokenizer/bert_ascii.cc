#include "tokenizer/bert_ascii.h"

#include "base/unicode.h"

namespace tandem {

std::optional<BertAsciiSplitter> BertAsciiSplitter::make(const NormalizerSpec& normalizer,
                                                         const PreTokenizerSpec& pre_tokenizer) {
  if (normalizer.size() != 1 || pre_tokenizer.size() != 1) return std::nullopt;
  const auto* const bert = std::get_if<BertNormalizerSpec>(normalizer.data());
  if (bert == nullptr || !std::holds_alternative<BertPreTokenizerSpec>(pre_tokenizer[0])) return std::nullopt;
  return BertAsciiSplitter(*bert);
}

BertAsciiSplitter::BertAsciiSplitter(const BertNormalizerSpec& spec) {
  for (char32_t c = 0; c < 0x80; ++c) {
    const CodePointClass c_class = code_point_class(c);
    if (c_class.has(kOther)) {
      // Among them line breaks and tabs, which BERT counts as white space whether it cleans the text or not.
      codes_[c] = c == '\t' || c == '\n' || c == '\r' ? kCutSpace : kNeedsStages;
      continue;
    }
    if (c_class.has(kWhitespace)) {
      codes_[c] = kCutSpace;
    } else if (c_class.has(kPunctuation)) {
      codes_[c] = kCutPunctuation;
    } else {
      codes_[c] = static_cast<std::uint8_t>(spec.lowercase ? lowercase(c).values[0] : c);
    }
  }
}

}  // namespace tandem
