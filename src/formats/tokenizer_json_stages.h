// The parts of tokenizer.json that come before the model: `normalizer` and `pre_tokenizer`.
#pragma once

#include <string_view>

#include "base/json.h"
#include "formats/tokenizer_spec.h"
#include "tandem/result.h"

namespace tandem {

/// `name` stands in front of every error. Errors: kCorruptData, kUnsupported (the part by its type).
Result<NormalizerSpec> read_normalizer(JsonValue part, std::string_view name);
Result<PreTokenizerSpec> read_pre_tokenizer(JsonValue part, std::string_view name);

}  // namespace tandem
