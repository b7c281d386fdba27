#include "tandem/tokenizer.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "formats/tokenizer_folder.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/bert_ascii.h"
#include "tokenizer/code_point_index.h"
#include "tokenizer/model.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/offset_trim.h"
#include "tokenizer/post_processor.h"
#include "tokenizer/pre_tokenizer.h"

namespace tandem {
namespace {

// Of all special tokens that are put around texts and pairs: whoever prints tokens prints these for each text.
constexpr std::size_t kTemplateBytesMax = 8192;

// Offsets have 32 bits, and a byte that is not UTF-8 becomes three.
constexpr std::size_t kTextBytesMax = std::size_t{1} << 30;

/// Working memory of one thread, so that encoding allocates only its result.
struct Scratch {
  TextTokens first;
  TextTokens second;
  std::vector<AddedTokenPiece> raw_pieces;
  std::vector<AddedTokenPiece> normalized_pieces;
  NormalizedText normalized;
  NormalizedText spare;
  Words words;
  Model::Scratch model;
  std::vector<WordToken> word_tokens;

  /// The memory of this thread, given back after an exceptionally long text.
  static Scratch& of_thread() {
    constexpr std::size_t kTokensKept = 1U << 16;
    constexpr std::size_t kBytesKept = 1U << 20;
    thread_local Scratch scratch;
    if (std::max(scratch.first.ids.capacity(), scratch.second.ids.capacity()) > kTokensKept ||
        scratch.normalized.text.capacity() > kBytesKept) {
      scratch = Scratch();
    }
    return scratch;
  }
};

Offset offset_of(TextSpan span) {
  return {static_cast<std::uint32_t>(span.begin), static_cast<std::uint32_t>(span.end)};
}

/// A text on its way through the stages, and where its code points are, for whoever asks for offsets.
struct Original {
  std::string_view text;
  CodePointIndex code_points = {};  ///< Of nothing, where nobody asks for it.
};

/// A text that was not UTF-8, made so, and the way back.
struct RepairedText {
  std::string text;
  std::vector<std::uint32_t> origins;  ///< For each byte of `text`, and its end, where it begins in what was given.
};

RepairedText repair(std::string_view text) {
  RepairedText repaired;
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    append_utf8(repaired.text, step.code_point);
    repaired.origins.resize(repaired.text.size(), static_cast<std::uint32_t>(position));
    position += step.bytes;
  }
  repaired.origins.push_back(static_cast<std::uint32_t>(text.size()));
  return repaired;
}

/// Every special token that a template adds.
std::vector<std::int32_t> ids_of(const TemplateSpec& spec) {
  std::vector<std::int32_t> ids;
  for (const auto* pieces : {&spec.single, &spec.pair}) {
    for (const TemplatePiece& piece : *pieces) ids.insert(ids.end(), piece.ids.begin(), piece.ids.end());
  }
  return ids;
}

/// The texts are lower-cased as part of normalising them, so added tokens such as "[SEP]" are still found as they are
/// spelled. A normaliser that does it already stays as it is.
void add_lowercase(NormalizerSpec& normalizer) {
  const auto lowers = [](const NormalizerStep& step) { return std::holds_alternative<LowercaseSpec>(step); };
  if (std::ranges::any_of(normalizer, lowers)) return;
  if (!normalizer.empty()) {
    if (auto* bert = std::get_if<BertNormalizerSpec>(&normalizer[0])) {
      bert->lowercase = true;
      return;
    }
  }
  NormalizerSpec steps;
  steps.reserve(normalizer.size() + 1);
  steps.emplace_back(LowercaseSpec{});
  std::move(normalizer.begin(), normalizer.end(), std::back_inserter(steps));
  normalizer = std::move(steps);
}

/// Whether bytes need not be spelled as characters between the pre-tokenizer and the model.
bool model_reads_bytes(const TokenizerSpec& spec) {
  const auto* const bpe = std::get_if<BpeSpec>(&spec.model);
  return bpe != nullptr && Bpe::can_read_bytes(*bpe) && !spec.pre_tokenizer.empty() &&
         std::holds_alternative<ByteLevelSpec>(spec.pre_tokenizer.back());
}

}  // namespace

