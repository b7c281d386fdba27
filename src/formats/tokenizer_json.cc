#include "formats/tokenizer_json.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/string_map.h"
#include "formats/tokenizer_checks.h"
#include "formats/tokenizer_json_model.h"
#include "formats/tokenizer_json_stages.h"

namespace tandem {
namespace {

constexpr std::uint64_t kTypesMax = 256;
constexpr std::size_t kTrimsMax = 16;
// Published templates have four pieces and four special tokens at most. Each text gets all of them anew.
constexpr std::size_t kTemplatePiecesMax = 1024;
constexpr std::size_t kTemplateIdsMax = 1024;

TemplatePiece text_piece(TemplatePiece::Kind kind, std::int32_t type_id) { return {kind, {}, type_id}; }

/// Reads the parts of one document, whose name stands in front of every error.
class Parser {
 public:
  explicit Parser(std::string_view name) : name_(name) {}

  Result<TokenizerSpec> tokenizer(JsonValue root) const {
    ASSIGN_OR_RETURN(const auto version, root.find_string("version"));
    if (version && *version != "1.0") {
      return fail(ErrorCode::kUnsupported, "{}: version '{}' is not supported, want '1.0'", name_, *version);
    }
    TokenizerSpec spec;
    ASSIGN_OR_RETURN(const JsonValue model_part, root.get_object("model"));
    ASSIGN_OR_RETURN(spec.model, read_tokenizer_model(model_part, name_));
    if (const auto part = present(root, "normalizer")) {
      ASSIGN_OR_RETURN(spec.normalizer, read_normalizer(*part, name_));
    }
    if (const auto part = present(root, "pre_tokenizer")) {
      ASSIGN_OR_RETURN(spec.pre_tokenizer, read_pre_tokenizer(*part, name_));
    }
    spec.post_processor.layout = {
        .single = {text_piece(TemplatePiece::Kind::kFirstText, 0)},
        .pair = {text_piece(TemplatePiece::Kind::kFirstText, 0), text_piece(TemplatePiece::Kind::kSecondText, 1)}};
    if (const auto part = present(root, "post_processor")) {
      bool is_surrounded = false;
      RETURN_IF_ERROR(post_processor(*part, spec.post_processor, is_surrounded));
    }
    if (const auto part = present(root, "truncation")) {
      ASSIGN_OR_RETURN(const auto direction, part->find_string("direction"));
      spec.truncates_left = direction == "Left";
    }
    if (const auto part = present(root, "added_tokens")) {
      RETURN_IF_ERROR(part->for_each_element([&](JsonValue element) -> Status {
        ASSIGN_OR_RETURN(spec.added_tokens.emplace_back(), added_token(element));
        return {};
      }));
    }
    return spec;
  }

 private:
  /// The member, unless it is missing or null.
  static std::optional<JsonValue> present(JsonValue object, std::string_view key) {
    const auto value = object.find(key);
    return value && !value->is_null() ? value : std::nullopt;
  }

  Result<AddedToken> added_token(JsonValue value) const {
    AddedToken token;
    ASSIGN_OR_RETURN(token.content, value.get_string("content"));
    RETURN_IF_ERROR(check_spelling(token.content, name_));
    ASSIGN_OR_RETURN(token.single_word, value.get_bool("single_word"));
    ASSIGN_OR_RETURN(token.lstrip, value.get_bool("lstrip"));
    ASSIGN_OR_RETURN(token.rstrip, value.get_bool("rstrip"));
    ASSIGN_OR_RETURN(token.normalized, value.get_bool("normalized"));
    ASSIGN_OR_RETURN(token.special, value.get_bool("special"));
    ASSIGN_OR_RETURN(token.id, value.get_unsigned("id"));
    return token;
  }

