#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "base/controls.h"
#include "base/error.h"
#include "base/json.h"
#include "store/collection_store.h"

namespace tandem {
namespace {

constexpr std::string_view kFormat = "tandem-collection";
// The newest version, which is written, and the oldest that is read.
constexpr std::uint64_t kVersion = 2;
constexpr std::uint64_t kVersionMin = 1;

std::uint64_t number(std::size_t value) { return value; }

/// A member that holds one of the names of a closed set.
template <class Choice>
Result<Choice> get_choice(const JsonValue& object, const char* key, std::string_view manifest) {
  ASSIGN_OR_RETURN(const std::string_view name, object.get_string(key));
  if (const std::optional<Choice> choice = choice_of<Choice>(name)) return *choice;
  std::string known;
  for (const auto& each : kChoices<Choice>) known += fmt::format("{}{}", known.empty() ? "" : " or ", each.name);
  return fail(ErrorCode::kCorruptData, "{}: {}: expected {}, got {}", manifest, key, known, name);
}

/// A member that is printed as it is.
Result<std::string> get_name(const JsonValue& object, const char* key, std::string_view manifest) {
  ASSIGN_OR_RETURN(const std::string_view name, object.get_string(key));
  if (const Status named = check_name(key, name); !named) return fail_in(manifest, named.error());
  return std::string(name);
}

void write_recipe(JsonWriter& json, const EmbeddingRecipe& recipe) {
  json.begin_object().key("model").value(recipe.encoder.model).key("weights_hash").value(recipe.encoder.weights_hash);
  json.key("settings").value(recipe.encoder.settings);
  json.key("pooling").value(recipe.encoder.pooling).key("prompt_name").value(recipe.encoder.prompt_name);
  json.key("dimensions").value(number(recipe.encoder.dimensions));
  json.key("max_length").value(number(recipe.encoder.max_length));
  if (recipe.encoder.normalization) json.key("normalization").value(name_of(*recipe.encoder.normalization));
  json.key("precision").value(name_of(recipe.precision)).key("title_separator").value(recipe.title_separator);
  if (recipe.query_prompt) json.key("query_prompt").value(*recipe.query_prompt);
  if (recipe.document_prompt) json.key("document_prompt").value(*recipe.document_prompt);
  json.end_object();
}

Result<BiEncoderIdentity> read_encoder(const JsonValue& object, std::string_view manifest) {
  BiEncoderIdentity encoder;
  ASSIGN_OR_RETURN(encoder.model, get_name(object, "model", manifest));
  ASSIGN_OR_RETURN(encoder.weights_hash, get_name(object, "weights_hash", manifest));
  ASSIGN_OR_RETURN(encoder.pooling, get_name(object, "pooling", manifest));
  ASSIGN_OR_RETURN(encoder.prompt_name, get_name(object, "prompt_name", manifest));
  ASSIGN_OR_RETURN(encoder.dimensions, object.get_unsigned("dimensions"));
  ASSIGN_OR_RETURN(encoder.max_length, object.get_unsigned("max_length"));
  if (object.find("normalization")) {
    ASSIGN_OR_RETURN(encoder.normalization, get_choice<Normalization>(object, "normalization", manifest));
    return encoder;
  }
  // Before, only the outcome was recorded: of vectors whose length is not 1 it does not say how that came.
  ASSIGN_OR_RETURN(const bool normalized, object.get_bool("normalized"));
  encoder.normalization = normalized ? std::optional(Normalization::kAtEnd) : std::nullopt;
  return encoder;
}

/// The recipe of version 1, which held the encoder alone.
Status read_recipe_of_version_1(const JsonValue& root, std::string_view manifest, CollectionInfo& info) {
  ASSIGN_OR_RETURN(const JsonValue encoder, root.get_object("encoder"));
  ASSIGN_OR_RETURN(info.recipe.encoder, read_encoder(encoder, manifest));
  info.not_recorded = {"precision: as --precision has it", "title separator: a blank", "prompts: those of the model",
                       "settings: those of the model"};
  return {};
}

Status read_recipe(const JsonValue& root, std::string_view manifest, CollectionInfo& info) {
  ASSIGN_OR_RETURN(const JsonValue recipe, root.get_object("recipe"));
  ASSIGN_OR_RETURN(info.recipe.encoder, read_encoder(recipe, manifest));
  ASSIGN_OR_RETURN(info.recipe.encoder.settings, get_name(recipe, "settings", manifest));
  ASSIGN_OR_RETURN(info.recipe.precision, get_choice<Precision>(recipe, "precision", manifest));
  ASSIGN_OR_RETURN(const std::string_view separator, recipe.get_string("title_separator"));
  if (separator.size() > kTitleSeparatorBytesMax) {
    return fail(ErrorCode::kCorruptData, "{}: title_separator has {} bytes, want at most {}", manifest,
                separator.size(), kTitleSeparatorBytesMax);
  }
  info.recipe.title_separator = separator;
  for (const auto& [key, prompt] : {std::pair{"query_prompt", &info.recipe.query_prompt},
                                    std::pair{"document_prompt", &info.recipe.document_prompt}}) {
    ASSIGN_OR_RETURN(const std::optional<std::string_view> text, recipe.find_string(key));
    if (text) *prompt = std::string(*text);
  }
  return {};
}

}  // namespace

std::string manifest_json(const CollectionInfo& info) {
  JsonWriter json;
  json.begin_object().key("format").value(kFormat).key("version").value(kVersion);
  json.key("created").value(info.created).key("documents").value(number(info.documents));
  json.key("metric").value(name_of(info.metric)).key("recipe");
  write_recipe(json, info.recipe);
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
  if (version < kVersionMin || version > kVersion) {
    return fail(ErrorCode::kUnsupported, "{}: version {} of the format, this program reads {} to {}", name, version,
                kVersionMin, kVersion);
  }
  CollectionInfo info;
  ASSIGN_OR_RETURN(info.created, get_name(root, "created", name));
  ASSIGN_OR_RETURN(info.documents, root.get_unsigned("documents"));
  ASSIGN_OR_RETURN(info.metric, get_choice<Metric>(root, "metric", name));
  RETURN_IF_ERROR(version == 1 ? read_recipe_of_version_1(root, name, info) : read_recipe(root, name, info));
  ASSIGN_OR_RETURN(const JsonValue truncation, root.get_object("truncation"));
  ASSIGN_OR_RETURN(info.truncation.texts, truncation.get_unsigned("texts"));
  ASSIGN_OR_RETURN(info.truncation.texts_truncated, truncation.get_unsigned("texts_truncated"));
  ASSIGN_OR_RETURN(info.truncation.tokens_dropped, truncation.get_unsigned("tokens_dropped"));
  return info;
}

}  // namespace tandem
