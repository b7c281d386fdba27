#include "formats/tokenizer_class.h"

#include <array>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "formats/tokenizer_checks.h"

namespace tandem {
namespace fs = std::filesystem;
namespace {

struct KnownClass {
  std::string_view name;
  TokenizerClass tokenizer_class;
  bool gives_types;
};

// With the aliases of transformers 5. "Fast" at the end of a name says nothing there.
constexpr auto kClasses = std::to_array<KnownClass>({
    {"BertTokenizer", TokenizerClass::kBert, true},
    {"ElectraTokenizer", TokenizerClass::kBert, true},
    {"LayoutLMTokenizer", TokenizerClass::kBert, true},
    {"LxmertTokenizer", TokenizerClass::kBert, true},
    {"MobileBertTokenizer", TokenizerClass::kBert, true},
    {"SqueezeBertTokenizer", TokenizerClass::kBert, true},
    {"DistilBertTokenizer", TokenizerClass::kBert, false},
    {"MPNetTokenizer", TokenizerClass::kMpnet, false},
    {"RobertaTokenizer", TokenizerClass::kRoberta, false},
    {"BartTokenizer", TokenizerClass::kRoberta, false},
    {"LEDTokenizer", TokenizerClass::kRoberta, false},
    {"MvpTokenizer", TokenizerClass::kRoberta, false},
    {"XLMRobertaTokenizer", TokenizerClass::kXlmRoberta, false},
    {"CamembertTokenizer", TokenizerClass::kCamembert, false},
    {"PreTrainedTokenizer", TokenizerClass::kAsWritten, false},
    {"TokenizersBackend", TokenizerClass::kAsWritten, false},
    {"PythonBackend", TokenizerClass::kAsWritten, false},
});

struct FamilyClass {
  std::string_view model_type;
  std::string_view class_name;
};

constexpr auto kFamilies = std::to_array<FamilyClass>({
    {"bert", "BertTokenizer"},
    {"camembert", "CamembertTokenizer"},
    {"distilbert", "BertTokenizer"},
    {"electra", "BertTokenizer"},
    {"mpnet", "MPNetTokenizer"},
    {"roberta", "RobertaTokenizer"},
    {"xlm-roberta", "XLMRobertaTokenizer"},
});

// What transformers would hand to a class as it stands in tokenizer_config.json, and what no published folder has
// there: parts of a tokenizer, code, and choices among files.
constexpr auto kRefusedKeys =
    std::to_array<std::string_view>({"auto_map", "processor_class", "init_inputs", "tokenizer_object", "post_processor",
                                     "tokenizer_truncation", "tokenizer_padding", "vocab", "merges", "gguf_file",
                                     "_spm_precompiled_charsmap", "model_specific_special_tokens"});

std::string_view without_fast(std::string_view name) {
  constexpr std::string_view kFast = "Fast";
  if (name.ends_with(kFast)) name.remove_suffix(kFast.size());
  return name;
}

/// One JSON object of the folder, with the path that its errors begin with.
class SettingsFile {
 public:
  static Result<SettingsFile> read(const fs::path& path) {
    SettingsFile file;
    file.path_ = path.string();
    if (!has_entry(path)) return file;
    ASSIGN_OR_RETURN(file.document_, JsonDocument::read_file(path, kTokenizerFileBytesMax));
    if (!file.document_->root().is_object()) {
      return fail(ErrorCode::kCorruptData, "{}: want a JSON object", file.path_);
    }
    return file;
  }

  const std::string& path() const { return path_; }

  std::optional<JsonValue> find(std::string_view key) const {
    return document_ ? document_->root().find(key) : std::nullopt;
  }

  /// Empty where there is no such key.
  Result<std::string> text(std::string_view key) const {
    if (!document_) return std::string();
    ASSIGN_OR_RETURN(const auto found, document_->root().find_string(key));
    return std::string(found.value_or(""));
  }

  /// A null is no value: the classes of transformers fail with it, or read it as false.
  Status flag(std::string_view key, bool& value) const {
    const auto found = find(key);
    if (!found) return {};
    ASSIGN_OR_RETURN(value, found->as_bool(key));
    return {};
  }

