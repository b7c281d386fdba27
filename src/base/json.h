// The one door to JSON: reading with simdjson, writing by hand. No other file includes a JSON library.
//
//   ASSIGN_OR_RETURN(JsonDocument document, JsonDocument::read_file(folder / "config.json"));
//   ASSIGN_OR_RETURN(std::uint64_t width, document.root().get_unsigned("hidden_size"));
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/result.h"

namespace tandem {

class JsonValue;

/// A parsed document. Values borrow from it.
class JsonDocument {
 public:
  /// `name` stands in front of every error. Errors: kCorruptData (not JSON, not UTF-8, deeper than 64).
  static Result<JsonDocument> parse(std::string_view text, std::string_view name);
  static Result<JsonDocument> read_file(const std::filesystem::path& path, std::uint64_t bytes_max = 256U << 20);

  JsonValue root() const;

  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

 private:
  friend class JsonLineParser;
  struct Impl;
  explicit JsonDocument(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

enum class JsonKind { kNull, kBool, kNumber, kString, kArray, kObject };

/// A borrowed value: three words, copied freely, valid while its document lives. Strings borrow too.
///
/// get_X(key) fails with kCorruptData and a message such as "config.json: hidden_size: expected an unsigned integer,
/// got a string" when the key is missing or of another type. find_X(key) gives nullopt when the key is missing or null,
/// and fails when it is of another type.
class JsonValue {
 public:
  JsonKind kind() const;
  bool is_object() const { return kind() == JsonKind::kObject; }
  bool is_array() const { return kind() == JsonKind::kArray; }
  bool is_string() const { return kind() == JsonKind::kString; }
  bool is_null() const { return kind() == JsonKind::kNull; }

  // This value itself, as a type; `what` names it in the error.
  Result<std::string_view> as_string(std::string_view what = "value") const;
  Result<std::uint64_t> as_unsigned(std::string_view what = "value") const;
  Result<std::int64_t> as_integer(std::string_view what = "value") const;
  Result<double> as_double(std::string_view what = "value") const;
  Result<bool> as_bool(std::string_view what = "value") const;
  /// A string, or a number as it is written. Errors: also kCorruptData for a number whose digits a double does not
  /// hold.
  Result<std::string> as_id(std::string_view what = "id") const;
  /// The elements, copied out. One pass; meant for small arrays. For large ones use for_each_element.
  Result<std::vector<JsonValue>> as_array(std::string_view what = "value") const;

  /// The member, if this is an object that has it; of several with this key the last, as Python has it. A null member
  /// is found; a missing one is not.
  std::optional<JsonValue> find(std::string_view key) const;
  Result<JsonValue> get(std::string_view key) const;
  Result<std::string_view> get_string(std::string_view key) const;
  Result<std::uint64_t> get_unsigned(std::string_view key) const;
  Result<std::int64_t> get_integer(std::string_view key) const;
  Result<double> get_double(std::string_view key) const;
  Result<bool> get_bool(std::string_view key) const;
  Result<JsonValue> get_object(std::string_view key) const;
  Result<std::vector<JsonValue>> get_array(std::string_view key) const;
  Result<std::optional<std::string_view>> find_string(std::string_view key) const;
  Result<std::optional<std::uint64_t>> find_unsigned(std::string_view key) const;
  Result<std::optional<std::int64_t>> find_integer(std::string_view key) const;
  Result<std::optional<double>> find_double(std::string_view key) const;
  Result<std::optional<bool>> find_bool(std::string_view key) const;

  /// Visits members or elements in document order until a visit fails. kCorruptData when this is of another kind.
  Status for_each_member(const std::function<Status(std::string_view key, JsonValue value)>& visit) const;
  Status for_each_element(const std::function<Status(JsonValue value)>& visit) const;

  /// This value as compact JSON, on one line, with the escapes that JsonWriter writes.
  std::string dump() const;

 private:
  friend struct JsonAccess;
  std::array<std::uint64_t, 2> element_;  // A simdjson::dom::element, which this header must not name.
  const std::string* name_ = nullptr;
};

/// Parses one document after another, reusing memory: for JSON lines.
class JsonLineParser {
 public:
  explicit JsonLineParser(std::string name);
  /// The value is valid until the next parse. Errors as JsonDocument::parse, without a line number: the caller knows
  /// it.
  Result<JsonValue> parse(std::string_view line);

  JsonLineParser(JsonLineParser&&) noexcept;
  JsonLineParser& operator=(JsonLineParser&&) noexcept;
  ~JsonLineParser();

 private:
  std::unique_ptr<JsonDocument::Impl> impl_;
};

/// Builds JSON text, on one line. Keys keep their order. Strings that are not UTF-8 have U+FFFD in place of what is
/// wrong, and escapes for every control character and every mark that turns the direction of writing (base/controls.h);
/// numbers that JSON cannot hold (NaN, infinity) become null.
///
///   JsonWriter json;
///   json.begin_object().key("ids").begin_array().value(1).value(2).end_array().end_object();
///   std::string text = json.take();
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag);
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
  JsonWriter& value(double number);  ///< Shortest form that reads back to the same double.
  JsonWriter& value(float number);   ///< Shortest form that reads back to the same float.
  JsonWriter& null();
  /// Inserts text that is JSON already.
  JsonWriter& raw(std::string_view json);

  /// The text, compact, and starts over.
  std::string take();

 private:
  void separate();
  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace tandem