class Tokenizer::Impl {
 public:
  /// `reads_bytes`: what model_reads_bytes() says of the specification.
  Impl(TokenizerSpec spec, bool reads_bytes)
      : normalizer_(spec.normalizer),
        pre_tokenizer_(spec.pre_tokenizer, reads_bytes),
        trims_(std::move(spec.post_processor.trims)),
        post_processor_(std::move(spec.post_processor.layout)),
        ascii_splitter_(BertAsciiSplitter::make(spec.normalizer, spec.pre_tokenizer)),
        model_(std::move(spec.model), reads_bytes),
        size_(model_.vocabulary().size()),
        settings_(std::move(spec.settings)) {
    declared_.truncation_side = spec.truncates_left ? TruncationSide::kLeft : TruncationSide::kRight;
    declared_.split_special_tokens = spec.splits_special_tokens;
  }

  /// Gives every added token its id as the reference does: the model's, if it has such a token, else the next one
  /// counted from the number of the model's tokens. Ids in the file are not looked at.
  Status add_tokens(const std::vector<AddedToken>& tokens, std::string_view file) {
    std::map<std::int32_t, AddedTokens::Entry>
        entries;  // Of equal contents the last counts, but special stays special.
    auto next_id = static_cast<std::int32_t>(model_.vocabulary().entries());
    for (const AddedToken& token : tokens) {
      if (token.content.empty()) continue;
      auto known_id = id(token.content);
      if (!known_id) {
        known_id = next_id++;
        if (!this->token(*known_id).empty()) {
          return fail(ErrorCode::kCorruptData, "{}: added_tokens: '{}' would have id {}, which is that of '{}'", file,
                      token.content, *known_id, this->token(*known_id));
        }
        added_ids_.emplace(token.content, *known_id);
        added_spellings_.emplace(*known_id, token.content);
        size_ = std::max(size_, static_cast<std::size_t>(*known_id) + 1);
      }
      const bool was_special = entries[*known_id].token.special;
      entries[*known_id] = {token, *known_id, token.content};
      entries[*known_id].token.special |= was_special;
    }

    std::vector<AddedTokens::Entry> raw;
    std::vector<AddedTokens::Entry> normalized;
    std::size_t content_bytes = 0;
    for (const auto& [id, entry] : entries) content_bytes += entry.token.content.size();
    TextBudget budget(content_bytes);
    for (auto& [id, entry] : entries) {
      if (entry.token.normalized) {
        NormalizedText text;
        NormalizedText spare;
        normalizer_.normalize(entry.token.content, 0, false, budget, spare, text);
        entry.pattern = std::move(text.text);
      }
      if (budget.is_spent()) {
        return fail(ErrorCode::kUnsupported, "{}: added_tokens: normalising their {} bytes makes too many of them",
                    file, content_bytes);
      }
      (entry.token.normalized ? normalized : raw).push_back(std::move(entry));
    }
    raw_added_tokens_ = AddedTokens(std::move(raw));
    normalized_added_tokens_ = AddedTokens(std::move(normalized));
    // A token of the normalised text may reach across words.
    if (!normalized_added_tokens_.empty()) ascii_splitter_.reset();
    return {};
  }

  void note_special(const std::vector<std::string>& tokens) {
    for (const std::string& token : tokens) {
      if (const auto known = id(token)) special_ids_.insert(*known);
    }
  }

  Encoding encode(std::string_view first, const std::string_view* second, const EncodeOptions& options) const {
    Scratch& scratch = Scratch::of_thread();
    tokenize(first, options, scratch, scratch.first);
    if (second != nullptr) tokenize(*second, options, scratch, scratch.second);
    return post_processor_.process(scratch.first, second != nullptr ? &scratch.second : nullptr, options);
  }

  std::string_view token(std::int32_t id) const {
    const auto added = added_spellings_.find(id);
    return added != added_spellings_.end() ? std::string_view(added->second) : model_.vocabulary().spelling(id);
  }

  std::optional<std::int32_t> id(std::string_view token) const {
    const auto added = added_ids_.find(token);
    if (added != added_ids_.end()) return added->second;
    const std::int32_t id = model_.vocabulary().id(token);
    return id != Trie::kNoValue ? std::optional(id) : std::nullopt;
  }

  std::size_t vocabulary_size() const { return size_; }

  SequenceLayout layout(bool pair) const { return post_processor_.layout(pair); }
  const EncodeOptions& declared() const { return declared_; }
  const std::string& settings() const { return settings_; }
  bool is_special(std::int32_t id) const { return special_ids_.contains(id); }

