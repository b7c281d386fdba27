// What a tokenizer is made of, as plain, checked structs: read from tokenizer.json, or put together from the older
// files that a model folder may have instead.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "formats/charsmap.h"

namespace tandem {

/// A token that is found in the text before the model sees it.
struct AddedToken {
  std::string content;
  bool single_word = false;  ///< Only where no word character touches it.
  bool lstrip = false;       ///< Takes the white space before it.
  bool rstrip = false;       ///< Takes the white space after it.
  bool normalized = false;   ///< Its normalised content is looked for in the normalised text.
  bool special = false;
  /// As tokenizer.json numbers it. The tokenizer counts for itself; it decides in which order classes of transformers
  /// add the tokens.
  std::uint64_t id = 0;
  bool operator==(const AddedToken&) const = default;
};

/// Looks for these bytes, of which there is at least one.
struct LiteralPattern {
  std::string text;
  bool operator==(const LiteralPattern&) const = default;
};

/// Looks for runs, as long as they go, of one code point or of any white space (\s of Oniguruma).
struct RunPattern {
  std::optional<char32_t> code_point;  ///< Nothing: white space.
  std::uint64_t length_min = 1;        ///< At least 1.
  bool operator==(const RunPattern&) const = default;
};

using TextPattern = std::variant<LiteralPattern, RunPattern>;

// ---- Normalisers: each changes the text that the one before it made. ----

/// Cleans, spaces out Chinese characters, strips accents and lower-cases, each if asked.
struct BertNormalizerSpec {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;  ///< A null in the file is resolved to `lowercase`.
  bool lowercase = true;
  bool operator==(const BertNormalizerSpec&) const = default;
};

/// One of the normalisation forms of UAX #15.
struct UnicodeFormSpec {
  bool compatibility = false;  ///< NFKC, NFKD.
  bool compose = false;        ///< NFC, NFKC.
  bool operator==(const UnicodeFormSpec&) const = default;
};

struct LowercaseSpec {
  bool operator==(const LowercaseSpec&) const = default;
};

/// Removes code points of category M.
struct StripAccentsSpec {
  bool operator==(const StripAccentsSpec&) const = default;
};

/// Removes white space at the ends.
struct StripSpec {
  bool left = true;
  bool right = true;
  bool operator==(const StripSpec&) const = default;
};

/// Puts a text in front, if there is anything to put it in front of.
struct PrependSpec {
  std::string text;
  bool operator==(const PrependSpec&) const = default;
};

/// Removes control characters, and makes spaces of some others, as SentencePiece's nmt rules do.
struct NmtSpec {
  bool operator==(const NmtSpec&) const = default;
};

struct ReplaceSpec {
  TextPattern pattern;
  std::string content;
  bool operator==(const ReplaceSpec&) const = default;
};

/// SentencePiece's own table.
struct PrecompiledSpec {
  std::shared_ptr<const Charsmap> charsmap;
  bool operator==(const PrecompiledSpec&) const = default;
};

/// Spells every byte as a printable character: see ByteLevelSpec.
struct ByteLevelNormalizerSpec {
  bool operator==(const ByteLevelNormalizerSpec&) const = default;
};

using NormalizerStep = std::variant<BertNormalizerSpec, UnicodeFormSpec, LowercaseSpec, StripAccentsSpec, StripSpec,
                                    PrependSpec, NmtSpec, ReplaceSpec, PrecompiledSpec, ByteLevelNormalizerSpec>;

/// Applied in this order; none: the text stays as it is.
using NormalizerSpec = std::vector<NormalizerStep>;

// ---- Pre-tokenizers: each splits the words that the one before it made. ----

/// What becomes of the matches at which a text is split.
enum class SplitBehavior {
  kRemoved,
  kIsolated,            ///< A match is a word of its own.
  kMergedWithPrevious,  ///< It belongs to the word before it.
  kMergedWithNext,
  kContiguous,  ///< Matches that touch are one word.
};

/// Splits at white space and around each punctuation character.
struct BertPreTokenizerSpec {
  bool operator==(const BertPreTokenizerSpec&) const = default;
};

/// Splits as GPT-2 does, and spells every byte as a printable character, for models whose vocabulary is made of such.
struct ByteLevelSpec {
  bool add_prefix_space = true;
  bool use_regex = true;  ///< False: does not split.
  bool operator==(const ByteLevelSpec&) const = default;
};

/// Spells spaces as `replacement`, and splits in front of each.
struct MetaspaceSpec {
  enum class Prepend { kAlways, kFirst, kNever };  ///< Whether words get a replacement in front; kFirst: at the start.
  std::string replacement;                         ///< One code point.
  Prepend prepend = Prepend::kAlways;
  bool split = true;
  bool operator==(const MetaspaceSpec&) const = default;
};

/// Words are runs of \w, and runs of what is neither \w nor white space.
struct WhitespaceSpec {
  bool operator==(const WhitespaceSpec&) const = default;
};

struct WhitespaceSplitSpec {
  bool operator==(const WhitespaceSplitSpec&) const = default;
};

struct PunctuationSpec {
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool operator==(const PunctuationSpec&) const = default;
};

struct DigitsSpec {
  bool individual = false;  ///< Each digit is a word; otherwise each run of them.
  bool operator==(const DigitsSpec&) const = default;
};

/// The regular expressions of published byte-level models. They match everything, so every match is a word.
enum class WordRegex { kGpt2, kLlama3, kQwen2 };

struct SplitSpec {
  std::variant<LiteralPattern, RunPattern, WordRegex> pattern;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;  ///< What lies between the matches counts as the matches.
  bool operator==(const SplitSpec&) const = default;
};

using PreTokenizerStep = std::variant<BertPreTokenizerSpec, ByteLevelSpec, MetaspaceSpec, WhitespaceSpec,
                                      WhitespaceSplitSpec, PunctuationSpec, DigitsSpec, SplitSpec>;

/// Applied in this order; none: a text is one word.
using PreTokenizerSpec = std::vector<PreTokenizerStep>;

// ---- Models: each turns a word into tokens. ----

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

/// Two tokens that become one. All three are in the vocabulary.
struct BpeMerge {
  std::int32_t left = 0;
  std::int32_t right = 0;
  std::int32_t result = 0;
};

/// Byte-pair encoding. Spellings and ids are unique, `unk_token` is one of the spellings.
struct BpeSpec {
  std::vector<VocabularyEntry> vocabulary;
  std::vector<BpeMerge> merges;          ///< The first one that applies is made first; of equal pairs the last counts.
  std::optional<std::string> unk_token;  ///< Nothing: what is unknown is left out.
  std::string continuing_subword_prefix;
  std::string end_of_word_suffix;
  bool fuse_unk = false;  ///< Neighbouring unknown characters are one token.
  /// An unknown character becomes tokens such as <0x0A>, if all its bytes have one. Never with a prefix or suffix.
  bool byte_fallback = false;
  bool ignore_merges = false;  ///< A word that is in the vocabulary is a token, whatever the merges make of it.
};

struct UnigramPiece {
  std::string spelling;
  double score = 0;  ///< Logarithm of its probability, finite.
};

/// The most probable split of a word. Ids are places in `pieces`; of equal spellings the last counts.
struct UnigramSpec {
  std::vector<UnigramPiece> pieces;
  std::int32_t unk_id = 0;  ///< One of them.
  bool byte_fallback = false;
};

using ModelSpec = std::variant<WordPieceSpec, BpeSpec, UnigramSpec>;

// ---- Post-processors. ----

/// A place in a template: one of the texts, or tokens that are added around them.
struct TemplatePiece {
  enum class Kind { kFirstText, kSecondText, kSpecialTokens };
  Kind kind = Kind::kSpecialTokens;
  std::vector<std::int32_t> ids;  ///< Of special tokens.
  std::int32_t type_id = 0;       ///< Of every token here.
  bool operator==(const TemplatePiece&) const = default;
};

/// What surrounds one text, and two. `single` holds the first text once, `pair` both once. BertProcessing and
/// RobertaProcessing are such templates, and so is having no post-processor.
struct TemplateSpec {
  std::vector<TemplatePiece> single;
  std::vector<TemplatePiece> pair;
  bool operator==(const TemplateSpec&) const = default;
};

/// [CLS] first [SEP], and [CLS] first [SEP] second [SEP] with type 1 from the second text on.
TemplateSpec bert_template(std::int32_t cls_id, std::int32_t sep_id);

/// <s> first </s>, and <s> first </s> </s> second </s>; every type is 0.
TemplateSpec roberta_template(std::int32_t cls_id, std::int32_t sep_id);

/// Takes the white space that tokens begin or end with out of their offsets.
struct OffsetTrimSpec {
  bool add_prefix_space = true;  ///< One space at the start of a text was added, so it is not there to be taken out.
  bool operator==(const OffsetTrimSpec&) const = default;
};

struct PostProcessorSpec {
  std::vector<OffsetTrimSpec> trims;  ///< Applied in this order, before the template.
  TemplateSpec layout;
  bool operator==(const PostProcessorSpec&) const = default;
};

struct TokenizerSpec {
  std::vector<AddedToken> added_tokens;  ///< In the order of the file, which decides the ids of new ones.
  NormalizerSpec normalizer;
  PreTokenizerSpec pre_tokenizer;
  ModelSpec model;
  PostProcessorSpec post_processor;
  bool truncates_left = false;            ///< Texts that are too long lose their beginning.
  bool splits_special_tokens = false;     ///< A text that spells a special token is split like any other.
  std::vector<std::string> named_tokens;  ///< Those that the folder gives a role or a name: all_special_ids.
  std::string settings;  ///< In words, what the folder's other files change or add; empty where they do nothing.
};

}  // namespace tandem
