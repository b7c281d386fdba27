#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <iterator>

#include "base/controls.h"
#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"

namespace tandem {

namespace dom = simdjson::dom;

namespace {

constexpr std::size_t kDepthMax = 64;

bool fits_into_64_bits(std::string_view integer) {
  const char* const end = integer.data() + integer.size();
  if (integer.starts_with('-')) {
    std::int64_t value = 0;
    return std::from_chars(integer.data(), end, value).ec == std::errc();
  }
  std::uint64_t value = 0;
  return std::from_chars(integer.data(), end, value).ec == std::errc();
}

/// For what acts_unseen(): JSON asks for an escape below U+0020 only, but a line of JSON may also end up on a terminal,
/// or in a program that takes U+0085 or U+2028 for the line's end.
void append_escaped(std::string& text, char32_t code_point) {
  fmt::format_to(std::back_inserter(text), "\\u{:04x}", static_cast<unsigned>(code_point));
}

/// The same JSON with an exponent of zero behind every integer that 64 bits cannot hold, so that it is read as a
/// double. simdjson refuses such integers, but JSON does not, and transformers writes one: 10^30 as the
/// model_max_length of a tokenizer that has no limit.
std::string with_huge_integers_as_doubles(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  std::string result;
  result.reserve(text.size() + 8);
  bool in_string = false;
  for (std::size_t position = 0; position < text.size();) {
    std::size_t end = position + 1;
    const char first = text[position];
    bool is_huge = false;
    if (in_string && first == '\\') {
      end = std::min(position + 2, text.size());
    } else if (first == '"') {
      in_string = !in_string;
    } else if (!in_string && (first == '-' || kDigits.find(first) != kDigits.npos)) {
      // The whole number, so that the digits of a fraction or an exponent are not taken for an integer.
      end = std::min(text.find_first_not_of("0123456789+-.eE", end), text.size());
      const std::string_view number = text.substr(position, end - position);
      is_huge = number.find_first_of(".eE") == number.npos && !fits_into_64_bits(number);
    }
    result += text.substr(position, end - position);
    if (is_huge) result += "e0";
    position = end;
  }
  return result;
}

std::string_view kind_name(dom::element_type type) {
  switch (type) {
    case dom::element_type::ARRAY:
      return "an array";
    case dom::element_type::OBJECT:
      return "an object";
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
      return "an integer";
    case dom::element_type::DOUBLE:
      return "a number with a fraction";
    case dom::element_type::STRING:
      return "a string";
    case dom::element_type::BOOL:
      return "a boolean";
    case dom::element_type::NULL_VALUE:
      return "null";
  }
  return "something else";
}

}  // namespace

/// The only code that knows what a JsonValue holds.
struct JsonAccess {
  static dom::element element(const JsonValue& value) { return std::bit_cast<dom::element>(value.element_); }
  static JsonValue wrap(dom::element element, const std::string* name) {
    static_assert(sizeof(dom::element) == sizeof(JsonValue::element_));
    JsonValue value;
    value.element_ = std::bit_cast<std::array<std::uint64_t, 2>>(element);
    value.name_ = name;
    return value;
  }
  static const std::string& name(const JsonValue& value) { return *value.name_; }

  static tl::unexpected<Error> mismatch(const JsonValue& value, std::string_view what, std::string_view expected) {
    return fail(ErrorCode::kCorruptData, "{}: {}: expected {}, got {}", name(value), what, expected,
                kind_name(element(value).type()));
  }

  template <class T>
  static Result<T> as(const JsonValue& value, std::string_view what, std::string_view expected) {
    T result{};
    if (element(value).get(result) != simdjson::SUCCESS) return mismatch(value, what, expected);
    return result;
  }

  template <class T>
  static Result<T> get(const JsonValue& object, std::string_view key, std::string_view expected) {
    ASSIGN_OR_RETURN(const JsonValue value, object.get(key));
    return as<T>(value, key, expected);
  }

  template <class T>
  static Result<std::optional<T>> find(const JsonValue& object, std::string_view key, std::string_view expected) {
    const std::optional<JsonValue> value = object.find(key);
    if (!value || value->is_null()) return std::optional<T>();
    ASSIGN_OR_RETURN(T result, as<T>(*value, key, expected));
    return std::optional<T>(result);
  }
};

struct JsonDocument::Impl {
  std::string name;
  dom::parser parser;
  dom::element root;