  /// A Sequence is flattened: it trims offsets any number of times, and surrounds the texts at most once.
  Status post_processor(JsonValue part, PostProcessorSpec& spec, bool& is_surrounded) const {
    ASSIGN_OR_RETURN(const auto type, part.get_string("type"));
    if (type == "Sequence") {
      ASSIGN_OR_RETURN(const auto steps, part.get_array("processors"));
      for (const JsonValue step : steps) RETURN_IF_ERROR(post_processor(step, spec, is_surrounded));
      return {};
    }
    if (type == "ByteLevel") {
      ASSIGN_OR_RETURN(const bool trims, part.get_bool("trim_offsets"));
      if (!trims) return {};
    }
    if (is_surrounded) {
      return fail(ErrorCode::kUnsupported, "{}: post_processor: '{}' after the texts were surrounded is not supported",
                  name_, type);
    }
    if (type == "ByteLevel" || type == "RobertaProcessing") {
      OffsetTrimSpec trim;
      ASSIGN_OR_RETURN(trim.add_prefix_space, part.get_bool("add_prefix_space"));
      ASSIGN_OR_RETURN(const bool trims, part.get_bool("trim_offsets"));
      if (spec.trims.size() >= kTrimsMax) {
        return fail(ErrorCode::kCorruptData, "{}: post_processor: more than {} steps", name_, kTrimsMax);
      }
      if (trims) spec.trims.push_back(trim);
      if (type == "ByteLevel") return {};
    }
    is_surrounded = true;
    if (type == "RobertaProcessing") {
      ASSIGN_OR_RETURN(spec.layout, roberta_processing(part));
    } else if (type == "BertProcessing") {
      ASSIGN_OR_RETURN(spec.layout, bert_processing(part));
    } else if (type == "TemplateProcessing") {
      ASSIGN_OR_RETURN(spec.layout, template_processing(part));
    } else {
      return fail(ErrorCode::kUnsupported, "{}: post_processor: type '{}' is not supported", name_, type);
    }
    return {};
  }

  /// The ids of `cls` and `sep`, each given as a token and its id.
  Result<std::pair<std::int32_t, std::int32_t>> cls_and_sep(JsonValue part) const {
    const auto id_of = [&](std::string_view key) -> Result<std::int32_t> {
      ASSIGN_OR_RETURN(const auto pair, part.get_array(key));
      if (pair.size() != 2) {
        return fail(ErrorCode::kCorruptData, "{}: post_processor: {} has {} elements, want a token and its id", name_,
                    key, pair.size());
      }
      return read_token_id(pair[1], key, name_);
    };
    ASSIGN_OR_RETURN(const std::int32_t cls, id_of("cls"));
    ASSIGN_OR_RETURN(const std::int32_t sep, id_of("sep"));
    return std::pair(cls, sep);
  }

  Result<TemplateSpec> bert_processing(JsonValue part) const {
    ASSIGN_OR_RETURN(const auto ids, cls_and_sep(part));
    return bert_template(ids.first, ids.second);
  }

  Result<TemplateSpec> roberta_processing(JsonValue part) const {
    ASSIGN_OR_RETURN(const auto ids, cls_and_sep(part));
    return roberta_template(ids.first, ids.second);
  }

  /// What a template may put around texts, by name. A name that stands there twice has its first meaning.
  using SpecialTokenIds = StringMap<std::vector<std::int32_t>>;

  Result<SpecialTokenIds> special_token_ids(JsonValue part) const {
    ASSIGN_OR_RETURN(const JsonValue special_tokens, part.get_object("special_tokens"));
    SpecialTokenIds tokens;
    RETURN_IF_ERROR(special_tokens.for_each_member([&](std::string_view token, JsonValue definition) -> Status {
      ASSIGN_OR_RETURN(const auto values, definition.get_array("ids"));
      std::vector<std::int32_t> ids;
      ids.reserve(values.size());
      for (const JsonValue value : values) {
        ASSIGN_OR_RETURN(ids.emplace_back(), read_token_id(value, token, name_));
      }
      tokens.emplace(token, std::move(ids));
      return {};
    }));
    return tokens;
  }

