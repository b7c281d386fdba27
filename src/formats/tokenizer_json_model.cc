#include "formats/tokenizer_json_model.h"

#include <utility>

#include "base/error.h"
#include "formats/tokenizer_checks.h"

namespace tandem {
namespace {

Result<ModelSpec> read_word_piece(JsonValue part, std::string_view name) {
  WordPieceSpec spec;
  ASSIGN_OR_RETURN(spec.unk_token, part.get_string("unk_token"));
  RETURN_IF_ERROR(check_affix(spec.unk_token, "unk_token", name));
  ASSIGN_OR_RETURN(spec.continuing_subword_prefix, part.get_string("continuing_subword_prefix"));
  ASSIGN_OR_RETURN(spec.max_input_chars_per_word, part.get_unsigned("max_input_chars_per_word"));
  ASSIGN_OR_RETURN(const JsonValue vocabulary, part.get_object("vocab"));
  ASSIGN_OR_RETURN(spec.vocabulary, read_vocabulary(vocabulary, name));
  ASSIGN_OR_RETURN(const TokenIds ids, check_vocabulary(spec.vocabulary, name));
  RETURN_IF_ERROR(check_has_token(ids, spec.unk_token, "unk_token", name));
  return spec;
}

/// A merge is "left right", or, in newer files, ["left", "right"].
Result<std::pair<std::string_view, std::string_view>> read_merge(JsonValue element, std::string_view name) {
  if (!element.is_array()) {
    ASSIGN_OR_RETURN(const auto text, element.as_string("merge"));
    return split_merge(text, name);
  }
  ASSIGN_OR_RETURN(const auto parts, element.as_array("merge"));
  if (parts.size() != 2) {
    return fail(ErrorCode::kCorruptData, "{}: model: a merge has {} parts, want 2", name, parts.size());
  }
  ASSIGN_OR_RETURN(const auto left, parts[0].as_string("merge"));
  ASSIGN_OR_RETURN(const auto right, parts[1].as_string("merge"));
  return std::pair(left, right);
}

Result<ModelSpec> read_bpe(JsonValue part, std::string_view name) {
  ASSIGN_OR_RETURN(const auto dropout, part.find_double("dropout"));
  if (dropout.value_or(0) != 0) {
    return fail(ErrorCode::kUnsupported, "{}: model: dropout is {}, and only 0 is supported", name, *dropout);
  }
  BpeSpec spec;
  ASSIGN_OR_RETURN(const auto unk_token, part.find_string("unk_token"));
  if (unk_token) spec.unk_token = *unk_token;
  RETURN_IF_ERROR(check_affix(unk_token.value_or(""), "unk_token", name));
  ASSIGN_OR_RETURN(const auto prefix, part.find_string("continuing_subword_prefix"));
  spec.continuing_subword_prefix = prefix.value_or("");
  RETURN_IF_ERROR(check_affix(spec.continuing_subword_prefix, "continuing_subword_prefix", name));
  ASSIGN_OR_RETURN(const auto suffix, part.find_string("end_of_word_suffix"));
  spec.end_of_word_suffix = suffix.value_or("");
  RETURN_IF_ERROR(check_affix(spec.end_of_word_suffix, "end_of_word_suffix", name));
  const auto flag = [&](std::string_view key) -> Result<bool> {
    ASSIGN_OR_RETURN(const auto value, part.find_bool(key));
    return value.value_or(false);
  };
  ASSIGN_OR_RETURN(spec.fuse_unk, flag("fuse_unk"));
  ASSIGN_OR_RETURN(spec.byte_fallback, flag("byte_fallback"));
  ASSIGN_OR_RETURN(spec.ignore_merges, flag("ignore_merges"));

  if (spec.byte_fallback && !(spec.continuing_subword_prefix.empty() && spec.end_of_word_suffix.empty())) {
    return fail(ErrorCode::kUnsupported,
                "{}: model: byte_fallback together with continuing_subword_prefix or "
                "end_of_word_suffix is not supported",
                name);
  }

  ASSIGN_OR_RETURN(const JsonValue vocabulary, part.get_object("vocab"));
  ASSIGN_OR_RETURN(spec.vocabulary, read_vocabulary(vocabulary, name));
  ASSIGN_OR_RETURN(const TokenIds ids, check_vocabulary(spec.vocabulary, name));
  if (spec.unk_token) RETURN_IF_ERROR(check_has_token(ids, *spec.unk_token, "unk_token", name));
  ASSIGN_OR_RETURN(const JsonValue merges, part.get("merges"));
  RETURN_IF_ERROR(merges.for_each_element([&](JsonValue element) -> Status {
    // Files of the first versions keep the comment line of merges.txt.
    if (element.is_string() && element.as_string()->starts_with("#version")) return {};
    ASSIGN_OR_RETURN(const auto parts, read_merge(element, name));
    ASSIGN_OR_RETURN(spec.merges.emplace_back(),
                     find_merge(ids, parts.first, parts.second, spec.continuing_subword_prefix, name));
    return {};
  }));
  return spec;
}

Result<ModelSpec> read_unigram(JsonValue part, std::string_view name) {
  UnigramSpec spec;
  ASSIGN_OR_RETURN(const auto unk_id, part.find_unsigned("unk_id"));
  if (!unk_id) {
    return fail(ErrorCode::kUnsupported, "{}: model: unk_id is null: unknown characters could not be encoded", name);
  }
  if (*unk_id >= kTokenIdsMax) {
    return fail(ErrorCode::kCorruptData, "{}: model: unk_id is {}, want below {}", name, *unk_id, kTokenIdsMax);
  }
  spec.unk_id = static_cast<std::int32_t>(*unk_id);
  ASSIGN_OR_RETURN(const auto byte_fallback, part.find_bool("byte_fallback"));
  spec.byte_fallback = byte_fallback.value_or(false);
  ASSIGN_OR_RETURN(const JsonValue vocabulary, part.get("vocab"));
  RETURN_IF_ERROR(vocabulary.for_each_element([&](JsonValue element) -> Status {
    UnigramPiece& piece = spec.pieces.emplace_back();
    std::size_t index = 0;
    RETURN_IF_ERROR(element.for_each_element([&](JsonValue value) -> Status {
      if (index == 0) {
        ASSIGN_OR_RETURN(piece.spelling, value.as_string("piece"));
      } else if (index == 1) {
        ASSIGN_OR_RETURN(piece.score, value.as_double("score"));
      }
      ++index;
      return {};
    }));
    if (index == 2) return {};
    return fail(ErrorCode::kCorruptData, "{}: model: piece {} has {} elements, want a spelling and a score", name,
                spec.pieces.size() - 1, index);
  }));
  RETURN_IF_ERROR(check_unigram(spec, name));
  return spec;
}

}  // namespace

Result<ModelSpec> read_tokenizer_model(JsonValue part, std::string_view name) {
  ASSIGN_OR_RETURN(auto type, part.find_string("type"));
  if (!type) {
    // Files written before the type was recorded are told apart by their keys.
    const auto vocabulary = part.find("vocab");
    if (part.find("merges")) {
      type = "BPE";
    } else if (part.find("max_input_chars_per_word")) {
      type = "WordPiece";
    } else if (vocabulary && vocabulary->is_array()) {
      type = "Unigram";
    }
  }
  if (type == "WordPiece") return read_word_piece(part, name);
  if (type == "BPE") return read_bpe(part, name);
  if (type == "Unigram") return read_unigram(part, name);
  return fail(ErrorCode::kUnsupported, "{}: model: type '{}' is not supported", name, type.value_or("(none)"));
}

Result<std::int32_t> read_token_id(JsonValue value, std::string_view what, std::string_view name) {
  ASSIGN_OR_RETURN(const std::uint64_t id, value.as_unsigned(what));
  if (id >= kTokenIdsMax) {
    return fail(ErrorCode::kCorruptData, "{}: {} has id {}, want below {}", name, what, id, kTokenIdsMax);
  }
  return static_cast<std::int32_t>(id);
}

Result<std::vector<VocabularyEntry>> read_vocabulary(JsonValue object, std::string_view name) {
  std::vector<VocabularyEntry> vocabulary;
  RETURN_IF_ERROR(object.for_each_member([&](std::string_view spelling, JsonValue value) -> Status {
    RETURN_IF_ERROR(check_spelling(spelling, name));
    ASSIGN_OR_RETURN(const std::int32_t id, read_token_id(value, spelling, name));
    vocabulary.push_back({std::string(spelling), id});
    return {};
  }));
  return vocabulary;
}

}  // namespace tandem
