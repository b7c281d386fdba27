// Text to token ids, exactly as the Hugging Face `tokenizers` library does it for the same folder.
//
//   auto tokenizer = tandem::Tokenizer::open("models/all-MiniLM-L6-v2");
//   tandem::Encoding encoding = tokenizer->encode("Meaning, not keywords.");
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/export.h"
#include "tandem/result.h"

namespace tandem {

/// How a pair of texts that is too long is shortened. Single texts are the first text of a pair. Where the one text
/// that may be shortened is not long enough for it, the reference fails, and Tandem goes on as for kLongestFirst.
enum class TruncationStrategy { kLongestFirst, kOnlyFirst, kOnlySecond };

/// The end of a text from which tokens are removed.
enum class TruncationSide { kRight, kLeft };

/// The unit of Encoding::offsets.
enum class OffsetUnit {
  kNone,        ///< Offsets are not computed: the fastest.
  kBytes,       ///< Bytes of the UTF-8 text, as given.
  kCodePoints,  ///< Unicode code points, as Python counts characters.
};

struct EncodeOptions {
  /// Longest result, special tokens included; 0: unlimited. Special tokens that the template adds are never removed.
  std::size_t tokens_max = 0;
  TruncationStrategy truncation = TruncationStrategy::kLongestFirst;
  TruncationSide truncation_side = TruncationSide::kRight;
  bool add_special_tokens = true;
  /// True: a text that spells a special token ("[SEP]") is split like any other text instead of
  /// becoming that token. The reference calls it split_special_tokens, false by default.
  bool split_special_tokens = false;
  OffsetUnit offsets = OffsetUnit::kNone;
};

struct TokenizerOptions {
  /// Lower-case every text, whatever tokenizer.json says: what do_lower_case of sentence_bert_config.json asks for.
  bool lower_case = false;
};

/// A half-open range of a text, in the unit that was asked for.
struct Offset {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool operator==(const Offset&) const = default;
};

/// The tokens of one text or pair. Vectors have one element per token; `offsets` is empty when not asked for.
struct Encoding {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> type_ids;  ///< 0 for the first text, 1 for the second, as the model's template says.
  std::vector<Offset> offsets;         ///< Special tokens that the template adds have (0, 0).
  std::size_t tokens_dropped = 0;      ///< Tokens that truncation removed; one for the rest of a text that was cut.
};

/// What a tokenizer's template makes of one text, or of a pair.
struct SequenceLayout {
  std::size_t special_tokens = 0;  ///< How many it adds.
  std::size_t token_types = 1;     ///< One more than the largest type id that it gives.
};

/// A tokenizer read from a model folder. Immutable: every method may be called from many threads at once.
///
/// Invalid UTF-8 in a text is read as the Unicode standard recommends (chapter 3.9, U+FFFD substitution of maximal
/// subparts), which is also what Python's bytes.decode("utf-8", "replace") yields; byte offsets still point into the
/// bytes given. A text is read up to its first GiB, and as far as its stages make no more than 13 bytes and 4 words of
/// each of its bytes, and read or compare no more than 256: only a tokenizer that was made to explode does, and its
/// texts are cut there.
class TANDEM_EXPORT Tokenizer {
 public:
  /// Reads a model folder's tokenizer as transformers 5 does. The class that tokenizer_config.json declares, else that
  /// of the model's family, takes the vocabulary of `tokenizer.json`, or of vocab.txt, vocab.json with merges.txt, or
  /// sentencepiece.bpe.model, and makes the rest from what tokenizer_config.json, special_tokens_map.json and
  /// added_tokens.json say; a folder that holds `tokenizer.json` alone has what that file says. Errors: kNotFound,
  /// kCorruptData, kUnsupported (names the class, the part or the key).
  static Result<Tokenizer> open(const std::filesystem::path& folder, const TokenizerOptions& options = {});

  Encoding encode(std::string_view text, const EncodeOptions& options = {}) const;
  Encoding encode(std::string_view first, std::string_view second, const EncodeOptions& options = {}) const;

  /// Every encoding of one text, or of a pair, is laid out like this.
  SequenceLayout layout(bool pair) const;

  /// The spelling of a token, e.g. "##ing"; empty for an id that is not in the vocabulary.
  std::string_view token(std::int32_t id) const;
  /// The id of a token's spelling, added tokens included.
  std::optional<std::int32_t> id(std::string_view token) const;
  /// One more than the largest id, added tokens included.
  std::size_t vocabulary_size() const;

  /// What the folder itself asks of every text: from which end it is cut, and whether special tokens in it are split.
  EncodeOptions declared_options() const;
  /// Whether the folder gives the token a role ("sep_token") or a name: the reference's all_special_ids.
  bool is_special(std::int32_t id) const;
  /// In words, what the folder's other files change of tokenizer.json; empty where they do not.
  const std::string& settings() const;

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

 private:
  class Impl;
  explicit Tokenizer(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

/// A tokenizer, and how its model gets texts: special tokens added, cut to the length that it reads.
struct ModelTokenizer {
  Tokenizer tokenizer;
  EncodeOptions options;
};

/// Opens the tokenizer of a model folder as the folder's own configuration sets it up. Errors: those of Tokenizer::open
/// and of reading the configuration.
TANDEM_EXPORT Result<ModelTokenizer> open_model_tokenizer(const std::filesystem::path& folder);

}  // namespace tandem