 private:
  /// Tokens of one text, with offsets in the unit that `options` ask for.
  void tokenize(std::string_view text, const EncodeOptions& options, Scratch& scratch, TextTokens& tokens) const {
    text = text.substr(0, kTextBytesMax);
    tokens.clear();
    if (is_utf8(text)) {
      tokenize_utf8(text, options, scratch, tokens);
      return;
    }
    const RepairedText repaired = repair(text);
    tokenize_utf8(repaired.text, options, scratch, tokens);
    if (options.offsets != OffsetUnit::kBytes) return;
    for (auto* offsets : {&tokens.offsets, &tokens.offsets_if_first}) {
      for (Offset& offset : *offsets) offset = {repaired.origins[offset.begin], repaired.origins[offset.end]};
    }
  }

  void tokenize_utf8(std::string_view text, const EncodeOptions& options, Scratch& scratch, TextTokens& tokens) const {
    const bool offsets = options.offsets != OffsetUnit::kNone;
    Original original{text};
    if (options.offsets == OffsetUnit::kCodePoints || (offsets && !trims_.empty())) {
      original.code_points = CodePointIndex(text);
    }
    EdgeSpaceCounter spaces(text);
    TextBudget budget(text.size());
    raw_added_tokens_.split(text, options.split_special_tokens, budget, scratch.raw_pieces);
    for (const AddedTokenPiece& piece : scratch.raw_pieces) {
      if (budget.is_spent()) break;
      if (piece.id != Trie::kNoValue) {
        tokens.ids.push_back(piece.id);
        if (offsets) add_offset(original, spaces.count(piece.span), offset_of(piece.span), tokens);
      } else {
        tokenize_piece(original, piece.span, options, budget, scratch, tokens);
      }
    }
    tokens.is_cut = budget.is_spent();
    if (options.offsets == OffsetUnit::kCodePoints) {
      const CodePointIndex& index = original.code_points;
      if (index.is_ascii()) return;
      for (auto* list : {&tokens.offsets, &tokens.offsets_if_first}) {
        for (Offset& offset : *list) offset = {index.count_before(offset.begin), index.count_before(offset.end)};
      }
    }
  }

  /// The offset of the token that was added last. `spaces`: of what the reference calls its value.
  void add_offset(const Original& original, EdgeSpaces spaces, Offset offset, TextTokens& tokens) const {
    if (trims_.empty()) {
      tokens.offsets.push_back(offset);
      return;
    }
    const bool is_first = tokens.offsets.empty();
    tokens.offsets.push_back(trim_offset(trims_, spaces, original.code_points, offset, is_first));
    tokens.offsets_if_first.push_back(trim_offset(trims_, spaces, original.code_points, offset, true));
  }

  /// What lies between two added tokens.
  void tokenize_piece(const Original& original, TextSpan piece, const EncodeOptions& options, TextBudget& budget,
                      Scratch& scratch, TextTokens& tokens) const {
    if (!ascii_splitter_) {
      tokenize_general(original, piece, options, budget, scratch, tokens);
      return;
    }
    const bool offsets = options.offsets != OffsetUnit::kNone;
    const std::string_view until_end = original.text.substr(0, piece.end);
    BertAsciiSplitter::Buffer buffer;
    for (std::size_t position = piece.begin;;) {
      const BertAsciiSplitter::Part part = ascii_splitter_->next(until_end, position, buffer);
      if (part.begin == part.end || budget.is_spent()) break;
      position = part.end;
      if (part.word.empty()) {
        tokenize_general(original, {part.begin, part.end}, options, budget, scratch, tokens);
        continue;
      }
      model_.tokenize(part.word, budget, scratch.model, scratch.word_tokens);
      for (const WordToken& token : scratch.word_tokens) {
        tokens.ids.push_back(token.id);
        if (!offsets) continue;
        const TextSpan span{part.begin + token.begin, part.begin + token.end};
        add_offset(original, count_edge_spaces(model_.value(token, part.word)), offset_of(span), tokens);
      }
    }
  }

  /// A piece of the text, through every stage.
  void tokenize_general(const Original& original, TextSpan piece, const EncodeOptions& options, TextBudget& budget,
                        Scratch& scratch, TextTokens& tokens) const {
    const bool offsets = options.offsets != OffsetUnit::kNone;
    const bool has_origins = offsets || (piece.begin == 0 && pre_tokenizer_.needs_origins());
    normalizer_.normalize(piece.of(original.text), piece.begin, has_origins, budget, scratch.spare, scratch.normalized);
    const NormalizedText& normalized = scratch.normalized;
    EdgeSpaceCounter spaces(normalized.text);
    normalized_added_tokens_.split(normalized.text, options.split_special_tokens, budget, scratch.normalized_pieces);
    for (const AddedTokenPiece& part : scratch.normalized_pieces) {
      if (part.id == Trie::kNoValue) {
        pre_tokenizer_.split(normalized, part.span, budget, scratch.words);
        for (const TextSpan& word : scratch.words.spans) {
          if (budget.is_spent()) return;
          tokenize_word(original, word, offsets, budget, scratch, tokens);
        }
        continue;
      }
      tokens.ids.push_back(part.id);
      if (!offsets) continue;
      const Offset offset{normalized.origins[part.span.begin].begin, normalized.origins[part.span.end - 1].end};
      add_offset(original, spaces.count(part.span), offset, tokens);
    }
  }

