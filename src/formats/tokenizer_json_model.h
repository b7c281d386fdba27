// The `model` of tokenizer.json.
#pragma once

#include <string_view>

#include "base/json.h"
#include "formats/tokenizer_spec.h"
#include "tandem/result.h"

namespace tandem {

/// `name` stands in front of every error. Errors: kCorruptData, kUnsupported (the model by its type).
Result<ModelSpec> read_tokenizer_model(JsonValue part, std::string_view name);

/// An id of a token, checked to be small enough for a table indexed by it.
Result<std::int32_t> read_token_id(JsonValue value, std::string_view what, std::string_view name);

/// {"spelling": id, …}, not checked beyond that: see check_vocabulary().
Result<std::vector<VocabularyEntry>> read_vocabulary(JsonValue object, std::string_view name);

}  // namespace tandem
