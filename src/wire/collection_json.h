// What a collection holds and how its vectors were made, as JSON.
#pragma once

#include <cstddef>

#include "base/json.h"
#include "tandem/collection.h"
#include "tandem/embedding_recipe.h"

namespace tandem {

/// The members "model", "weights_hash", "settings", "pooling", "dimensions", "normalized", "normalization" where it was
/// recorded, "max_length" and "prompt_name" of an object that is begun; the settings only where they were recorded.
JsonWriter& write_members(JsonWriter& json, const BiEncoderIdentity& identity);

/// An object: the members of the encoder's identity, "query_prompt", "document_prompt", "precision" and
/// "title_separator"; prompts only where they were recorded.
JsonWriter& write_json(JsonWriter& json, const EmbeddingRecipe& recipe);

/// The members "documents", "segments", "size_bytes", "created", "metric", "recipe", "not_recorded" and "truncation" of
/// an object that is begun.
JsonWriter& write_members(JsonWriter& json, const CollectionInfo& info, std::size_t segments);

}  // namespace tandem