 private:
  std::string path_;
  std::optional<JsonDocument> document_;
};

const KnownClass* find_class(std::string_view name) {
  for (const KnownClass& known : kClasses) {
    if (known.name == without_fast(name)) return &known;
  }
  return nullptr;
}

/// For folders that hold nothing but a vocabulary.
std::string_view class_of_files(const fs::path& folder) {
  if (has_entry(folder / "tokenizer.json")) return "";
  if (has_entry(folder / "vocab.json") && has_entry(folder / "merges.txt")) return "RobertaTokenizer";
  return has_entry(folder / "sentencepiece.bpe.model") ? "XLMRobertaTokenizer" : "BertTokenizer";
}

Status choose_class(const fs::path& folder, const SettingsFile& own, const SettingsFile& model,
                    TokenizerSettings& settings) {
  const SettingsFile* declaring = &own;
  ASSIGN_OR_RETURN(settings.class_name, own.text("tokenizer_class"));
  if (const auto named = own.find("tokenizer_class"); named && !named->is_null() && settings.class_name.empty()) {
    return fail(ErrorCode::kUnsupported, "{}: tokenizer_class '' is not supported", own.path());
  }
  if (settings.class_name.empty()) {
    declaring = &model;
    ASSIGN_OR_RETURN(settings.class_name, model.text("tokenizer_class"));
  }
  if (settings.class_name.empty()) {
    ASSIGN_OR_RETURN(const std::string type, model.text("model_type"));
    for (const FamilyClass& family : kFamilies) {
      if (family.model_type == type) settings.class_name = family.class_name;
    }
    if (type.empty()) settings.class_name = class_of_files(folder);
  }
  if (settings.class_name.empty()) return {};  // As tokenizer.json says, its token types too.
  const KnownClass* known = find_class(settings.class_name);
  if (known == nullptr) {
    return fail(ErrorCode::kUnsupported,
                "{}: tokenizer_class '{}' is not supported, want that of BERT, Electra, DistilBERT, MPNet, RoBERTa, "
                "XLM-RoBERTa or CamemBERT, or PreTrainedTokenizerFast",
                declaring->path(), settings.class_name);
  }
  settings.tokenizer_class = known->tokenizer_class;
  settings.gives_types = known->gives_types;
  return {};
}

/// Which of its outputs the tokenizer hands to the model.
Status read_input_names(const SettingsFile& file, TokenizerSettings& settings) {
  const auto names = file.find("model_input_names");
  if (!names) return {};
  ASSIGN_OR_RETURN(const std::vector<JsonValue> elements, names->as_array("model_input_names"));
  bool has_ids = false;
  bool has_mask = false;
  settings.gives_types = false;
  for (const JsonValue element : elements) {
    ASSIGN_OR_RETURN(const std::string_view name, element.as_string("model_input_names"));
    has_ids |= name == "input_ids";
    has_mask |= name == "attention_mask";
    settings.gives_types |= name == "token_type_ids";
  }
  if (has_ids && has_mask) return {};
  return fail(ErrorCode::kUnsupported, "{}: model_input_names without {} is not supported", file.path(),
              has_ids ? "attention_mask" : "input_ids");
}

Result<std::optional<bool>> read_side(const SettingsFile& file, std::string_view key) {
  ASSIGN_OR_RETURN(const std::string side, file.text(key));
  if (side.empty()) return std::optional<bool>();
  if (side != "left" && side != "right") {
    return fail(ErrorCode::kCorruptData, "{}: {} is '{}', want 'left' or 'right'", file.path(), key, side);
  }
  return std::optional(side == "left");
}

/// special_tokens_map.json overrides whatever tokenizer_config.json says; nobody has more than tokens in it.
Status check_holds_tokens(const fs::path& path) {
  ASSIGN_OR_RETURN(const SettingsFile map, SettingsFile::read(path));
  for (const std::string_view key : {"do_lower_case", "strip_accents", "tokenize_chinese_chars", "add_prefix_space",
                                     "trim_offsets", "split_special_tokens", "truncation_side", "padding_side",
                                     "model_input_names", "model_max_length", "max_len"}) {
    if (map.find(key)) return fail(ErrorCode::kUnsupported, "{}: {} is not supported, want tokens", map.path(), key);
  }
  return {};
}

Status check_versioned_files(const SettingsFile& file) {
  const auto names = file.find("fast_tokenizer_files");
  if (!names) return {};
  return names->for_each_element([&](JsonValue element) -> Status {
    ASSIGN_OR_RETURN(const std::string_view name, element.as_string("fast_tokenizer_files"));
    if (name == "tokenizer.json") return {};
    return fail(ErrorCode::kUnsupported, "{}: fast_tokenizer_files: '{}' is not supported, want tokenizer.json",
                file.path(), name);
  });
}

}  // namespace

Result<TokenizerSettings> read_tokenizer_settings(const fs::path& folder) {
  ASSIGN_OR_RETURN(const SettingsFile own, SettingsFile::read(folder / "tokenizer_config.json"));
  ASSIGN_OR_RETURN(const SettingsFile model, SettingsFile::read(folder / "config.json"));
  for (const std::string_view key : kRefusedKeys) {
    const auto value = own.find(key);
    if (value && !value->is_null() && value->dump() != "[]" && value->dump() != "{}") {
      return fail(ErrorCode::kUnsupported, "{}: {} is not supported", own.path(), key);
    }
  }
  RETURN_IF_ERROR(check_versioned_files(own));
  if (!own.find("added_tokens_decoder")) RETURN_IF_ERROR(check_holds_tokens(folder / "special_tokens_map.json"));
  TokenizerSettings settings;
  RETURN_IF_ERROR(choose_class(folder, own, model, settings));
  settings.add_prefix_space =
      settings.tokenizer_class == TokenizerClass::kXlmRoberta || settings.tokenizer_class == TokenizerClass::kCamembert;
  RETURN_IF_ERROR(own.flag("do_lower_case", settings.do_lower_case));
  RETURN_IF_ERROR(own.flag("tokenize_chinese_chars", settings.tokenize_chinese_chars));
  RETURN_IF_ERROR(own.flag("add_prefix_space", settings.add_prefix_space));
  RETURN_IF_ERROR(own.flag("trim_offsets", settings.trim_offsets));
  RETURN_IF_ERROR(own.flag("split_special_tokens", settings.splits_special_tokens));
  if (const auto strips = own.find("strip_accents"); strips && !strips->is_null()) {
    ASSIGN_OR_RETURN(settings.strip_accents, strips->as_bool("strip_accents"));
  }
  ASSIGN_OR_RETURN(settings.truncates_left, read_side(own, "truncation_side"));
  RETURN_IF_ERROR(read_side(own, "padding_side"));  // Batches have no padding here, so either side will do.
  RETURN_IF_ERROR(read_input_names(own, settings));
  return settings;
}

}  // namespace tandem
