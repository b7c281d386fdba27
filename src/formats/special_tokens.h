// The tokens that transformers adds to a tokenizer that it makes of older files: what tokenizer_config.json,
// special_tokens_map.json and added_tokens.json say, over what the model's family has.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tandem/result.h"

namespace tandem {

/// The tokens with a role. An empty name: the family has no token for it.
struct SpecialTokenNames {
  std::string bos;
  std::string eos;
  std::string unk;
  std::string sep;
  std::string pad;
  std::string cls;
  std::string mask;
};

struct SpecialTokens {
  SpecialTokenNames names;
  std::vector<AddedToken> added;  ///< In the order in which they get ids.
};

/// The options of tokenizer_config.json that older files need.
struct SlowTokenizerOptions {
  std::optional<std::string> tokenizer_class;
  bool do_lower_case = true;
  std::optional<bool> strip_accents;
  bool tokenize_chinese_chars = true;
  bool add_prefix_space = false;
  bool trim_offsets = true;
};

/// `options` comes with the family's values, which stay where the file says nothing.
Status read_tokenizer_options(const std::filesystem::path& folder, SlowTokenizerOptions& options);

/// `family` names the tokens where no file does. `mask_takes_space`: the family's own mask token takes the white space
/// before it.
Result<SpecialTokens> read_special_tokens(const std::filesystem::path& folder, const SpecialTokenNames& family,
                                          bool mask_takes_space);

}  // namespace tandem
