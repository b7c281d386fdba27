#include "formats/tokenizer_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/string_map.h"
#include "base/utf8.h"
#include "formats/sentencepiece_model.h"
#include "formats/special_tokens.h"
#include "formats/tokenizer_checks.h"
#include "formats/tokenizer_class.h"
#include "formats/tokenizer_json.h"
#include "formats/tokenizer_json_model.h"

namespace tandem {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kWordCharsMax = 100;  // max_input_chars_per_word, which these files do not say.

/// The lines of a text file, which may end as on any system. The last one need not end.
Result<std::vector<std::string>> read_lines(const fs::path& path) {
  ASSIGN_OR_RETURN(const std::string text, read_small_file(path, kTokenizerFileBytesMax));
  if (!is_utf8(text)) return fail(ErrorCode::kCorruptData, "{}: want UTF-8", path.string());
  std::string_view rest = text;
  std::vector<std::string> lines;
  while (!rest.empty()) {
    if (lines.size() == kTokenIdsMax) {
      return fail(ErrorCode::kCorruptData, "{}: more than {} lines", path.string(), kTokenIdsMax);
    }
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + (rest.substr(end).starts_with("\r\n") ? 2 : 1)));
  }
  return lines;
}

/// One token per line; its number is its id. Of equal lines the last one counts.
Result<std::vector<VocabularyEntry>> read_vocab_txt(const fs::path& path) {
  ASSIGN_OR_RETURN(const std::vector<std::string> lines, read_lines(path));
  if (lines.empty()) return fail(ErrorCode::kCorruptData, "{}: no lines, want a token in each", path.string());
  StringMap<std::size_t> last;
  for (std::size_t index = 0; index < lines.size(); ++index) {
    RETURN_IF_ERROR(check_spelling(lines[index], path.string()));
    last[lines[index]] = index;
  }
  std::vector<VocabularyEntry> vocabulary;
  vocabulary.reserve(lines.size());
  for (std::size_t index = 0; index < lines.size(); ++index) {
    if (last[lines[index]] == index) vocabulary.push_back({lines[index], static_cast<std::int32_t>(index)});
  }
  return vocabulary;
}

/// What a class makes a tokenizer of, out of tokenizer.json or the files that came before it.
struct Vocabulary {
  ModelSpec model;
  std::shared_ptr<const Charsmap> charsmap = {};  ///< SentencePiece's.
};

// ---- The files that came before tokenizer.json. ----

/// vocab.txt: BERT and its relatives, and MPNet.
Result<Vocabulary> read_word_piece_file(const fs::path& path) {
  WordPieceSpec model;
  ASSIGN_OR_RETURN(model.vocabulary, read_vocab_txt(path));
  RETURN_IF_ERROR(check_vocabulary(model.vocabulary, path.string()));
  return Vocabulary{.model = std::move(model)};
}

/// vocab.json and merges.txt: RoBERTa and its relatives.
Result<Vocabulary> read_byte_level_files(const fs::path& vocabulary_path, const fs::path& merges_path) {
  BpeSpec model;
  ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::read_file(vocabulary_path, kTokenizerFileBytesMax));
  ASSIGN_OR_RETURN(model.vocabulary, read_vocabulary(document.root(), vocabulary_path.string()));
  ASSIGN_OR_RETURN(const TokenIds ids, check_vocabulary(model.vocabulary, vocabulary_path.string()));
  ASSIGN_OR_RETURN(const std::vector<std::string> lines, read_lines(merges_path));
  for (const std::string& line : lines) {
    if (line.empty() || line.starts_with("#version")) continue;
    ASSIGN_OR_RETURN(const auto parts, split_merge(line, merges_path.string()));
    ASSIGN_OR_RETURN(model.merges.emplace_back(), find_merge(ids, parts.first, parts.second, "", merges_path.string()));
  }
  return Vocabulary{.model = std::move(model)};
}

/// The tokens that sentencepiece.bpe.model marks as its own.
std::vector<AddedToken> own_tokens(const SentencePieceModel& pieces) {
  std::vector<AddedToken> tokens;
  for (const SentencePiece& piece : pieces.pieces) {
    if (!piece.is_user_defined && !piece.is_control) continue;
    tokens.push_back({.content = piece.spelling, .special = piece.is_control});
  }
  return tokens;
}

