#include "wire/encoding_json.h"

#include <span>

#include "wire/json_parts.h"

namespace tandem {

JsonWriter& write_json(JsonWriter& json, const Encoding& encoding, const Tokenizer& tokenizer) {
  write_json(json.begin_object().key("ids"), std::span<const std::int32_t>(encoding.ids));
  write_json(json.key("type_ids"), std::span<const std::int32_t>(encoding.type_ids)).key("tokens").begin_array();
  for (const std::int32_t id : encoding.ids) json.value(tokenizer.token(id));
  return json.end_array().end_object();
}

}  // namespace tandem
