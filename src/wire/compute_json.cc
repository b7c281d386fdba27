#include "wire/compute_json.h"

namespace tandem {

JsonWriter& write_json(JsonWriter& json, const Truncation& truncation) {
  json.begin_object().key("texts").value(truncation.texts).key("texts_truncated").value(truncation.texts_truncated);
  return json.key("tokens_dropped").value(truncation.tokens_dropped).end_object();
}

JsonWriter& write_json(JsonWriter& json, const ComputeInfo& info) {
  json.begin_object().key("precision").value(name_of(info.precision)).key("isa").value(info.isa);
  json.key("threads").value(info.threads);
  if (!info.note.empty()) json.key("note").value(info.note);
  return json.end_object();
}

}  // namespace tandem
