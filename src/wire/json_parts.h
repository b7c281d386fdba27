// Small parts that the JSON of several results has in common.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "tandem/significance.h"

namespace tandem {

/// A member that is left out where there is no value.
template <class Value>
void write_if_set(JsonWriter& json, std::string_view key, const std::optional<Value>& value) {
  if (value) json.key(key).value(*value);
}

/// A member that is null where there is no value.
template <class Value>
void write_or_null(JsonWriter& json, std::string_view key, const std::optional<Value>& value) {
  json.key(key);
  value ? json.value(*value) : json.null();
}

/// ["…", "…"]
inline JsonWriter& write_json(JsonWriter& json, std::span<const std::string> texts) {
  json.begin_array();
  for (const std::string& text : texts) json.value(text);
  return json.end_array();
}

/// Numbers, such as the components of a vector.
template <class Number>
JsonWriter& write_json(JsonWriter& json, std::span<const Number> numbers) {
  json.begin_array();
  for (const Number number : numbers) json.value(number);
  return json.end_array();
}

/// [low, high]
inline JsonWriter& write_json(JsonWriter& json, const Interval& interval) {
  return json.begin_array().value(interval.low).value(interval.high).end_array();
}

}  // namespace tandem
