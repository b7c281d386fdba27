// A tokenizer.json must be read or refused; what is read must keep what its structs promise.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "formats/tokenizer_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem;
  const auto spec = parse_tokenizer_json({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!spec) return 0;
  if (const auto* unigram = std::get_if<UnigramSpec>(&spec->model)) {
    CHECK(unigram->unk_id >= 0 && static_cast<std::size_t>(unigram->unk_id) < unigram->pieces.size());
    for (const UnigramPiece& piece : unigram->pieces) CHECK(std::isfinite(piece.score));
  }
  if (const auto* bpe = std::get_if<BpeSpec>(&spec->model)) {
    CHECK(!bpe->byte_fallback || (bpe->continuing_subword_prefix.empty() && bpe->end_of_word_suffix.empty()));
    for (const BpeMerge& merge : bpe->merges) CHECK(merge.left >= 0 && merge.right >= 0 && merge.result >= 0);
  }
  for (const NormalizerStep& step : spec->normalizer) {
    if (const auto* precompiled = std::get_if<PrecompiledSpec>(&step)) CHECK(precompiled->charsmap != nullptr);
  }
  return 0;
}
