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
#include "formats/tokenizer_json.h"
#include "formats/tokenizer_json_model.h"

namespace tandem {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kWordCharsMax = 100;  // max_input_chars_per_word, which these files do not say.

const SpecialTokenNames kRobertaNames{
    .bos = "<s>", .eos = "</s>", .unk = "<unk>", .sep = "</s>", .pad = "<pad>", .cls = "<s>", .mask = "<mask>"};

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

/// The ids that tokens will have: the vocabulary's, or, for new ones, those that follow.
std::map<std::string, std::int32_t> future_ids(const TokenIds& ids, const std::vector<AddedToken>& added) {
  std::map<std::string, std::int32_t> result;
  auto next = static_cast<std::int32_t>(ids.size());
  for (const AddedToken& token : added) {
    const auto known = ids.find(token.content);
    result.emplace(token.content, known != ids.end() ? known->second : next++);
  }
  return result;
}

std::string name_of_model_type(const fs::path& folder) {
  const auto config = JsonDocument::read_file(folder / "config.json");
  if (!config) return {};
  const auto type = config->root().find_string("model_type");
  return type && *type ? std::string(**type) : std::string();
}

/// What the small files beside a vocabulary say.
struct FolderSettings {
  bool is_mpnet = false;
  SlowTokenizerOptions options = {};
  SpecialTokens tokens = {};
};

/// `vocabulary`: the name of its file, which tells the family.
Result<FolderSettings> read_settings(const fs::path& folder, const fs::path& vocabulary) {
  FolderSettings settings;
  SlowTokenizerOptions& options = settings.options;
  options.add_prefix_space = vocabulary == "sentencepiece.bpe.model";
  RETURN_IF_ERROR(read_tokenizer_options(folder, options));
  SpecialTokenNames names = kRobertaNames;
  if (vocabulary == "vocab.txt") {
    settings.is_mpnet =
        options.tokenizer_class ? options.tokenizer_class->starts_with("MPNet") : name_of_model_type(folder) == "mpnet";
    const SpecialTokenNames bert{
        .bos = "", .eos = "", .unk = "[UNK]", .sep = "[SEP]", .pad = "[PAD]", .cls = "[CLS]", .mask = "[MASK]"};
    if (!settings.is_mpnet) names = bert;
    names.unk = "[UNK]";
  }
  ASSIGN_OR_RETURN(settings.tokens, read_special_tokens(folder, names, settings.is_mpnet));
  return settings;
}

/// vocab.txt: BERT and its relatives, or MPNet, which differs in its special tokens.
Result<TokenizerSpec> read_word_piece_folder(const fs::path& folder) {
  ASSIGN_OR_RETURN(FolderSettings settings, read_settings(folder, "vocab.txt"));
  auto& [is_mpnet, options, tokens] = settings;

  const fs::path path = folder / "vocab.txt";
  WordPieceSpec model;
  model.unk_token = tokens.names.unk;
  model.continuing_subword_prefix = "##";
  model.max_input_chars_per_word = kWordCharsMax;
  ASSIGN_OR_RETURN(model.vocabulary, read_vocab_txt(path));
  ASSIGN_OR_RETURN(const TokenIds ids, check_vocabulary(model.vocabulary, path.string()));
  RETURN_IF_ERROR(check_affix(model.unk_token, "unk_token", path.string()));
  RETURN_IF_ERROR(check_has_token(ids, model.unk_token, "unk_token", path.string()));
  auto added_ids = future_ids(ids, tokens.added);

  TokenizerSpec spec;
  spec.normalizer.emplace_back(
      BertNormalizerSpec{.clean_text = true,
                         .handle_chinese_chars = options.tokenize_chinese_chars,
                         .strip_accents = options.strip_accents.value_or(options.do_lower_case),
                         .lowercase = options.do_lower_case});
  spec.pre_tokenizer.emplace_back(BertPreTokenizerSpec{});
  const std::int32_t cls = added_ids[tokens.names.cls];
  const std::int32_t sep = added_ids[tokens.names.sep];
  if (is_mpnet) {
    spec.post_processor = {{OffsetTrimSpec{.add_prefix_space = false}}, roberta_template(cls, sep)};
  } else {
    spec.post_processor.layout = bert_template(cls, sep);
  }
  spec.added_tokens = std::move(tokens.added);
  spec.model = std::move(model);
  return spec;
}

/// vocab.json and merges.txt: RoBERTa and its relatives.
Result<TokenizerSpec> read_byte_level_folder(const fs::path& folder) {
  ASSIGN_OR_RETURN(FolderSettings settings, read_settings(folder, "vocab.json"));
  auto& [is_mpnet, options, tokens] = settings;

  const fs::path vocabulary_path = folder / "vocab.json";
  const fs::path merges_path = folder / "merges.txt";
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
  auto added_ids = future_ids(ids, tokens.added);

  TokenizerSpec spec;
  spec.pre_tokenizer.emplace_back(ByteLevelSpec{.add_prefix_space = options.add_prefix_space, .use_regex = true});
  spec.post_processor.layout = roberta_template(added_ids[tokens.names.cls], added_ids[tokens.names.sep]);
  if (options.trim_offsets) spec.post_processor.trims = {OffsetTrimSpec{options.add_prefix_space}};
  spec.added_tokens = std::move(tokens.added);
  spec.model = std::move(model);
  return spec;
}

/// sentencepiece.bpe.model: XLM-RoBERTa, whose ids are one more than the model's, since four tokens take the place of
/// the first three, and which has one more at the end.
Result<TokenizerSpec> read_sentencepiece_folder(const fs::path& folder, const fs::path& path) {
  ASSIGN_OR_RETURN(FolderSettings settings, read_settings(folder, path.filename()));
  auto& [is_mpnet, options, tokens] = settings;
  ASSIGN_OR_RETURN(SentencePieceModel pieces, read_sentencepiece_model(path));

  const SpecialTokenNames& names = tokens.names;
  constexpr std::size_t kReplaced = 3;
  UnigramSpec model;
  model.pieces = {{names.bos, 0}, {names.pad, 0}, {names.eos, 0}, {names.unk, 0}};
  model.unk_id = 3;
  OwnedStringSet added;
  for (const AddedToken& token : tokens.added) added.insert(token.content);
  for (std::size_t index = kReplaced; index < pieces.pieces.size(); ++index) {
    SentencePiece& piece = pieces.pieces[index];
    if ((piece.is_user_defined || piece.is_control) && added.insert(piece.spelling).second) {
      tokens.added.push_back({.content = piece.spelling, .special = piece.is_control});
    }
    model.pieces.push_back({std::move(piece.spelling), piece.score});
  }
  model.pieces.push_back({names.mask, 0});
  RETURN_IF_ERROR(check_unigram(model, path.string()));

  TokenizerSpec spec;
  if (pieces.charsmap) spec.normalizer.emplace_back(PrecompiledSpec{std::move(pieces.charsmap)});
  spec.pre_tokenizer.emplace_back(WhitespaceSplitSpec{});
  spec.pre_tokenizer.emplace_back(MetaspaceSpec{
      .replacement = "\u2581",
      .prepend = options.add_prefix_space ? MetaspaceSpec::Prepend::kAlways : MetaspaceSpec::Prepend::kNever,
      .split = true});
  spec.post_processor.layout = roberta_template(0, 2);
  spec.added_tokens = std::move(tokens.added);
  spec.model = std::move(model);
  return spec;
}

}  // namespace