  Status parse(std::string_view text) {
    if (text.empty()) return fail(ErrorCode::kCorruptData, "{}: empty, want JSON", name);
    // simdjson reads up to SIMDJSON_PADDING bytes past the end, so it copies the text into a padded buffer.
    simdjson::error_code error = parser.parse(text.data(), text.size(), true).get(root);
    if (error == simdjson::NUMBER_ERROR) error = parser.parse(with_huge_integers_as_doubles(text)).get(root);
    if (error != simdjson::SUCCESS) {
      return fail(ErrorCode::kCorruptData, "{}: not valid JSON: {}", name, simdjson::error_message(error));
    }
    return {};
  }
};

JsonDocument::JsonDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

Result<JsonDocument> JsonDocument::parse(std::string_view text, std::string_view name) {
  auto impl = std::make_unique<Impl>();
  impl->name = name;
  if (impl->parser.allocate(text.size(), kDepthMax) != simdjson::SUCCESS) {
    return fail(ErrorCode::kCorruptData, "{}: {} bytes are more than a JSON document may have", name, text.size());
  }
  RETURN_IF_ERROR(impl->parse(text));
  return JsonDocument(std::move(impl));
}

Result<JsonDocument> JsonDocument::read_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
  ASSIGN_OR_RETURN(const std::string text, read_small_file(path, bytes_max));
  return parse(text, path.string());
}

JsonValue JsonDocument::root() const { return JsonAccess::wrap(impl_->root, &impl_->name); }

JsonKind JsonValue::kind() const {
  switch (JsonAccess::element(*this).type()) {
    case dom::element_type::ARRAY:
      return JsonKind::kArray;
    case dom::element_type::OBJECT:
      return JsonKind::kObject;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE:
      return JsonKind::kNumber;
    case dom::element_type::STRING:
      return JsonKind::kString;
    case dom::element_type::BOOL:
      return JsonKind::kBool;
    case dom::element_type::NULL_VALUE:
      break;
  }
  return JsonKind::kNull;
}

Result<std::string_view> JsonValue::as_string(std::string_view what) const {
  return JsonAccess::as<std::string_view>(*this, what, "a string");
}
Result<std::uint64_t> JsonValue::as_unsigned(std::string_view what) const {
  return JsonAccess::as<std::uint64_t>(*this, what, "an unsigned integer");
}
Result<std::int64_t> JsonValue::as_integer(std::string_view what) const {
  return JsonAccess::as<std::int64_t>(*this, what, "an integer");
}
Result<double> JsonValue::as_double(std::string_view what) const {
  return JsonAccess::as<double>(*this, what, "a number");
}
Result<bool> JsonValue::as_bool(std::string_view what) const { return JsonAccess::as<bool>(*this, what, "a boolean"); }

Result<std::string> JsonValue::as_id(std::string_view what) const {
  if (kind() != JsonKind::kNumber) {
    ASSIGN_OR_RETURN(const std::string_view text, as_string(what));
    return std::string(text);
  }
  constexpr double kWholeNumbersMax = 9007199254740992;  // 2^53: above it, whole numbers have fallen together.
  const dom::element element = JsonAccess::element(*this);
  if (element.type() == dom::element_type::DOUBLE && std::fabs(double(element)) >= kWholeNumbersMax) {
    return fail(ErrorCode::kCorruptData, "{}: {}: a number of so many digits cannot be kept: want it in quotes",
                JsonAccess::name(*this), what);
  }
  return dump();
}

Result<std::vector<JsonValue>> JsonValue::as_array(std::string_view what) const {
  if (!is_array()) return JsonAccess::mismatch(*this, what, "an array");
  std::vector<JsonValue> elements;
  const dom::array array(JsonAccess::element(*this).get_array().value());
  for (const dom::element element : array) {
    elements.push_back(JsonAccess::wrap(element, name_));
  }
  return elements;
}

std::optional<JsonValue> JsonValue::find(std::string_view key) const {
  dom::object object;
  if (JsonAccess::element(*this).get(object) != simdjson::SUCCESS) return std::nullopt;
  std::optional<JsonValue> found;
  for (const dom::key_value_pair member : object) {
    if (member.key == key) found = JsonAccess::wrap(member.value, name_);
  }
  return found;
}

Result<JsonValue> JsonValue::get(std::string_view key) const {
  if (!is_object()) return JsonAccess::mismatch(*this, fmt::format("what holds {}", key), "an object");
  const std::optional<JsonValue> value = find(key);
  if (!value) return fail(ErrorCode::kCorruptData, "{}: {} is missing", *name_, key);
  return *value;
}

Result<std::string_view> JsonValue::get_string(std::string_view key) const {
  return JsonAccess::get<std::string_view>(*this, key, "a string");
}
Result<std::uint64_t> JsonValue::get_unsigned(std::string_view key) const {
  return JsonAccess::get<std::uint64_t>(*this, key, "an unsigned integer");
}
Result<std::int64_t> JsonValue::get_integer(std::string_view key) const {
  return JsonAccess::get<std::int64_t>(*this, key, "an integer");
}
Result<double> JsonValue::get_double(std::string_view key) const {
  return JsonAccess::get<double>(*this, key, "a number");
}
Result<bool> JsonValue::get_bool(std::string_view key) const { return JsonAccess::get<bool>(*this, key, "a boolean"); }

Result<JsonValue> JsonValue::get_object(std::string_view key) const {
  ASSIGN_OR_RETURN(const JsonValue value, get(key));
  if (!value.is_object()) return JsonAccess::mismatch(value, key, "an object");
  return value;
}

