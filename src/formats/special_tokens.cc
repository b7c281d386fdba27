#include "formats/special_tokens.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/string_map.h"
#include "formats/tokenizer_checks.h"

namespace tandem {
namespace fs = std::filesystem;
namespace {

using Role = std::pair<std::string_view, std::string SpecialTokenNames::*>;

// In the order of PreTrainedTokenizerBase.SPECIAL_TOKENS_ATTRIBUTES, in which they get ids.
constexpr auto kRoles = std::to_array<Role>({{"bos_token", &SpecialTokenNames::bos},
                                             {"eos_token", &SpecialTokenNames::eos},
                                             {"unk_token", &SpecialTokenNames::unk},
                                             {"sep_token", &SpecialTokenNames::sep},
                                             {"pad_token", &SpecialTokenNames::pad},
                                             {"cls_token", &SpecialTokenNames::cls},
                                             {"mask_token", &SpecialTokenNames::mask}});

bool is_role(std::string_view key) { return std::ranges::find(kRoles, key, &Role::first) != kRoles.end(); }

/// The document, or nothing where there is no such file.
Result<std::optional<JsonDocument>> read_if_present(const fs::path& path) {
  if (!has_entry(path)) return std::nullopt;
  ASSIGN_OR_RETURN(JsonDocument document, JsonDocument::read_file(path, kTokenizerFileBytesMax));
  return document;
}

/// The member, null or not.
std::optional<JsonValue> entry(const std::optional<JsonDocument>& document, std::string_view key) {
  return document ? document->root().find(key) : std::nullopt;
}

std::optional<JsonValue> member(const std::optional<JsonDocument>& document, std::string_view key) {
  const auto value = entry(document, key);
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

bool are_alike(const AddedToken& a, AddedToken b) {
  b.id = a.id;
  return a == b;
}

/// Puts the tokens together in the order of transformers: those with an id, those with a role, the others.
class SpecialTokenReader {
 public:
  SpecialTokenReader(const fs::path& folder, std::span<const AddedToken> written, bool is_loaded)
      : folder_(folder), written_(written), is_loaded_(is_loaded) {}

  Result<SpecialTokens> read(const SpecialTokenDefaults& defaults) {
    ASSIGN_OR_RETURN(config_, read_if_present(folder_ / "tokenizer_config.json"));
    const auto decoder = entry(config_, "added_tokens_decoder");
    if (!decoder) {
      ASSIGN_OR_RETURN(map_, read_if_present(folder_ / "special_tokens_map.json"));
    }
    RETURN_IF_ERROR(read_roles(defaults));
    RETURN_IF_ERROR(read_others(defaults));
    if (decoder) {
      RETURN_IF_ERROR(read_decoder(*decoder));
    } else {
      RETURN_IF_ERROR(read_added_tokens());
      for (const AddedToken& token : written_) by_id_[token.id] = token;
    }

    if (is_loaded_) {
      for (const AddedToken& token : written_) {
        contents_.insert(token.content);
        loaded_[token.content] = &token;
      }
    }
    for (auto& [id, token] : by_id_) put_with_id(token);
    for (const Declared& token : named_) put(token);
    for (const Declared& token : others_) put(token);
    for (const AddedToken& token : result_.added) RETURN_IF_ERROR(check_spelling(token.content, folder_.string()));
    return std::move(result_);
  }

 private:
  /// A token as a file has it: its content alone, or more.
  struct Declared {
    AddedToken token;
    bool is_plain;
  };

  static Result<Declared> declared(JsonValue value) {
    ASSIGN_OR_RETURN(AddedToken token, read_token(value, true));
    return Declared{std::move(token), value.is_string()};
  }

  /// special_tokens_map.json goes before tokenizer_config.json.
  std::optional<JsonValue> find(std::string_view key) const {
    const auto value = entry(map_, key);
    return value ? value : entry(config_, key);
  }

  Status read_roles(const SpecialTokenDefaults& defaults) {
    result_.names = defaults.names;
    for (const auto& [key, role] : kRoles) {
      std::string& name = result_.names.*role;
      const bool takes_space = key == "mask_token" && defaults.mask_takes_space;
      AddedToken token{.content = name, .lstrip = takes_space, .special = true};
      bool is_plain = true;
      if (const auto value = find(key); value && value->is_null()) {
        token.content.clear();
      } else if (value) {
        is_plain = value->is_string();
        ASSIGN_OR_RETURN(token, read_token(*value, true));
        if (is_plain) token.lstrip = takes_space;
      }
      name = token.content;
      if (!name.empty()) add_named({std::move(token), is_plain});
    }
    return {};
  }

  /// Tokens with a name of their own ("image_token"), then those without any.
  Status read_others(const SpecialTokenDefaults& defaults) {
    for (const auto* document : {&config_, &map_}) {
      if (!*document) continue;
      const bool takes_objects = document == &map_;
      RETURN_IF_ERROR((*document)->root().for_each_member([&](std::string_view key, JsonValue value) -> Status {
        const bool is_token = value.is_string() || (takes_objects && value.is_object());
        if (!key.ends_with("_token") || is_role(key) || !is_token) return {};
        ASSIGN_OR_RETURN(Declared token, declared(value));
        add_named(std::move(token));
        return {};
      }));
    }
    // A null counts: the class then gets no default in its place.
    bool any = entry(config_, "extra_special_tokens") || entry(map_, "extra_special_tokens");
    for (const auto* document : {&config_, &map_}) {
      const auto values = member(*document, "extra_special_tokens");
      if (!values) continue;
      if (values->is_array()) {
        RETURN_IF_ERROR(values->for_each_element([&](JsonValue value) -> Status {
          ASSIGN_OR_RETURN(Declared token, declared(value));
          add_other(std::move(token));
          return {};
        }));
        continue;
      }
      RETURN_IF_ERROR(values->for_each_member([&](std::string_view, JsonValue value) -> Status {
        ASSIGN_OR_RETURN(Declared token, declared(value));
        add_named(std::move(token));
        return {};
      }));
    }
    for (const auto* document : {&config_, &map_}) {
      const auto values = entry(*document, "additional_special_tokens");
      if (!values || any || (document == &map_ && (defaults.keeps_others || values->is_null()))) continue;
      any = true;
      if (values->is_null()) continue;
      RETURN_IF_ERROR(values->for_each_element([&](JsonValue value) -> Status {
        ASSIGN_OR_RETURN(Declared token, declared(value));
        add_other(std::move(token));
        return {};
      }));
    }
    if (any) return {};
    for (const AddedToken& other : defaults.others) add_other({other, /*is_plain=*/!defaults.keeps_others});
    return {};
  }

  void add_named(Declared declared) {
    names_.insert(declared.token.content);
    result_.named.push_back(declared.token.content);
    named_.push_back(std::move(declared));
  }

  void add_other(Declared declared) {
    other_names_.insert(declared.token.content);
    result_.named.push_back(declared.token.content);
    others_.push_back(std::move(declared));
  }

  Status read_decoder(JsonValue decoder) {
    return decoder.for_each_member([&](std::string_view key, JsonValue value) -> Status {
      if (key.empty() || key.size() > 9 ||
          !std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        return fail(ErrorCode::kCorruptData, "{}: added_tokens_decoder: '{}' is not an id",
                    (folder_ / "tokenizer_config.json").string(), key);
      }
      const std::uint64_t id = std::stoul(std::string(key));
      ASSIGN_OR_RETURN(by_id_[id], read_token(value, false));
      by_id_[id].id = id;
      return {};
    });
  }

  /// added_tokens.json: tokens and their ids, special if they have a role.
  Status read_added_tokens() {
    ASSIGN_OR_RETURN(const auto document, read_if_present(folder_ / "added_tokens.json"));
    if (!document) return {};
    return document->root().for_each_member([&](std::string_view content, JsonValue value) -> Status {
      ASSIGN_OR_RETURN(const std::uint64_t id, value.as_unsigned(content));
      const bool is_special = names_.contains(content) || other_names_.contains(content);
      by_id_[id] = {.content = std::string(content), .normalized = !is_special, .special = is_special, .id = id};
      return {};
    });
  }

  void put_with_id(AddedToken& token) {
    // What the tokenizer has just so is not added again; otherwise the later one counts.
    const auto loaded = loaded_.find(token.content);
    if (loaded != loaded_.end() && are_alike(*loaded->second, token)) return;
    contents_.insert(token.content);
    token.special |= names_.contains(token.content);
    result_.added.push_back(std::move(token));
  }

  /// Of equal contents the last one counts, but the same one is not added twice.
  void put(const Declared& declared) {
    const AddedToken& token = declared.token;
    if (contents_.contains(token.content)) return;
    std::vector<Declared>& known = put_[token.content];
    const auto is_same = [&](const Declared& other) {
      return other.is_plain == declared.is_plain && are_alike(other.token, token);
    };
    if (std::ranges::any_of(known, is_same)) return;
    known.push_back(declared);
    result_.added.push_back(token);
  }

  const fs::path& folder_;
  std::span<const AddedToken> written_;
  const bool is_loaded_;
  std::optional<JsonDocument> config_;
  std::optional<JsonDocument> map_;
  std::vector<Declared> named_;
  OwnedStringSet names_;  // Of named_.
  std::vector<Declared> others_;
  OwnedStringSet other_names_;  // Of others_.
  StringMap<const AddedToken*> loaded_;
  std::map<std::uint64_t, AddedToken> by_id_;
  OwnedStringSet contents_;  // Of what the tokenizer has, or gets by an id; there may be thousands.
  OwnedStringMap<std::vector<Declared>> put_;
  SpecialTokens result_;
};

}  // namespace

Result<SpecialTokens> read_special_tokens(const fs::path& folder, const SpecialTokenDefaults& defaults,
                                          std::span<const AddedToken> written, bool is_loaded) {
  return SpecialTokenReader(folder, written, is_loaded).read(defaults);
}

}  // namespace tandem
