// What a tokenizer made of a text, as JSON.
#pragma once

#include "base/json.h"
#include "tandem/tokenizer.h"

namespace tandem {

/// {"ids": [0, …], "type_ids": [0, …], "tokens": ["<s>", …]}
JsonWriter& write_json(JsonWriter& json, const Encoding& encoding, const Tokenizer& tokenizer);

}  // namespace tandem
