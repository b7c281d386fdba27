#include "formats/tokenizer_json.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "base/error.h"
#include "base/json.h"

namespace tandem {
namespace {

constexpr std::uint64_t kFileBytesMax = 64U << 20;
constexpr std::uint64_t kIdsMax = 1U << 22;  // The largest published vocabularies have a million tokens.
constexpr std::uint64_t kTypesMax = 256;
constexpr std::size_t kSpellingBytesMax = 4096;

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
    ASSIGN_OR_RETURN(spec.model, model(model_part));
    if (const auto part = present(root, "normalizer")) {
      ASSIGN_OR_RETURN(spec.normalizer, normalizer(*part));
    }
    if (const auto part = present(root, "pre_tokenizer")) {
      ASSIGN_OR_RETURN(spec.pre_tokenizer, pre_tokenizer(*part));
    }
    if (const auto part = present(root, "post_processor")) {
      ASSIGN_OR_RETURN(spec.post_processor, post_processor(*part));
    } else {
      spec.post_processor = {
          .single = {text_piece(TemplatePiece::Kind::kFirstText, 0)},
          .pair = {text_piece(TemplatePiece::Kind::kFirstText, 0), text_piece(TemplatePiece::Kind::kSecondText, 1)}};
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

  tl::unexpected<Error> unsupported_type(std::string_view part, std::string_view type) const {
    return fail(ErrorCode::kUnsupported, "{}: {}: type '{}' is not supported", name_, part, type);
  }

  /// An id of a token, checked to be small enough for a table indexed by it.
  Result<std::int32_t> token_id(JsonValue value, std::string_view what) const {
    ASSIGN_OR_RETURN(const std::uint64_t id, value.as_unsigned(what));
    if (id >= kIdsMax) {
      return fail(ErrorCode::kCorruptData, "{}: {} has id {}, want below {}", name_, what, id, kIdsMax);
    }
    return static_cast<std::int32_t>(id);
  }

  Status check_spelling(std::string_view spelling) const {
    if (spelling.size() <= kSpellingBytesMax) return {};
    return fail(ErrorCode::kCorruptData, "{}: token '{}…' has {} bytes, want at most {}", name_, spelling.substr(0, 32),
                spelling.size(), kSpellingBytesMax);
  }

  Result<AddedToken> added_token(JsonValue value) const {
    AddedToken token;
    ASSIGN_OR_RETURN(token.content, value.get_string("content"));
    RETURN_IF_ERROR(check_spelling(token.content));
    ASSIGN_OR_RETURN(token.single_word, value.get_bool("single_word"));
    ASSIGN_OR_RETURN(token.lstrip, value.get_bool("lstrip"));
    ASSIGN_OR_RETURN(token.rstrip, value.get_bool("rstrip"));
    ASSIGN_OR_RETURN(token.normalized, value.get_bool("normalized"));
    ASSIGN_OR_RETURN(token.special, value.get_bool("special"));
    return token;
  }

  Result<NormalizerSpec> normalizer(JsonValue part) const {
    ASSIGN_OR_RETURN(const auto type, part.get_string("type"));
    if (type != "BertNormalizer") return unsupported_type("normalizer", type);
    BertNormalizerSpec spec;
    ASSIGN_OR_RETURN(spec.clean_text, part.get_bool("clean_text"));
    ASSIGN_OR_RETURN(spec.handle_chinese_chars, part.get_bool("handle_chinese_chars"));
    ASSIGN_OR_RETURN(spec.lowercase, part.get_bool("lowercase"));
    ASSIGN_OR_RETURN(const auto strip_accents, part.find_bool("strip_accents"));
    spec.strip_accents = strip_accents.value_or(spec.lowercase);
    return spec;
  }

  Result<PreTokenizerSpec> pre_tokenizer(JsonValue part) const {
    ASSIGN_OR_RETURN(const auto type, part.get_string("type"));
    if (type != "BertPreTokenizer") return unsupported_type("pre_tokenizer", type);
    return BertPreTokenizerSpec{};
  }

  Result<ModelSpec> model(JsonValue part) const {
    // Files written before the type was recorded are told apart by their keys: only WordPiece has this one.
    ASSIGN_OR_RETURN(const auto type, part.find_string("type"));
    if (type ? *type != "WordPiece" : !part.find("max_input_chars_per_word")) {
      return unsupported_type("model", type.value_or("(none)"));
    }
    WordPieceSpec spec;
    ASSIGN_OR_RETURN(spec.unk_token, part.get_string("unk_token"));
    ASSIGN_OR_RETURN(spec.continuing_subword_prefix, part.get_string("continuing_subword_prefix"));
    ASSIGN_OR_RETURN(spec.max_input_chars_per_word, part.get_unsigned("max_input_chars_per_word"));
    ASSIGN_OR_RETURN(const JsonValue vocabulary, part.get_object("vocab"));
    RETURN_IF_ERROR(vocabulary.for_each_member([&](std::string_view spelling, JsonValue value) -> Status {
      RETURN_IF_ERROR(check_spelling(spelling));
      ASSIGN_OR_RETURN(const std::int32_t id, token_id(value, spelling));
      spec.vocabulary.push_back({std::string(spelling), id});
      return {};
    }));
    RETURN_IF_ERROR(check_vocabulary(spec.vocabulary, spec.unk_token));
    return spec;
  }

  Status check_vocabulary(const std::vector<VocabularyEntry>& vocabulary, std::string_view unk_token) const {
    std::unordered_set<std::string_view> spellings;
    spellings.reserve(vocabulary.size());
    std::vector<const VocabularyEntry*> by_id;
    for (const VocabularyEntry& entry : vocabulary) {
      if (!spellings.insert(entry.spelling).second) {
        return fail(ErrorCode::kCorruptData, "{}: model: token '{}' is in the vocabulary twice", name_, entry.spelling);
      }
      const auto id = static_cast<std::size_t>(entry.id);
      if (id >= by_id.size()) by_id.resize(std::max(id + 1, vocabulary.size()));
      if (by_id[id] != nullptr) {
        return fail(ErrorCode::kCorruptData, "{}: model: tokens '{}' and '{}' both have id {}", name_,
                    by_id[id]->spelling, entry.spelling, id);
      }
      by_id[id] = &entry;
    }
    if (unk_token.empty() || !spellings.contains(unk_token)) {
      return fail(ErrorCode::kCorruptData, "{}: model: unk_token '{}' is not in the vocabulary", name_, unk_token);
    }
    return {};
  }

  Result<TemplateSpec> post_processor(JsonValue part) const {
    ASSIGN_OR_RETURN(const auto type, part.get_string("type"));
    if (type == "BertProcessing") return bert_processing(part);
    if (type == "TemplateProcessing") return template_processing(part);
    return unsupported_type("post_processor", type);
  }

  /// [CLS] first [SEP], and [CLS] first [SEP] second [SEP] with type 1 from the second text on.
  Result<TemplateSpec> bert_processing(JsonValue part) const {
    const auto id_of = [&](std::string_view key) -> Result<std::int32_t> {
      ASSIGN_OR_RETURN(const auto pair, part.get_array(key));
      if (pair.size() != 2) {
        return fail(ErrorCode::kCorruptData, "{}: post_processor: {} has {} elements, want a token and its id", name_,
                    key, pair.size());
      }
      return token_id(pair[1], key);
    };
    ASSIGN_OR_RETURN(const std::int32_t cls, id_of("cls"));
    ASSIGN_OR_RETURN(const std::int32_t sep, id_of("sep"));
    using Kind = TemplatePiece::Kind;
    TemplateSpec spec;
    spec.single = {{Kind::kSpecialTokens, {cls}, 0}, text_piece(Kind::kFirstText, 0), {Kind::kSpecialTokens, {sep}, 0}};
    spec.pair = spec.single;
    spec.pair.push_back(text_piece(Kind::kSecondText, 1));
    spec.pair.push_back({Kind::kSpecialTokens, {sep}, 1});
    return spec;
  }

  Result<TemplateSpec> template_processing(JsonValue part) const {
    ASSIGN_OR_RETURN(const JsonValue special_tokens, part.get_object("special_tokens"));
    TemplateSpec spec;
    ASSIGN_OR_RETURN(spec.single, template_pieces(part, "single", special_tokens, false));
    ASSIGN_OR_RETURN(spec.pair, template_pieces(part, "pair", special_tokens, true));
    return spec;
  }

  Result<std::vector<TemplatePiece>> template_pieces(JsonValue part, std::string_view key, JsonValue special_tokens,
                                                     bool is_pair) const {
    std::vector<TemplatePiece> pieces;
    ASSIGN_OR_RETURN(const auto elements, part.get_array(key));
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
        TemplatePiece& piece = pieces.emplace_back();
        ASSIGN_OR_RETURN(piece.type_id, type_id(token));
        ASSIGN_OR_RETURN(const JsonValue definition, special_tokens.get_object(id));
        ASSIGN_OR_RETURN(const auto ids, definition.get_array("ids"));
        for (const JsonValue value : ids) {
          ASSIGN_OR_RETURN(piece.ids.emplace_back(), token_id(value, id));
        }
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

  static TemplatePiece text_piece(TemplatePiece::Kind kind, std::int32_t type_id) { return {kind, {}, type_id}; }

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
  ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::read_file(path, kFileBytesMax));
  return Parser(path.string()).tokenizer(document.root());
}

Result<TokenizerSpec> parse_tokenizer_json(std::string_view text, std::string_view name) {
  ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::parse(text, name));
  return Parser(name).tokenizer(document.root());
}

}  // namespace tandem