/// sentencepiece.bpe.model. Both families put tokens of their own in the place of the first ones, and one more at the
/// end: XLM-RoBERTa four for three, so that ids are one more than the file's, CamemBERT five for one.
Vocabulary arrange_pieces(SentencePieceModel pieces, TokenizerClass tokenizer_class, const SpecialTokenNames& names) {
  const bool is_camembert = tokenizer_class == TokenizerClass::kCamembert;
  UnigramSpec model;
  if (is_camembert) {
    model.pieces = {{"<s>NOTUSED", 0}, {names.pad, 0}, {"</s>NOTUSED", 0}, {names.unk, 0}, {"<unk>NOTUSED", -100}};
  } else {
    model.pieces = {{names.bos, 0}, {names.pad, 0}, {names.eos, 0}, {names.unk, 0}};
  }
  for (std::size_t index = is_camembert ? 1 : 3; index < pieces.pieces.size(); ++index) {
    model.pieces.push_back({std::move(pieces.pieces[index].spelling), pieces.pieces[index].score});
  }
  model.pieces.push_back({names.mask, 0});
  return {.model = std::move(model), .charsmap = std::move(pieces.charsmap)};
}

/// Where a folder's vocabulary lies for a class, whether or not the files are there.
std::vector<fs::path> older_files(const fs::path& folder, TokenizerClass tokenizer_class) {
  switch (tokenizer_class) {
    case TokenizerClass::kAsWritten:
      return {};
    case TokenizerClass::kBert:
    case TokenizerClass::kMpnet:
      return {folder / "vocab.txt"};
    case TokenizerClass::kRoberta:
      return {folder / "vocab.json", folder / "merges.txt"};
    case TokenizerClass::kXlmRoberta:
    case TokenizerClass::kCamembert:
      return {folder / "sentencepiece.bpe.model"};
  }
  return {};
}

Status check_older_files(const fs::path& folder, const TokenizerSettings& settings, std::span<const fs::path> files) {
  if (files.empty()) {
    return fail(ErrorCode::kNotFound, "{}: no tokenizer.json, which a {} is read from", folder.string(),
                settings.class_name);
  }
  for (const fs::path& file : files) {
    if (has_entry(file)) continue;
    return fail(ErrorCode::kNotFound, "{}: no tokenizer.json, and no {}, which a {} is read from", folder.string(),
                file.filename().string(), settings.class_name);
  }
  return {};
}

// ---- What the classes make of a vocabulary. ----

SpecialTokenDefaults defaults_of(TokenizerClass tokenizer_class) {
  const SpecialTokenNames bert{
      .bos = "", .eos = "", .unk = "[UNK]", .sep = "[SEP]", .pad = "[PAD]", .cls = "[CLS]", .mask = "[MASK]"};
  const SpecialTokenNames roberta{
      .bos = "<s>", .eos = "</s>", .unk = "<unk>", .sep = "</s>", .pad = "<pad>", .cls = "<s>", .mask = "<mask>"};
  switch (tokenizer_class) {
    case TokenizerClass::kAsWritten:
      return {};
    case TokenizerClass::kBert:
      return {.names = bert};
    case TokenizerClass::kMpnet: {
      SpecialTokenDefaults mpnet{.names = roberta, .mask_takes_space = true};
      mpnet.names.unk = "[UNK]";
      return mpnet;
    }
    case TokenizerClass::kRoberta:
    case TokenizerClass::kXlmRoberta:
      return {.names = roberta};
    case TokenizerClass::kCamembert: {
      SpecialTokenDefaults camembert{.names = roberta, .mask_takes_space = true};
      for (const char* const name : {"<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"}) {
        camembert.others.push_back({.content = name, .special = true});
      }
      return camembert;
    }
  }
  return {};
}

/// The ids that tokens will have: the model's, or, for new ones, those that follow.
OwnedStringMap<std::int32_t> future_ids(const ModelSpec& model, const std::vector<AddedToken>& added) {
  OwnedStringMap<std::int32_t> ids;
  for (const AddedToken& token : added) ids.emplace(token.content, -1);
  const auto note = [&](const std::string& spelling, std::size_t id) {
    if (const auto found = ids.find(spelling); found != ids.end()) found->second = static_cast<std::int32_t>(id);
  };
  std::size_t size = 0;
  if (const auto* unigram = std::get_if<UnigramSpec>(&model)) {
    size = unigram->pieces.size();
    for (std::size_t id = 0; id < size; ++id) note(unigram->pieces[id].spelling, id);
  } else {
    const auto* pieces = std::get_if<WordPieceSpec>(&model);
    const auto& vocabulary = pieces != nullptr ? pieces->vocabulary : std::get<BpeSpec>(model).vocabulary;
    size = vocabulary.size();
    for (const auto& [spelling, id] : vocabulary) note(spelling, static_cast<std::size_t>(id));
  }
  for (const AddedToken& token : added) {
    if (std::int32_t& id = ids[token.content]; id < 0) id = static_cast<std::int32_t>(size++);
  }
  return ids;
}

