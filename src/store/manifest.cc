#include <fmt/format.h>

#include "base/controls.h"
#include "base/error.h"
#include "base/json.h"
#include "store/collection_store.h"

namespace tandem {
namespace {

constexpr std::string_view kFormat = "tandem-collection";
constexpr std::uint64_t kVersion = 1;

constexpr std::string_view kInnerProduct = "inner_product";
constexpr std::string_view kL2 = "l2";

Result<Metric> metric_of(std::string_view name, std::string_view manifest) {
  if (name == kInnerProduct) return Metric::kInnerProduct;
  if (name == kL2) return Metric::kL2;
  return fail(ErrorCode::kCorruptData, "{}: metric: expected {} or {}, got {}", manifest, kInnerProduct, kL2, name);
}

std::uint64_t number(std::size_t value) { return value; }

/// A member that is printed as it is.
Result<std::string> get_name(const JsonValue& object, const char* key, std::string_view manifest) {
  ASSIGN_OR_RETURN(const std::string_view name, object.get_string(key));
  if (const Status named = check_name(key, name); !named) return fail_in(manifest, named.error());
  return std::string(name);
}

}  // namespace

std::string manifest_json(const CollectionInfo& info) {
  JsonWriter json;
  json.begin_object().key("format").value(kFormat).key("version").value(kVersion);
  json.key("created").value(info.created).key("documents").value(number(info.documents));
  json.key("metric").value(info.metric == Metric::kL2 ? kL2 : kInnerProduct);
  json.key("encoder").begin_object();
  json.key("model").value(info.encoder.model).key("weights_hash").value(info.encoder.weights_hash);
  json.key("pooling").value(info.encoder.pooling).key("prompt_name").value(info.encoder.prompt_name);
  json.key("dimensions").value(number(info.encoder.dimensions));
  json.key("max_length").value(number(info.encoder.max_length));
  json.key("normalized").value(info.encoder.normalized).end_object();
  json.key("truncation").begin_object();
  json.key("texts").value(number(info.truncation.texts));
  json.key("texts_truncated").value(number(info.truncation.texts_truncated));
  json.key("tokens_dropped").value(number(info.truncation.tokens_dropped)).end_object();
  return json.end_object().take() + '\n';
}

Result<CollectionInfo> parse_manifest(std::string_view text, std::string_view name) {
  ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::parse(text, name));
  const JsonValue root = document.root();
  ASSIGN_OR_RETURN(const std::string_view format, root.get_string("format"));
  if (format != kFormat) {
    return fail(ErrorCode::kCorruptData, "{}: format: expected {}, got {}", name, kFormat, format);
  }
  ASSIGN_OR_RETURN(const std::uint64_t version, root.get_unsigned("version"));
  if (version != kVersion) {
    return fail(ErrorCode::kUnsupported, "{}: version {} of the format, this program reads {}", name, version,
                kVersion);
  }
  CollectionInfo info;
  ASSIGN_OR_RETURN(info.created, get_name(root, "created", name));
  ASSIGN_OR_RETURN(info.documents, root.get_unsigned("documents"));
  ASSIGN_OR_RETURN(const std::string_view metric, root.get_string("metric"));
  ASSIGN_OR_RETURN(info.metric, metric_of(metric, name));
  ASSIGN_OR_RETURN(const JsonValue encoder, root.get_object("encoder"));
  ASSIGN_OR_RETURN(info.encoder.model, get_name(encoder, "model", name));
  ASSIGN_OR_RETURN(info.encoder.weights_hash, get_name(encoder, "weights_hash", name));
  ASSIGN_OR_RETURN(info.encoder.pooling, get_name(encoder, "pooling", name));
  ASSIGN_OR_RETURN(info.encoder.prompt_name, get_name(encoder, "prompt_name", name));
  ASSIGN_OR_RETURN(info.encoder.dimensions, encoder.get_unsigned("dimensions"));
  ASSIGN_OR_RETURN(info.encoder.max_length, encoder.get_unsigned("max_length"));
  ASSIGN_OR_RETURN(info.encoder.normalized, encoder.get_bool("normalized"));
  ASSIGN_OR_RETURN(const JsonValue truncation, root.get_object("truncation"));
  ASSIGN_OR_RETURN(info.truncation.texts, truncation.get_unsigned("texts"));
  ASSIGN_OR_RETURN(info.truncation.texts_truncated, truncation.get_unsigned("texts_truncated"));
  ASSIGN_OR_RETURN(info.truncation.tokens_dropped, truncation.get_unsigned("tokens_dropped"));
  return info;
}

}  // namespace tandem
