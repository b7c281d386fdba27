#include "formats/tokenizer_json_stages.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/base64.h"
#include "base/error.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "formats/tokenizer_checks.h"

namespace tandem {
namespace {

constexpr std::size_t kStepsMax = 64;

tl::unexpected<Error> unsupported_type(std::string_view name, std::string_view part, std::string_view type) {
  return fail(ErrorCode::kUnsupported, "{}: {}: type '{}' is not supported", name, part, type);
}

/// Reads regular expressions that are so small that a loop does what they say: a literal text, or one character or \s
/// with a quantifier that has no upper end.
class SmallRegex {
 public:
  static std::optional<TextPattern> parse(std::string_view regex) { return SmallRegex(regex).pattern(); }

 private:
  explicit SmallRegex(std::string_view regex) : rest_(regex) {}

  std::optional<TextPattern> pattern() {
    std::string literal;
    for (bool is_first = true; !rest_.empty(); is_first = false) {
      const auto atom = take_atom();
      if (!atom) return std::nullopt;
      const std::uint64_t length_min = take_quantifier();
      if (length_min != 0 && is_first && rest_.empty()) {
        return RunPattern{atom->is_space ? std::nullopt : std::optional(atom->code_point), length_min};
      }
      // White space without a quantifier matches one at a time, which a run does not.
      if (length_min != 0 || atom->is_space) return std::nullopt;
      append_utf8(literal, atom->code_point);
    }
    return literal.empty() ? std::nullopt : std::optional<TextPattern>(LiteralPattern{literal});
  }

  struct Atom {
    char32_t code_point = 0;
    bool is_space = false;  ///< \s.
  };

  /// Nothing where the expression is of another kind.
  std::optional<Atom> take_atom() {
    const Utf8Step step = decode_utf8(rest_, 0);
    rest_.remove_prefix(step.bytes);
    if (step.code_point != '\\') {
      constexpr std::u32string_view kSpecial = U"^$.|?*+()[]{}";
      if (kSpecial.find(step.code_point) != std::u32string_view::npos) return std::nullopt;
      return Atom{step.code_point};
    }
    if (rest_.empty()) return std::nullopt;
    const char escaped = rest_.front();
    rest_.remove_prefix(1);
    switch (escaped) {
      case 's':
        return Atom{0, true};
      case 'n':
        return Atom{'\n'};
      case 'r':
        return Atom{'\r'};
      case 't':
        return Atom{'\t'};
      default:
        if (!code_point_class(static_cast<std::uint8_t>(escaped)).has(kPunctuation)) return std::nullopt;
        return Atom{static_cast<char32_t>(escaped)};
    }
  }

  /// How many must match at least; 0 where there is no quantifier.
  std::uint64_t take_quantifier() {
    if (rest_.starts_with('+') && !followed_by_modifier(1)) {
      rest_.remove_prefix(1);
      return 1;
    }
    if (!rest_.starts_with('{')) return 0;
    std::uint32_t count = 0;
    const char* const end = rest_.data() + rest_.size();
    const auto [after, error] = std::from_chars(rest_.data() + 1, end, count);
    if (error != std::errc() || count == 0 || count > 1000) return 0;
    const auto length = static_cast<std::size_t>(after - rest_.data());
    if (rest_.substr(length, 2) != ",}" || followed_by_modifier(length + 2)) return 0;
    rest_.remove_prefix(length + 2);
    return count;
  }

  /// A lazy or possessive quantifier is of another kind.
  bool followed_by_modifier(std::size_t position) const {
    return position < rest_.size() && (rest_[position] == '?' || rest_[position] == '+' || rest_[position] == '*');
  }

  std::string_view rest_;
};

struct NamedRegex {
  std::string_view text;
  WordRegex regex;
};

constexpr NamedRegex kWordRegexes[] = {
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", WordRegex::kGpt2},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|)"
     R"(\s+(?!\S)|\s+)",
     WordRegex::kLlama3},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|)"
     R"(\s+(?!\S)|\s+)",
     WordRegex::kQwen2},
};

class StageParser {
 public:
  StageParser(std::string_view name, std::string_view part) : name_(name), part_(part) {}

  Status normalizer(JsonValue part, NormalizerSpec& spec) const {
    ASSIGN_OR_RETURN(const auto type, part.get_string("type"));
    if (type == "Sequence") {
      ASSIGN_OR_RETURN(const auto steps, part.get_array("normalizers"));
      for (const JsonValue step : steps) RETURN_IF_ERROR(normalizer(step, spec));
      return {};
    }
    RETURN_IF_ERROR(check_count(spec.size()));
    ASSIGN_OR_RETURN(spec.emplace_back(), normalizer_step(part, type));
    return {};
  }

