// A SentencePiece model must be read or refused.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "formats/sentencepiece_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto model = tandem::parse_sentencepiece_model(std::as_bytes(std::span(data, size)), "fuzz");
  if (!model) return 0;
  CHECK(!model->pieces.empty());
  for (const tandem::SentencePiece& piece : model->pieces) CHECK(std::isfinite(piece.score));
  return 0;
}
