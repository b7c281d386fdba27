#include "formats/special_tokens.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/string_map.h"
#include "formats/tokenizer_checks.h"

namespace tandem {
namespace fs = std::filesystem;
namespace {

/// The document, or nothing where there is no such file.
Result<std::optional<JsonDocument>> read_if_present(const fs::path& path) {
  if (!has_entry(path)) return std::nullopt;
  ASSIGN_OR_RETURN(JsonDocument document, JsonDocument::read_file(path, kTokenizerFileBytesMax));
  return document;
}

std::optional<JsonValue> member(const std::optional<JsonDocument>& document, std::string_view key) {
  const auto value = document ? document->root().find(key) : std::nullopt;
  return value && !value->is_null() ? value : std::nullopt;
}

/// A token: its content, or an object with what else is known of it.
Result<AddedToken> read_token(JsonValue value, bool is_special) {
  AddedToken token;
  token.special = is_special;
  if (value.is_string()) {
    ASSIGN_OR_RETURN(token.content, value.as_string());
    token.normalized = !is_special;
    return token;
  }
  ASSIGN_OR_RETURN(const auto content, value.get_string("content"));
  token.content = content;
  const auto flag = [&](std::string_view key, bool otherwise) -> Result<bool> {
    ASSIGN_OR_RETURN(const auto found, value.find_bool(key));
    return found.value_or(otherwise);
  };
  ASSIGN_OR_RETURN(const bool says_special, flag("special", false));
  token.special |= says_special;
  ASSIGN_OR_RETURN(token.single_word, flag("single_word", false));
  ASSIGN_OR_RETURN(token.lstrip, flag("lstrip", false));
  ASSIGN_OR_RETURN(token.rstrip, flag("rstrip", false));
  ASSIGN_OR_RETURN(token.normalized, flag("normalized", !token.special));
  return token;
}

/// Puts the tokens together in the order of transformers: those with an id, those with a role, the others.
class SpecialTokenReader {
 public:
  explicit SpecialTokenReader(const fs::path& folder) : folder_(folder) {}

  Result<SpecialTokens> read(const SpecialTokenNames& family, bool mask_takes_space) {
    ASSIGN_OR_RETURN(config_, read_if_present(folder_ / "tokenizer_config.json"));
    if (const auto decoder = member(config_, "added_tokens_decoder")) {
      RETURN_IF_ERROR(read_decoder(*decoder));
    } else {
      ASSIGN_OR_RETURN(map_, read_if_present(folder_ / "special_tokens_map.json"));
    }
    result_.names = family;
    std::vector<AddedToken> named;
    const auto add = [&](std::string_view key, std::string& name) -> Status {
      const bool takes_space = key == "mask_token" && mask_takes_space;
      AddedToken token{.content = name, .lstrip = takes_space, .special = true};
      if (const auto value = find(key)) {
        ASSIGN_OR_RETURN(token, read_token(*value, true));
        if (value->is_string()) token.lstrip = takes_space;
      }
      name = token.content;
      if (!name.empty()) named.push_back(std::move(token));
      return {};
    };
    SpecialTokenNames& names = result_.names;
    RETURN_IF_ERROR(add("bos_token", names.bos));
    RETURN_IF_ERROR(add("eos_token", names.eos));
    RETURN_IF_ERROR(add("unk_token", names.unk));
    RETURN_IF_ERROR(add("sep_token", names.sep));
    RETURN_IF_ERROR(add("pad_token", names.pad));
    RETURN_IF_ERROR(add("cls_token", names.cls));
    RETURN_IF_ERROR(add("mask_token", names.mask));
    if (!member(config_, "added_tokens_decoder")) RETURN_IF_ERROR(read_added_tokens(named));

    for (auto& [id, token] : by_id_) put(std::move(token), named);
    for (const AddedToken& token : named) put(token, named);
    for (const std::string_view key : {"extra_special_tokens", "additional_special_tokens"}) {
      const auto values = find(key);
      if (!values || !values->is_array()) continue;
      RETURN_IF_ERROR(values->for_each_element([&](JsonValue value) -> Status {
        ASSIGN_OR_RETURN(AddedToken token, read_token(value, true));
        put(std::move(token), named);
        return {};
      }));
    }
    for (const AddedToken& token : result_.added) RETURN_IF_ERROR(check_spelling(token.content, folder_.string()));
    return std::move(result_);
  }