/// The stages of one class around a vocabulary: its __init__.
class Builder {
 public:
  /// `where`: the file of the vocabulary.
  Builder(const fs::path& where, const TokenizerSettings& settings, SpecialTokens tokens)
      : where_(where.string()), settings_(settings), tokens_(std::move(tokens)) {}

  Result<TokenizerSpec> build(Vocabulary vocabulary) {
    RETURN_IF_ERROR(make_model(vocabulary));
    ids_ = future_ids(spec_.model, tokens_.added);
    RETURN_IF_ERROR(make_stages(vocabulary));
    spec_.added_tokens = std::move(tokens_.added);
    spec_.named_tokens = std::move(tokens_.named);
    return std::move(spec_);
  }

 private:
  tl::unexpected<Error> wrong_model(std::string_view wanted) const {
    return fail(ErrorCode::kUnsupported, "{}: holds another kind of model than a {} reads, want {}", where_,
                settings_.class_name, wanted);
  }

  /// Of the model in the file, the classes take the vocabulary and leave the options.
  Status make_model(Vocabulary& vocabulary) {
    switch (settings_.tokenizer_class) {
      case TokenizerClass::kAsWritten:
        break;
      case TokenizerClass::kBert:
      case TokenizerClass::kMpnet: {
        auto* model = std::get_if<WordPieceSpec>(&vocabulary.model);
        if (model == nullptr) return wrong_model("WordPiece");
        model->unk_token = tokens_.names.unk;
        RETURN_IF_ERROR(check_affix(model->unk_token, "unk_token", where_));
        model->continuing_subword_prefix = "##";
        model->max_input_chars_per_word = kWordCharsMax;
        const bool knows = std::ranges::any_of(
            model->vocabulary, [&](const VocabularyEntry& entry) { return entry.spelling == model->unk_token; });
        if (!knows || model->unk_token.empty()) {
          return fail(ErrorCode::kCorruptData, "{}: model: unk_token '{}' is not in the vocabulary", where_,
                      model->unk_token);
        }
        break;
      }
      case TokenizerClass::kRoberta: {
        auto* model = std::get_if<BpeSpec>(&vocabulary.model);
        if (model == nullptr || !model->continuing_subword_prefix.empty()) return wrong_model("BPE without a prefix");
        BpeSpec plain;
        plain.vocabulary = std::move(model->vocabulary);
        plain.merges = std::move(model->merges);
        vocabulary.model = std::move(plain);
        break;
      }
      case TokenizerClass::kXlmRoberta:
      case TokenizerClass::kCamembert: {
        auto* model = std::get_if<UnigramSpec>(&vocabulary.model);
        if (model == nullptr) return wrong_model("Unigram");
        constexpr std::int32_t kXlmRobertaUnk = 3;
        model->byte_fallback = false;
        model->unk_id = kXlmRobertaUnk;
        if (settings_.tokenizer_class == TokenizerClass::kCamembert) {
          const auto unk = std::ranges::find(model->pieces, tokens_.names.unk, &UnigramPiece::spelling);
          model->unk_id = unk == model->pieces.end() ? 0 : static_cast<std::int32_t>(unk - model->pieces.begin());
        }
        RETURN_IF_ERROR(check_unigram(*model, where_));
        break;
      }
    }
    spec_.model = std::move(vocabulary.model);
    return {};
  }

  Status make_stages(Vocabulary& vocabulary) {
    const SpecialTokenNames& names = tokens_.names;
    switch (settings_.tokenizer_class) {
      case TokenizerClass::kAsWritten:
        return {};
      case TokenizerClass::kBert:
        make_bert_stages();
        return surround("cls_token", names.cls, "sep_token", names.sep, bert_template);
      case TokenizerClass::kMpnet:
        make_bert_stages();
        spec_.post_processor.trims = {OffsetTrimSpec{.add_prefix_space = false}};
        return surround("cls_token", names.cls, "sep_token", names.sep, roberta_template);
      case TokenizerClass::kRoberta:
        spec_.pre_tokenizer.emplace_back(
            ByteLevelSpec{.add_prefix_space = settings_.add_prefix_space, .use_regex = true});
        if (settings_.trim_offsets) spec_.post_processor.trims = {OffsetTrimSpec{settings_.add_prefix_space}};
        return surround("cls_token", names.cls, "sep_token", names.sep, roberta_template);
      case TokenizerClass::kXlmRoberta:
      case TokenizerClass::kCamembert:
        if (vocabulary.charsmap) spec_.normalizer.emplace_back(PrecompiledSpec{std::move(vocabulary.charsmap)});
        spec_.pre_tokenizer.emplace_back(WhitespaceSplitSpec{});
        spec_.pre_tokenizer.emplace_back(MetaspaceSpec{
            .replacement = "\u2581",
            .prepend = settings_.add_prefix_space ? MetaspaceSpec::Prepend::kAlways : MetaspaceSpec::Prepend::kNever,
            .split = true});
        return surround("bos_token", names.bos, "eos_token", names.eos, roberta_template);
    }
    return {};
  }

