// Reads tokenizer.json of the Hugging Face `tokenizers` library into plain, checked structs. A part that Tandem does
// not run is refused by name. The sections `padding` and `truncation` are not read: batches are ragged, and the caller
// says how long a text may be. `decoder` is not read either: Tandem never decodes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "tandem/result.h"

namespace tandem {

/// A token that is found in the text before the model sees it.
struct AddedToken {
  std::string content;
  bool single_word = false;  ///< Only where no word character touches it.
  bool lstrip = false;       ///< Takes the white space before it.
  bool rstrip = false;       ///< Takes the white space after it.
  bool normalized = false;   ///< Its normalised content is looked for in the normalised text.
  bool special = false;
};

/// Cleans, spaces out Chinese characters, strips accents and lower-cases, each if asked.
struct BertNormalizerSpec {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;  ///< A null in the file is resolved to `lowercase`.
  bool lowercase = true;
};

/// std::monostate: the text stays as it is.
using NormalizerSpec = std::variant<std::monostate, BertNormalizerSpec>;

/// Splits at white space and around each punctuation character.
struct BertPreTokenizerSpec {};

/// std::monostate: a text is one word.
using PreTokenizerSpec = std::variant<std::monostate, BertPreTokenizerSpec>;

struct VocabularyEntry {
  std::string spelling;
  std::int32_t id = 0;
};

/// Greedy longest-match pieces. Spellings and ids are unique, `unk_token` is one of the spellings.
struct WordPieceSpec {
  std::vector<VocabularyEntry> vocabulary;
  std::string unk_token;
  std::string continuing_subword_prefix;
  std::uint64_t max_input_chars_per_word = 0;  ///< A longer word is `unk_token`.
};

using ModelSpec = std::variant<WordPieceSpec>;

/// A place in a template: one of the texts, or tokens that are added around them.
struct TemplatePiece {
  enum class Kind { kFirstText, kSecondText, kSpecialTokens };
  Kind kind = Kind::kSpecialTokens;
  std::vector<std::int32_t> ids;  ///< Of special tokens.
  std::int32_t type_id = 0;       ///< Of every token here.
};

/// What surrounds one text, and two. `single` holds the first text once, `pair` both once.
/// BertProcessing is such a template, and so is having no post-processor.
struct TemplateSpec {
  std::vector<TemplatePiece> single;
  std::vector<TemplatePiece> pair;
};

struct TokenizerSpec {
  std::vector<AddedToken> added_tokens;  ///< In the order of the file, which decides the ids of new ones.
  NormalizerSpec normalizer;
  PreTokenizerSpec pre_tokenizer;
  ModelSpec model;
  TemplateSpec post_processor;
};

/// Errors: kNotFound, kCorruptData (file, part, expected, got), kUnsupported (the part by its type).
Result<TokenizerSpec> read_tokenizer_json(const std::filesystem::path& path);

/// The same from memory; `name` stands in front of every error.
Result<TokenizerSpec> parse_tokenizer_json(std::string_view text, std::string_view name);

}  // namespace tandem
