// How encoders computed, and what they could not read, as JSON.
#pragma once

#include "base/json.h"
#include "tandem/compute.h"

namespace tandem {

/// {"texts": 12, "texts_truncated": 3, "tokens_dropped": 812}
JsonWriter& write_json(JsonWriter& json, const Truncation& truncation);

/// {"precision": "bf16", "isa": "avx512_bf16", "threads": 2, "note": "…"}; the note only where there is one.
JsonWriter& write_json(JsonWriter& json, const ComputeInfo& info);

}  // namespace tandem