 private:
  /// special_tokens_map.json goes before tokenizer_config.json.
  std::optional<JsonValue> find(std::string_view key) const {
    const auto value = member(map_, key);
    return value ? value : member(config_, key);
  }

  Status read_decoder(JsonValue decoder) {
    return decoder.for_each_member([&](std::string_view key, JsonValue value) -> Status {
      if (key.empty() || key.size() > 9 ||
          !std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        return fail(ErrorCode::kCorruptData, "{}: added_tokens_decoder: '{}' is not an id",
                    (folder_ / "tokenizer_config.json").string(), key);
      }
      ASSIGN_OR_RETURN(by_id_[std::stoul(std::string(key))], read_token(value, false));
      return {};
    });
  }

  /// added_tokens.json: tokens and their ids, special if they have a role.
  Status read_added_tokens(const std::vector<AddedToken>& named) {
    ASSIGN_OR_RETURN(const auto document, read_if_present(folder_ / "added_tokens.json"));
    if (!document) return {};
    return document->root().for_each_member([&](std::string_view content, JsonValue value) -> Status {
      ASSIGN_OR_RETURN(const std::uint64_t id, value.as_unsigned(content));
      const bool is_special = is_among(named, content);
      AddedToken& token = by_id_[id];
      token.content = content;
      token.special = is_special;
      token.normalized = !is_special;
      return {};
    });
  }

  static bool is_among(const std::vector<AddedToken>& tokens, std::string_view content) {
    return std::any_of(tokens.begin(), tokens.end(), [&](const auto& token) { return token.content == content; });
  }

  void put(AddedToken token, const std::vector<AddedToken>& named) {
    if (!contents_.insert(token.content).second) return;
    token.special |= is_among(named, token.content);
    result_.added.push_back(std::move(token));
  }

  const fs::path& folder_;
  std::optional<JsonDocument> config_;
  std::optional<JsonDocument> map_;
  std::map<std::uint64_t, AddedToken> by_id_;
  OwnedStringSet contents_;  // Of result_.added, of which there may be thousands.
  SpecialTokens result_;
};

}  // namespace

Status read_tokenizer_options(const fs::path& folder, SlowTokenizerOptions& options) {
  ASSIGN_OR_RETURN(const auto document, read_if_present(folder / "tokenizer_config.json"));
  if (!document) return {};
  const JsonValue root = document->root();
  const auto read = [&](std::string_view key, bool& value) -> Status {
    ASSIGN_OR_RETURN(const auto found, root.find_bool(key));
    value = found.value_or(value);
    return {};
  };
  RETURN_IF_ERROR(read("do_lower_case", options.do_lower_case));
  RETURN_IF_ERROR(read("tokenize_chinese_chars", options.tokenize_chinese_chars));
  RETURN_IF_ERROR(read("add_prefix_space", options.add_prefix_space));
  RETURN_IF_ERROR(read("trim_offsets", options.trim_offsets));
  ASSIGN_OR_RETURN(options.strip_accents, root.find_bool("strip_accents"));
  ASSIGN_OR_RETURN(const auto tokenizer_class, root.find_string("tokenizer_class"));
  if (tokenizer_class) options.tokenizer_class = *tokenizer_class;
  return {};
}

Result<SpecialTokens> read_special_tokens(const fs::path& folder, const SpecialTokenNames& family,
                                          bool mask_takes_space) {
  return SpecialTokenReader(folder).read(family, mask_takes_space);
}

}  // namespace tandem