Result<std::vector<JsonValue>> JsonValue::get_array(std::string_view key) const {
  ASSIGN_OR_RETURN(const JsonValue value, get(key));
  return value.as_array(key);
}

Result<std::optional<std::string_view>> JsonValue::find_string(std::string_view key) const {
  return JsonAccess::find<std::string_view>(*this, key, "a string");
}
Result<std::optional<std::uint64_t>> JsonValue::find_unsigned(std::string_view key) const {
  return JsonAccess::find<std::uint64_t>(*this, key, "an unsigned integer");
}
Result<std::optional<std::int64_t>> JsonValue::find_integer(std::string_view key) const {
  return JsonAccess::find<std::int64_t>(*this, key, "an integer");
}
Result<std::optional<double>> JsonValue::find_double(std::string_view key) const {
  return JsonAccess::find<double>(*this, key, "a number");
}
Result<std::optional<bool>> JsonValue::find_bool(std::string_view key) const {
  return JsonAccess::find<bool>(*this, key, "a boolean");
}

Status JsonValue::for_each_member(const std::function<Status(std::string_view, JsonValue)>& visit) const {
  if (!is_object()) return JsonAccess::mismatch(*this, "value", "an object");
  const dom::object object(JsonAccess::element(*this).get_object().value());
  for (const dom::key_value_pair member : object) {
    RETURN_IF_ERROR(visit(member.key, JsonAccess::wrap(member.value, name_)));
  }
  return {};
}

Status JsonValue::for_each_element(const std::function<Status(JsonValue)>& visit) const {
  if (!is_array()) return JsonAccess::mismatch(*this, "value", "an array");
  const dom::array array(JsonAccess::element(*this).get_array().value());
  for (const dom::element element : array) {
    RETURN_IF_ERROR(visit(JsonAccess::wrap(element, name_)));
  }
  return {};
}

std::string JsonValue::dump() const {
  const std::string json = simdjson::minify(JsonAccess::element(*this));
  std::string text;
  text.reserve(json.size());
  // Outside strings compact JSON is ASCII without control characters: whatever is escaped here stands in one.
  for (std::size_t position = 0; position < json.size();) {
    const Utf8Step step = decode_utf8(json, position);
    if (acts_unseen(step.code_point)) {
      append_escaped(text, step.code_point);
    } else {
      text.append(json, position, step.bytes);
    }
    position += step.bytes;
  }
  return text;
}

JsonLineParser::JsonLineParser(std::string name) : impl_(std::make_unique<JsonDocument::Impl>()) {
  impl_->name = std::move(name);
}
JsonLineParser::JsonLineParser(JsonLineParser&&) noexcept = default;
JsonLineParser& JsonLineParser::operator=(JsonLineParser&&) noexcept = default;
JsonLineParser::~JsonLineParser() = default;

Result<JsonValue> JsonLineParser::parse(std::string_view line) {
  if (impl_->parser.capacity() < line.size() || impl_->parser.max_depth() != kDepthMax) {
    if (impl_->parser.allocate(line.size(), kDepthMax) != simdjson::SUCCESS) {
      return fail(ErrorCode::kCorruptData, "{}: {} bytes are more than a JSON document may have", impl_->name,
                  line.size());
    }
  }
  RETURN_IF_ERROR(impl_->parse(line));
  return JsonAccess::wrap(impl_->root, &impl_->name);
}

void JsonWriter::separate() {
  if (needs_comma_) text_.push_back(',');
  needs_comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  text_.push_back('{');
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  text_.push_back('}');
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  text_.push_back('[');
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  text_.push_back(']');
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  value(name);
  text_.push_back(':');
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  text_.push_back('"');
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    position += step.bytes;
    switch (step.code_point) {
      case '"':
        text_ += "\\\"";
        break;
      case '\\':
        text_ += "\\\\";
        break;
      case '\n':
        text_ += "\\n";
        break;
      case '\r':
        text_ += "\\r";
        break;
      case '\t':
        text_ += "\\t";
        break;
      default:
        if (acts_unseen(step.code_point)) {
          append_escaped(text_, step.code_point);
        } else {
          append_utf8(text_, step.code_point);
        }
    }
  }
  text_.push_back('"');
  return *this;
}

JsonWriter& JsonWriter::value(bool flag) { return raw(flag ? "true" : "false"); }
JsonWriter& JsonWriter::value(std::int64_t number) { return raw(fmt::format("{}", number)); }
JsonWriter& JsonWriter::value(std::uint64_t number) { return raw(fmt::format("{}", number)); }
JsonWriter& JsonWriter::value(double number) { return std::isfinite(number) ? raw(fmt::format("{}", number)) : null(); }
JsonWriter& JsonWriter::value(float number) { return std::isfinite(number) ? raw(fmt::format("{}", number)) : null(); }
JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  text_ += json;
  return *this;
}

std::string JsonWriter::take() {
  needs_comma_ = false;
  return std::exchange(text_, {});
}

}  // namespace tandem
