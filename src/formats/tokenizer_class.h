// Which class of transformers reads a folder's tokenizer, and what tokenizer_config.json sets for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tandem/result.h"

namespace tandem {

/// The classes of transformers 5. All but the first take no more than the vocabulary out of tokenizer.json, and make
/// the rest of a tokenizer themselves: transformers/models/*/tokenization_*.py.
enum class TokenizerClass {
  kAsWritten,  ///< TokenizersBackend, formerly PreTrainedTokenizerFast: all is as tokenizer.json says.
  kBert,
  kMpnet,
  kRoberta,
  kXlmRoberta,
  kCamembert,
};

/// What of tokenizer_config.json and config.json changes the tokens of a text, but for the special tokens.
struct TokenizerSettings {
  TokenizerClass tokenizer_class = TokenizerClass::kAsWritten;
  std::string class_name = {};  ///< As declared, else that of the model's family; empty where nothing tells.
  bool do_lower_case = true;
  std::optional<bool> strip_accents = {};
  bool tokenize_chinese_chars = true;
  bool add_prefix_space = false;
  bool trim_offsets = true;
  bool gives_types = true;  ///< False: the model gets no token types, which is the same as all being 0.
  std::optional<bool> truncates_left = {};
  bool splits_special_tokens = false;
};

/// As AutoTokenizer chooses: what tokenizer_config.json declares, else config.json, else the model's family. Where
/// there is neither file, the names of the vocabulary's files tell. Errors: kUnsupported (the class, or a key that
/// changes tokens and that Tandem does not follow, by its name), kCorruptData.
Result<TokenizerSettings> read_tokenizer_settings(const std::filesystem::path& folder);

}  // namespace tandem