std::vector<fs::path> tokenizer_files(const fs::path& folder) {
  if (has_entry(folder / "tokenizer.json")) return {folder / "tokenizer.json"};
  if (has_entry(folder / "vocab.json") && has_entry(folder / "merges.txt")) {
    return {folder / "vocab.json", folder / "merges.txt"};
  }
  for (const char* const name : {"sentencepiece.bpe.model", "vocab.txt"}) {
    if (has_entry(folder / name)) return {folder / name};
  }
  return {};
}

Result<std::string> describe_tokenizer(const fs::path& folder) {
  const std::vector<fs::path> files = tokenizer_files(folder);
  if (files.empty() || files[0].filename() == "tokenizer.json") return std::string();
  ASSIGN_OR_RETURN(const FolderSettings settings, read_settings(folder, files[0].filename()));
  const SlowTokenizerOptions& options = settings.options;
  std::string words;
  if (files[0].filename() == "vocab.txt") {
    words += options.do_lower_case ? "lower-cases, " : "keeps case, ";
    words += options.strip_accents.value_or(options.do_lower_case) ? "strips accents, " : "keeps accents, ";
    words += options.tokenize_chinese_chars ? "splits Chinese, " : "keeps Chinese together, ";
  } else if (options.add_prefix_space) {
    words += "begins with a space, ";
  }
  // Spelled by strangers, and many: their hash says as much.
  Hasher added(HashKind::kSha256);
  for (const AddedToken& token : settings.tokens.added) {
    added.update(fmt::format("{} {:?} {:d}{:d}{:d}{:d}{:d}\n", token.content.size(), token.content, token.single_word,
                             token.lstrip, token.rstrip, token.normalized, token.special));
  }
  return fmt::format("{}special tokens {} {}", words, settings.tokens.added.size(), added.finish());
}

Result<TokenizerSpec> read_tokenizer_folder(const fs::path& folder) {
  const std::vector<fs::path> files = tokenizer_files(folder);
  const fs::path name = files.empty() ? fs::path() : files[0].filename();
  if (name == "tokenizer.json") return read_tokenizer_json(files[0]);
  if (name == "vocab.json") return read_byte_level_folder(folder);
  if (name == "sentencepiece.bpe.model") return read_sentencepiece_folder(folder, files[0]);
  if (name == "vocab.txt") return read_word_piece_folder(folder);
  return fail(ErrorCode::kNotFound,
              "{}: no tokenizer.json, and neither vocab.txt, vocab.json with merges.txt nor sentencepiece.bpe.model",
              folder.string());
}

}  // namespace tandem
