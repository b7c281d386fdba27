// The tokens that transformers adds to a tokenizer: what tokenizer_config.json, special_tokens_map.json,
// added_tokens.json and tokenizer.json say, over what the tokenizer's class has.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tandem/result.h"

namespace tandem {

/// The tokens with a role. An empty name: there is no token for it.
struct SpecialTokenNames {
  std::string bos;
  std::string eos;
  std::string unk;
  std::string sep;
  std::string pad;
  std::string cls;
  std::string mask;
};

/// What a class has where no file says otherwise.
struct SpecialTokenDefaults {
  SpecialTokenNames names = {};
  bool mask_takes_space = false;        ///< A mask token that is named alone takes the white space before it.
  std::vector<AddedToken> others = {};  ///< Without a role.
  bool keeps_others = false;            ///< What special_tokens_map.json has in their place does not count.
};

struct SpecialTokens {
  SpecialTokenNames names;
  std::vector<AddedToken> added;   ///< In the order in which they get ids.
  std::vector<std::string> named;  ///< All of `added` that have a role or a name, which is what all_special_ids holds.
};

/// `written`: the added tokens of tokenizer.json, which count where tokenizer_config.json has no added_tokens_decoder.
/// `is_loaded`: the tokenizer has them already, so that `added` holds what comes on top.
Result<SpecialTokens> read_special_tokens(const std::filesystem::path& folder, const SpecialTokenDefaults& defaults,
                                          std::span<const AddedToken> written, bool is_loaded);

}  // namespace tandem