  Status pre_tokenizer(JsonValue part, PreTokenizerSpec& spec) const {
    ASSIGN_OR_RETURN(const auto type, part.get_string("type"));
    if (type == "Sequence") {
      ASSIGN_OR_RETURN(const auto steps, part.get_array("pretokenizers"));
      for (const JsonValue step : steps) RETURN_IF_ERROR(pre_tokenizer(step, spec));
      return {};
    }
    RETURN_IF_ERROR(check_count(spec.size()));
    ASSIGN_OR_RETURN(spec.emplace_back(), pre_tokenizer_step(part, type));
    return {};
  }

 private:
  Status check_count(std::size_t count) const {
    if (count < kStepsMax) return {};
    return fail(ErrorCode::kCorruptData, "{}: {}: more than {} steps", name_, part_, kStepsMax);
  }

  Result<NormalizerStep> normalizer_step(JsonValue part, std::string_view type) const {
    if (type == "BertNormalizer") return bert_normalizer(part);
    if (type == "NFC") return UnicodeFormSpec{.compatibility = false, .compose = true};
    if (type == "NFD") return UnicodeFormSpec{.compatibility = false, .compose = false};
    if (type == "NFKC") return UnicodeFormSpec{.compatibility = true, .compose = true};
    if (type == "NFKD") return UnicodeFormSpec{.compatibility = true, .compose = false};
    if (type == "Lowercase") return LowercaseSpec{};
    if (type == "StripAccents") return StripAccentsSpec{};
    if (type == "Nmt") return NmtSpec{};
    if (type == "ByteLevel") return ByteLevelNormalizerSpec{};
    if (type == "Strip") {
      StripSpec spec;
      ASSIGN_OR_RETURN(spec.left, part.get_bool("strip_left"));
      ASSIGN_OR_RETURN(spec.right, part.get_bool("strip_right"));
      return spec;
    }
    if (type == "Prepend") {
      ASSIGN_OR_RETURN(const auto text, part.get_string("prepend"));
      RETURN_IF_ERROR(check_spelling(text, name_));
      return PrependSpec{std::string(text)};
    }
    if (type == "Replace") return replace(part);
    if (type == "Precompiled") return precompiled(part);
    return unsupported_type(name_, part_, type);
  }

  Result<NormalizerStep> bert_normalizer(JsonValue part) const {
    BertNormalizerSpec spec;
    ASSIGN_OR_RETURN(spec.clean_text, part.get_bool("clean_text"));
    ASSIGN_OR_RETURN(spec.handle_chinese_chars, part.get_bool("handle_chinese_chars"));
    ASSIGN_OR_RETURN(spec.lowercase, part.get_bool("lowercase"));
    ASSIGN_OR_RETURN(const auto strip_accents, part.find_bool("strip_accents"));
    spec.strip_accents = strip_accents.value_or(spec.lowercase);
    return spec;
  }

  Result<NormalizerStep> replace(JsonValue part) const {
    ReplaceSpec spec;
    ASSIGN_OR_RETURN(const auto content, part.get_string("content"));
    spec.content = content;
    RETURN_IF_ERROR(check_spelling(content, name_));
    ASSIGN_OR_RETURN(const JsonValue pattern, part.get_object("pattern"));
    ASSIGN_OR_RETURN(spec.pattern, text_pattern(pattern));
    return spec;
  }

  Result<NormalizerStep> precompiled(JsonValue part) const {
    ASSIGN_OR_RETURN(const auto text, part.get_string("precompiled_charsmap"));
    const auto bytes = decode_base64(text);
    if (!bytes) return fail(ErrorCode::kCorruptData, "{}: {}: precompiled_charsmap is not base64", name_, part_);
    ASSIGN_OR_RETURN(Charsmap charsmap,
                     parse_charsmap(*bytes, fmt::format("{}: {}: precompiled_charsmap", name_, part_)));
    return PrecompiledSpec{std::make_shared<const Charsmap>(std::move(charsmap))};
  }

  /// {"String": …} or {"Regex": …}.
  Result<TextPattern> text_pattern(JsonValue pattern) const {
    ASSIGN_OR_RETURN(const auto literal, pattern.find_string("String"));
    if (literal) {
      if (literal->empty()) return fail(ErrorCode::kUnsupported, "{}: {}: a pattern is empty", name_, part_);
      return LiteralPattern{std::string(*literal)};
    }
    ASSIGN_OR_RETURN(const auto regex, pattern.get_string("Regex"));
    if (const auto parsed = SmallRegex::parse(regex)) return *parsed;
    return fail(ErrorCode::kUnsupported, "{}: {}: regular expression '{}' is not supported", name_, part_, regex);
  }