  void make_bert_stages() {
    spec_.normalizer.emplace_back(
        BertNormalizerSpec{.clean_text = true,
                           .handle_chinese_chars = settings_.tokenize_chinese_chars,
                           .strip_accents = settings_.strip_accents.value_or(settings_.do_lower_case),
                           .lowercase = settings_.do_lower_case});
    spec_.pre_tokenizer.emplace_back(BertPreTokenizerSpec{});
  }

  Status surround(std::string_view first_role, const std::string& first, std::string_view last_role,
                  const std::string& last, TemplateSpec (*layout)(std::int32_t, std::int32_t)) {
    for (const auto& [role, name] : {std::pair(first_role, &first), std::pair(last_role, &last)}) {
      if (name->empty()) {
        return fail(ErrorCode::kUnsupported, "{}: {} is null, and a {} puts it around texts", where_, role,
                    settings_.class_name);
      }
    }
    spec_.post_processor.layout = layout(ids_[first], ids_[last]);
    return {};
  }

  const std::string where_;
  const TokenizerSettings& settings_;
  SpecialTokens tokens_;
  OwnedStringMap<std::int32_t> ids_;
  TokenizerSpec spec_;
};

/// A class that makes its tokenizer itself, out of tokenizer.json.
Result<TokenizerSpec> build(const fs::path& folder, const TokenizerSettings& settings, TokenizerSpec written) {
  ASSIGN_OR_RETURN(SpecialTokens tokens,
                   read_special_tokens(folder, defaults_of(settings.tokenizer_class), written.added_tokens,
                                       /*is_loaded=*/false));
  Vocabulary vocabulary{.model = std::move(written.model)};
  for (const NormalizerStep& step : written.normalizer) {
    const auto* precompiled = std::get_if<PrecompiledSpec>(&step);
    if (precompiled != nullptr && !vocabulary.charsmap) vocabulary.charsmap = precompiled->charsmap;
  }
  return Builder(folder / "tokenizer.json", settings, std::move(tokens)).build(std::move(vocabulary));
}

/// The same out of the files that came before it.
Result<TokenizerSpec> build(const fs::path& folder, const TokenizerSettings& settings) {
  const std::vector<fs::path> files = older_files(folder, settings.tokenizer_class);
  RETURN_IF_ERROR(check_older_files(folder, settings, files));
  SpecialTokenDefaults defaults = defaults_of(settings.tokenizer_class);
  Vocabulary vocabulary;
  std::optional<SentencePieceModel> pieces;
  if (files.size() == 2) {
    ASSIGN_OR_RETURN(vocabulary, read_byte_level_files(files[0], files[1]));
  } else if (files[0].filename() == "vocab.txt") {
    ASSIGN_OR_RETURN(vocabulary, read_word_piece_file(files[0]));
  } else {
    ASSIGN_OR_RETURN(pieces, read_sentencepiece_model(files[0]));
    defaults.others = own_tokens(*pieces);
    defaults.keeps_others = true;
  }
  ASSIGN_OR_RETURN(SpecialTokens tokens, read_special_tokens(folder, defaults, {}, /*is_loaded=*/false));
  if (pieces) vocabulary = arrange_pieces(*std::move(pieces), settings.tokenizer_class, tokens.names);
  return Builder(files[0], settings, std::move(tokens)).build(std::move(vocabulary));
}

/// What a folder makes of its tokenizer.json, besides the token types.
Result<TokenizerSpec> complete(const fs::path& folder, const TokenizerSettings& settings, TokenizerSpec written) {
  if (settings.tokenizer_class != TokenizerClass::kAsWritten) return build(folder, settings, std::move(written));
  ASSIGN_OR_RETURN(SpecialTokens tokens,
                   read_special_tokens(folder, defaults_of(settings.tokenizer_class), written.added_tokens,
                                       /*is_loaded=*/true));
  std::ranges::move(tokens.added, std::back_inserter(written.added_tokens));
  written.named_tokens = std::move(tokens.named);
  return written;
}

