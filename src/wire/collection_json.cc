#include "wire/collection_json.h"

#include "wire/compute_json.h"
#include "wire/json_parts.h"

namespace tandem {

JsonWriter& write_members(JsonWriter& json, const BiEncoderIdentity& identity) {
  json.key("model").value(identity.model).key("weights_hash").value(identity.weights_hash);
  if (!identity.settings.empty()) json.key("settings").value(identity.settings);
  json.key("pooling").value(identity.pooling).key("dimensions").value(identity.dimensions);
  json.key("normalized").value(identity.normalized());
  if (identity.normalization) json.key("normalization").value(name_of(*identity.normalization));
  json.key("max_length").value(identity.max_length);
  return json.key("prompt_name").value(identity.prompt_name);
}

JsonWriter& write_json(JsonWriter& json, const EmbeddingRecipe& recipe) {
  write_members(json.begin_object(), recipe.encoder);
  write_if_set(json, "query_prompt", recipe.query_prompt);
  write_if_set(json, "document_prompt", recipe.document_prompt);
  json.key("precision").value(name_of(recipe.precision));
  return json.key("title_separator").value(recipe.title_separator).end_object();
}

JsonWriter& write_members(JsonWriter& json, const CollectionInfo& info, std::size_t segments) {
  json.key("documents").value(info.documents).key("segments").value(segments);
  json.key("size_bytes").value(info.size_bytes).key("created").value(info.created);
  write_json(json.key("metric").value(name_of(info.metric)).key("recipe"), info.recipe);
  write_json(json.key("not_recorded"), info.not_recorded);
  return write_json(json.key("truncation"), info.truncation);
}

}  // namespace tandem