  Result<PreTokenizerStep> pre_tokenizer_step(JsonValue part, std::string_view type) const {
    if (type == "BertPreTokenizer") return BertPreTokenizerSpec{};
    if (type == "Whitespace") return WhitespaceSpec{};
    if (type == "WhitespaceSplit") return WhitespaceSplitSpec{};
    if (type == "ByteLevel") {
      ByteLevelSpec spec;
      ASSIGN_OR_RETURN(spec.add_prefix_space, part.get_bool("add_prefix_space"));
      ASSIGN_OR_RETURN(const auto use_regex, part.find_bool("use_regex"));
      spec.use_regex = use_regex.value_or(true);
      return spec;
    }
    if (type == "Metaspace") return metaspace(part);
    if (type == "Punctuation") {
      PunctuationSpec spec;
      if (part.find("behavior")) {
        ASSIGN_OR_RETURN(spec.behavior, behavior(part));
      }
      return spec;
    }
    if (type == "Digits") {
      ASSIGN_OR_RETURN(const bool individual, part.get_bool("individual_digits"));
      return DigitsSpec{individual};
    }
    if (type == "CharDelimiterSplit" || type == "Delimiter") {
      ASSIGN_OR_RETURN(const std::string delimiter, character(part, "delimiter"));
      return SplitSpec{LiteralPattern{delimiter}, SplitBehavior::kRemoved, false};
    }
    if (type == "Split") return split(part);
    return unsupported_type(name_, part_, type);
  }

  Result<std::string> character(JsonValue part, std::string_view key) const {
    ASSIGN_OR_RETURN(const auto text, part.get_string(key));
    if (text.empty() || decode_utf8(text, 0).bytes != text.size()) {
      return fail(ErrorCode::kCorruptData, "{}: {}: {} is '{}', want one character", name_, part_, key, text);
    }
    return std::string(text);
  }

  Result<PreTokenizerStep> metaspace(JsonValue part) const {
    MetaspaceSpec spec;
    ASSIGN_OR_RETURN(spec.replacement, character(part, "replacement"));
    ASSIGN_OR_RETURN(const auto add_prefix_space, part.find_bool("add_prefix_space"));
    ASSIGN_OR_RETURN(const auto scheme, part.find_string("prepend_scheme"));
    ASSIGN_OR_RETURN(const auto split, part.find_bool("split"));
    spec.split = split.value_or(true);
    using Prepend = MetaspaceSpec::Prepend;
    if (scheme && *scheme != "always" && *scheme != "first" && *scheme != "never") {
      return fail(ErrorCode::kCorruptData, "{}: {}: prepend_scheme is '{}', want 'always', 'first' or 'never'", name_,
                  part_, *scheme);
    }
    spec.prepend = scheme == "first" ? Prepend::kFirst : scheme == "never" ? Prepend::kNever : Prepend::kAlways;
    if (add_prefix_space == false && spec.prepend != Prepend::kNever) {
      return fail(ErrorCode::kCorruptData, "{}: {}: add_prefix_space is false, but prepend_scheme is not 'never'",
                  name_, part_);
    }
    return spec;
  }

  Result<PreTokenizerStep> split(JsonValue part) const {
    SplitSpec spec;
    ASSIGN_OR_RETURN(spec.behavior, behavior(part));
    ASSIGN_OR_RETURN(spec.invert, part.get_bool("invert"));
    ASSIGN_OR_RETURN(const JsonValue pattern, part.get_object("pattern"));
    ASSIGN_OR_RETURN(const auto regex, pattern.find_string("Regex"));
    const auto known = std::find_if(std::begin(kWordRegexes), std::end(kWordRegexes),
                                    [&](const NamedRegex& entry) { return regex == entry.text; });
    if (known != std::end(kWordRegexes)) {
      spec.pattern = known->regex;
      return spec;
    }
    ASSIGN_OR_RETURN(const TextPattern text, text_pattern(pattern));
    std::visit([&](const auto& kind) { spec.pattern = kind; }, text);
    return spec;
  }

  Result<SplitBehavior> behavior(JsonValue part) const {
    ASSIGN_OR_RETURN(const auto text, part.get_string("behavior"));
    if (text == "Removed") return SplitBehavior::kRemoved;
    if (text == "Isolated") return SplitBehavior::kIsolated;
    if (text == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
    if (text == "MergedWithNext") return SplitBehavior::kMergedWithNext;
    if (text == "Contiguous") return SplitBehavior::kContiguous;
    return fail(ErrorCode::kCorruptData, "{}: {}: behavior '{}' is not known", name_, part_, text);
  }

  std::string_view name_;
  std::string_view part_;
};

}  // namespace

Result<NormalizerSpec> read_normalizer(JsonValue part, std::string_view name) {
  NormalizerSpec spec;
  RETURN_IF_ERROR(StageParser(name, "normalizer").normalizer(part, spec));
  return spec;
}

Result<PreTokenizerSpec> read_pre_tokenizer(JsonValue part, std::string_view name) {
  PreTokenizerSpec spec;
  RETURN_IF_ERROR(StageParser(name, "pre_tokenizer").pre_tokenizer(part, spec));
  return spec;
}

}  // namespace tandem