void remove_types(TemplateSpec& layout) {
  for (auto* pieces : {&layout.single, &layout.pair}) {
    for (TemplatePiece& piece : *pieces) piece.type_id = 0;
  }
}

std::string describe(const TokenizerSettings& settings, const std::vector<AddedToken>& tokens) {
  std::string words;
  const TokenizerClass own = settings.tokenizer_class;
  if (own == TokenizerClass::kBert || own == TokenizerClass::kMpnet) {
    words += settings.do_lower_case ? "lower-cases, " : "keeps case, ";
    words += settings.strip_accents.value_or(settings.do_lower_case) ? "strips accents, " : "keeps accents, ";
    words += settings.tokenize_chinese_chars ? "splits Chinese, " : "keeps Chinese together, ";
  } else if (settings.add_prefix_space) {
    words += "begins with a space, ";
  }
  // Spelled by strangers, and many: their hash says as much.
  Hasher added(HashKind::kSha256);
  for (const AddedToken& token : tokens) {
    added.update(fmt::format("{} {:?} {:d}{:d}{:d}{:d}{:d}\n", token.content.size(), token.content, token.single_word,
                             token.lstrip, token.rstrip, token.normalized, token.special));
  }
  return fmt::format("{}special tokens {} {}", words, tokens.size(), added.finish());
}

/// What of a tokenizer decides its tokens, the vocabulary aside.
struct Behavior {
  std::vector<AddedToken> added_tokens;
  NormalizerSpec normalizer;
  PreTokenizerSpec pre_tokenizer;
  PostProcessorSpec post_processor;
  std::string model_options;
  bool operator==(const Behavior&) const = default;
};

std::string options_of(const ModelSpec& model) {
  if (const auto* pieces = std::get_if<WordPieceSpec>(&model)) {
    return fmt::format("{:?} {:?} {}", pieces->unk_token, pieces->continuing_subword_prefix,
                       pieces->max_input_chars_per_word);
  }
  if (const auto* unigram = std::get_if<UnigramSpec>(&model)) {
    return fmt::format("{} {}", unigram->unk_id, unigram->byte_fallback);
  }
  const auto& bpe = std::get<BpeSpec>(model);
  return fmt::format("{:?} {:?} {:?} {} {} {}", bpe.unk_token.value_or(""), bpe.continuing_subword_prefix,
                     bpe.end_of_word_suffix, bpe.fuse_unk, bpe.byte_fallback, bpe.ignore_merges);
}

Behavior behavior_of(const TokenizerSpec& spec) {
  return {spec.added_tokens, spec.normalizer, spec.pre_tokenizer, spec.post_processor, options_of(spec.model)};
}

}  // namespace

std::vector<fs::path> tokenizer_files(const fs::path& folder) {
  if (has_entry(folder / "tokenizer.json")) return {folder / "tokenizer.json"};
  const auto settings = read_tokenizer_settings(folder);
  if (!settings) return {};
  std::vector<fs::path> files = older_files(folder, settings->tokenizer_class);
  return std::ranges::all_of(files, has_entry) ? files : std::vector<fs::path>();
}

Result<TokenizerSpec> read_tokenizer_folder(const fs::path& folder) {
  ASSIGN_OR_RETURN(const TokenizerSettings settings, read_tokenizer_settings(folder));
  TokenizerSpec spec;
  bool truncates_left = false;
  if (has_entry(folder / "tokenizer.json")) {
    ASSIGN_OR_RETURN(TokenizerSpec written, read_tokenizer_json(folder / "tokenizer.json"));
    truncates_left = written.truncates_left;
    const Behavior before = behavior_of(written);
    ASSIGN_OR_RETURN(spec, complete(folder, settings, std::move(written)));
    if (behavior_of(spec) != before) {
      spec.settings = fmt::format("as {}, {}", settings.class_name, describe(settings, spec.added_tokens));
    }
  } else {
    ASSIGN_OR_RETURN(spec, build(folder, settings));
    spec.settings = describe(settings, spec.added_tokens);
  }
  spec.truncates_left = settings.truncates_left.value_or(truncates_left);
  if (spec.truncates_left) {
    spec.settings += spec.settings.empty() ? "keeps the ends of texts" : ", keeps the ends of texts";
  }
  if (settings.splits_special_tokens) {
    spec.splits_special_tokens = true;
    spec.settings += spec.settings.empty() ? "splits special tokens" : ", splits special tokens";
  }
  if (!settings.gives_types) remove_types(spec.post_processor.layout);
  return spec;
}

}  // namespace tandem