  Result<TemplateSpec> template_processing(JsonValue part) const {
    ASSIGN_OR_RETURN(const SpecialTokenIds special_tokens, special_token_ids(part));
    TemplateSpec spec;
    ASSIGN_OR_RETURN(spec.single, template_pieces(part, "single", special_tokens, false));
    ASSIGN_OR_RETURN(spec.pair, template_pieces(part, "pair", special_tokens, true));
    return spec;
  }

  Result<std::vector<TemplatePiece>> template_pieces(JsonValue part, std::string_view key,
                                                     const SpecialTokenIds& special_tokens, bool is_pair) const {
    std::vector<TemplatePiece> pieces;
    std::size_t ids = 0;
    ASSIGN_OR_RETURN(const auto elements, part.get_array(key));
    if (elements.size() > kTemplatePiecesMax) {
      return fail(ErrorCode::kUnsupported, "{}: post_processor: template '{}' has {} pieces, want at most {}", name_,
                  key, elements.size(), kTemplatePiecesMax);
    }
    for (const JsonValue element : elements) {
      if (const auto text = element.find("Sequence")) {
        ASSIGN_OR_RETURN(const auto id, text->get_string("id"));
        if (id != "A" && id != "B") {
          return fail(ErrorCode::kCorruptData, "{}: post_processor: {} names text '{}', want 'A' or 'B'", name_, key,
                      id);
        }
        ASSIGN_OR_RETURN(const std::int32_t type, type_id(*text));
        using Kind = TemplatePiece::Kind;
        pieces.push_back(text_piece(id == "A" ? Kind::kFirstText : Kind::kSecondText, type));
      } else {
        ASSIGN_OR_RETURN(const JsonValue token, element.get_object("SpecialToken"));
        ASSIGN_OR_RETURN(const auto id, token.get_string("id"));
        ASSIGN_OR_RETURN(const std::int32_t type, type_id(token));
        const auto known = special_tokens.find(id);
        if (known == special_tokens.end()) {
          return fail(ErrorCode::kCorruptData, "{}: post_processor: special_tokens: {} is missing", name_, id);
        }
        ids += known->second.size();
        if (ids > kTemplateIdsMax) {
          return fail(ErrorCode::kUnsupported, "{}: post_processor: template '{}' adds {} ids or more, want at most {}",
                      name_, key, ids, kTemplateIdsMax);
        }
        pieces.push_back({TemplatePiece::Kind::kSpecialTokens, known->second, type});
      }
    }
    const auto count = [&](TemplatePiece::Kind kind) {
      return std::count_if(pieces.begin(), pieces.end(), [&](const auto& piece) { return piece.kind == kind; });
    };
    if (count(TemplatePiece::Kind::kFirstText) != 1 || count(TemplatePiece::Kind::kSecondText) != (is_pair ? 1 : 0)) {
      return fail(ErrorCode::kUnsupported, "{}: post_processor: template '{}' must use {} once", name_, key,
                  is_pair ? "text A and text B" : "text A, and not text B,");
    }
    return pieces;
  }

  Result<std::int32_t> type_id(JsonValue piece) const {
    ASSIGN_OR_RETURN(const std::uint64_t type, piece.get_unsigned("type_id"));
    if (type >= kTypesMax) {
      return fail(ErrorCode::kCorruptData, "{}: post_processor: type_id {}, want below {}", name_, type, kTypesMax);
    }
    return static_cast<std::int32_t>(type);
  }

  std::string name_;
};

}  // namespace

Result<TokenizerSpec> read_tokenizer_json(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::read_file(path, kTokenizerFileBytesMax));
  return Parser(path.string()).tokenizer(document.root());
}

Result<TokenizerSpec> parse_tokenizer_json(std::string_view text, std::string_view name) {
  ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::parse(text, name));
  return Parser(name).tokenizer(document.root());
}

}  // namespace tandem