  void tokenize_word(const Original& original, TextSpan span, bool offsets, TextBudget& budget, Scratch& scratch,
                     TextTokens& tokens) const {
    const std::string_view word = span.of(scratch.words.text->text);
    model_.tokenize(word, budget, scratch.model, scratch.word_tokens);
    if (!offsets) {
      for (const WordToken& token : scratch.word_tokens) tokens.ids.push_back(token.id);
      return;
    }
    const std::vector<Offset>& origins = scratch.words.text->origins;
    for (const WordToken& token : scratch.word_tokens) {
      tokens.ids.push_back(token.id);
      const Offset offset{origins[span.begin + token.begin].begin, origins[span.begin + token.end - 1].end};
      add_offset(original, count_edge_spaces(model_.value(token, word)), offset, tokens);
    }
  }

  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  AddedTokens raw_added_tokens_;         // Looked for in the text as given.
  AddedTokens normalized_added_tokens_;  // Looked for in the normalised text.
  std::vector<OffsetTrimSpec> trims_;
  PostProcessor post_processor_;
  std::optional<BertAsciiSplitter> ascii_splitter_;  // Where the stages allow it.
  Model model_;
  std::map<std::string, std::int32_t, std::less<>> added_ids_;  // Of the added tokens that the model does not have.
  std::map<std::int32_t, std::string> added_spellings_;
  std::size_t size_;
  EncodeOptions declared_;
  std::string settings_;
  std::set<std::int32_t> special_ids_;
};

Result<Tokenizer> Tokenizer::open(const std::filesystem::path& folder, const TokenizerOptions& options) {
  ASSIGN_OR_RETURN(TokenizerSpec spec, read_tokenizer_folder(folder));
  const std::string name = folder.string();
  if (options.lower_case) add_lowercase(spec.normalizer);
  const std::vector<AddedToken> added_tokens = std::move(spec.added_tokens);
  const std::vector<std::string> named_tokens = std::move(spec.named_tokens);
  const std::vector<std::int32_t> template_ids = ids_of(spec.post_processor.layout);
  const bool reads_bytes = model_reads_bytes(spec);  // Arguments have no order: not beside what moves it.
  auto impl = std::make_unique<Impl>(std::move(spec), reads_bytes);
  RETURN_IF_ERROR(impl->add_tokens(added_tokens, name));
  impl->note_special(named_tokens);
  std::size_t template_bytes = 0;
  for (const std::int32_t id : template_ids) {
    if (impl->token(id).empty()) {
      return fail(ErrorCode::kCorruptData, "{}: post_processor: id {} is not in the vocabulary", name, id);
    }
    template_bytes += impl->token(id).size();
  }
  if (template_bytes > kTemplateBytesMax) {
    return fail(ErrorCode::kUnsupported, "{}: post_processor: the special tokens have {} bytes, want at most {}", name,
                template_bytes, kTemplateBytesMax);
  }
  return Tokenizer(std::move(impl));
}

Encoding Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  return impl_->encode(text, nullptr, options);
}

Encoding Tokenizer::encode(std::string_view first, std::string_view second, const EncodeOptions& options) const {
  return impl_->encode(first, &second, options);
}

std::string_view Tokenizer::token(std::int32_t id) const { return impl_->token(id); }
std::optional<std::int32_t> Tokenizer::id(std::string_view token) const { return impl_->id(token); }
std::size_t Tokenizer::vocabulary_size() const { return impl_->vocabulary_size(); }
SequenceLayout Tokenizer::layout(bool pair) const { return impl_->layout(pair); }
EncodeOptions Tokenizer::declared_options() const { return impl_->declared(); }
bool Tokenizer::is_special(std::int32_t id) const { return impl_->is_special(id); }
const std::string& Tokenizer::settings() const { return impl_->settings(); }

Tokenizer::Tokenizer(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

}  // namespace tandem
