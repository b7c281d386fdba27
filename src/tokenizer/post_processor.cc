#include "tokenizer/post_processor.h"

#include <algorithm>
#include <utility>

namespace tandem {
namespace {

/// How many tokens of each text stay.
struct Lengths {
  std::size_t first = 0;
  std::size_t second = 0;
};

/// Tokens leave the longer text until both fit in `tokens_max`, which they do not yet. When both must be shortened and
/// the number is odd, the longer one keeps one token more, and the second one if they are of equal length.
Lengths truncate_longest_first(Lengths lengths, std::size_t tokens_max) {
  const std::size_t shorter = std::min({lengths.first, lengths.second, tokens_max / 2});
  const std::size_t longer = tokens_max - shorter;
  return lengths.first > lengths.second ? Lengths{longer, shorter} : Lengths{shorter, longer};
}

Lengths truncate(const TextTokens& first, const TextTokens* second, std::size_t added, const EncodeOptions& options) {
  const Lengths full{first.ids.size(), second != nullptr ? second->ids.size() : 0};
  if (options.tokens_max == 0) return full;
  const std::size_t room = options.tokens_max - std::min(options.tokens_max, added);
  const std::size_t total = full.first + full.second;
  if (total <= room) return full;

  const std::size_t excess = total - room;
  if (second == nullptr) return {room, 0};
  if (options.truncation == TruncationStrategy::kOnlyFirst && full.first > excess) {
    return {full.first - excess, full.second};
  }
  if (options.truncation == TruncationStrategy::kOnlySecond && full.second > excess) {
    return {full.first, full.second - excess};
  }
  return truncate_longest_first(full, room);
}

}  // namespace

PostProcessor::PostProcessor(TemplateSpec spec) : spec_(std::move(spec)) {}

SequenceLayout PostProcessor::layout(bool pair) const {
  SequenceLayout layout;
  for (const TemplatePiece& piece : pair ? spec_.pair : spec_.single) {
    layout.special_tokens += piece.ids.size();
    layout.token_types = std::max(layout.token_types, static_cast<std::size_t>(piece.type_id) + 1);
  }
  return layout;
}

Encoding PostProcessor::process(const TextTokens& first, const TextTokens* second, const EncodeOptions& options) const {
  const std::vector<TemplatePiece>& pieces = second != nullptr ? spec_.pair : spec_.single;
  const std::size_t added = options.add_special_tokens ? layout(second != nullptr).special_tokens : 0;
  const Lengths kept = truncate(first, second, added, options);
  const bool has_offsets = options.offsets != OffsetUnit::kNone;

  Encoding encoding;
  const std::size_t length = kept.first + kept.second + added;
  encoding.ids.reserve(length);
  encoding.type_ids.reserve(length);
  if (has_offsets) encoding.offsets.reserve(length);

  const auto add_text = [&](const TextTokens& text, std::size_t count) {
    const std::size_t dropped = text.ids.size() - count;
    const auto begin = static_cast<std::ptrdiff_t>(options.truncation_side == TruncationSide::kLeft ? dropped : 0);
    const auto end = begin + static_cast<std::ptrdiff_t>(count);
    encoding.ids.insert(encoding.ids.end(), text.ids.begin() + begin, text.ids.begin() + end);
    if (has_offsets) {
      const std::size_t first_index = encoding.offsets.size();
      encoding.offsets.insert(encoding.offsets.end(), text.offsets.begin() + begin, text.offsets.begin() + end);
      if (count > 0 && !text.offsets_if_first.empty()) {
        encoding.offsets[first_index] = text.offsets_if_first[static_cast<std::size_t>(begin)];
      }
    }
    // How many tokens the rest of a text would have had is not known.
    encoding.tokens_dropped += dropped + (text.is_cut ? 1 : 0);
  };
  for (const TemplatePiece& piece : pieces) {
    switch (piece.kind) {
      case TemplatePiece::Kind::kFirstText:
        add_text(first, kept.first);
        break;
      case TemplatePiece::Kind::kSecondText:
        add_text(*second, kept.second);
        break;
      case TemplatePiece::Kind::kSpecialTokens:
        if (!options.add_special_tokens) break;
        encoding.ids.insert(encoding.ids.end(), piece.ids.begin(), piece.ids.end());
        if (has_offsets) encoding.offsets.resize(encoding.ids.size());
        break;
    }
    encoding.type_ids.resize(encoding.ids.size(), piece.type_id);
  }
  return encoding;
}

}  // namespace tandem
