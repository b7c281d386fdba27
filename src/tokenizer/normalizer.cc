#include "tokenizer/normalizer.h"

#include <type_traits>

#include "base/unicode.h"
#include "tokenizer/bert_normalizer.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/text_pattern.h"
#include "tokenizer/unicode_form.h"

namespace tandem {
namespace {

/// Reads a text and writes another: one overload for each step that looks at one code point or at one match a time.
class StepRun {
 public:
  StepRun(const SourceText& source, TextWriter& writer) : source_(source), writer_(writer) {}

  void operator()(LowercaseSpec /*spec*/) {
    for_each([&](char32_t c, Offset origin) {
      if (!code_point_class(c).has(kLowercases)) return writer_.put(c, origin);
      for (const char32_t part : lowercase(c)) writer_.put(part, origin);
    });
  }

  void operator()(StripAccentsSpec /*spec*/) {
    for_each([&](char32_t c, Offset origin) {
      if (!code_point_class(c).has(kMark)) writer_.put(c, origin);
    });
  }

  void operator()(NmtSpec /*spec*/) {
    for_each([&](char32_t c, Offset origin) {
      if (!is_removed_by_nmt(c)) writer_.put(is_space_of_nmt(c) ? U' ' : c, origin);
    });
  }

  void operator()(StripSpec spec) {
    const std::string_view text = source_.text;
    TextSpan kept{0, text.size()};
    const auto is_space_at = [&](std::size_t begin) {
      return code_point_class(decode_utf8(text, begin).code_point).has(kWhitespace);
    };
    while (spec.left && kept.begin < kept.end && is_space_at(kept.begin)) {
      kept.begin += decode_utf8(text, kept.begin).bytes;
    }
    while (spec.right && kept.begin < kept.end) {
      std::size_t last = kept.end - 1;
      while ((text[last] & 0xC0) == 0x80) --last;
      if (!is_space_at(last)) break;
      kept.end = last;
    }
    writer_.copy(source_, kept.begin, kept.end);
  }

  void operator()(const PrependSpec& spec) {
    if (source_.text.empty()) return;
    writer_.put(spec.text, source_.origin(0, decode_utf8(source_.text, 0).bytes));
    writer_.copy(source_, 0, source_.text.size());
  }

  void operator()(const ReplaceSpec& spec) {
    const std::string_view text = source_.text;
    std::size_t copied = 0;
    while (copied < text.size() && !writer_.is_full()) {
      const TextSpan match = find_pattern(spec.pattern, text, copied);
      writer_.copy(source_, copied, match.begin);
      if (match.empty()) break;
      copied = match.end;
      // All of it has the origin of the last code point that it stands for.
      std::size_t last = match.end - 1;
      while ((text[last] & 0xC0) == 0x80) --last;
      writer_.put(spec.content, source_.origin(last, match.end - last));
    }
  }

  void operator()(ByteLevelNormalizerSpec /*spec*/) { put_byte_characters(source_, 0, source_.text.size(), writer_); }

 private:
  template <class Visit>
  void for_each(const Visit& visit) {
    for (std::size_t position = 0; position < source_.text.size() && !writer_.is_full();) {
      const Utf8Step step = decode_utf8(source_.text, position);
      visit(step.code_point, writer_.has_origins() ? source_.origin(position, step.bytes) : Offset());
      position += step.bytes;
    }
  }

  static bool is_removed_by_nmt(char32_t c) {
    return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
  }

  static bool is_space_of_nmt(char32_t c) {
    return c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
           c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
  }

  const SourceText& source_;
  TextWriter& writer_;
};

}  // namespace

Normalizer::Normalizer(const NormalizerSpec& spec) {
  for (const NormalizerStep& step : spec) {
    std::visit(
        [&](const auto& kind) {
          if constexpr (std::is_same_v<decltype(kind), const PrecompiledSpec&>) {
            steps_.emplace_back(Precompiled(kind.charsmap));
          } else {
            steps_.emplace_back(kind);
          }
        },
        step);
  }
}

void Normalizer::normalize(std::string_view original, std::size_t original_begin, bool origins, TextBudget& budget,
                           NormalizedText& spare, NormalizedText& result) const {
  SourceText source{original, nullptr, original_begin};
  result.clear();
  if (steps_.empty()) {
    budget.begin_step(original.size());
    TextWriter(origins, budget, result).copy(source, 0, original.size());
  }
  for (std::size_t index = 0; index < steps_.size() && !budget.is_spent(); ++index) {
    // The texts change places so that the last step writes the result.
    NormalizedText& target = (steps_.size() - index) % 2 == 1 ? result : spare;
    target.clear();
    budget.begin_step(source.text.size());
    TextWriter writer(origins, budget, target);
    std::visit(
        [&](const auto& step) {
          using Kind = std::decay_t<decltype(step)>;
          if constexpr (std::is_same_v<Kind, BertNormalizerSpec>) {
            normalize_bert(step, source, writer);
          } else if constexpr (std::is_same_v<Kind, UnicodeFormSpec>) {
            apply_unicode_form(step, source, writer);
          } else if constexpr (std::is_same_v<Kind, Precompiled>) {
            step.normalize(source, writer);
          } else {
            StepRun(source, writer)(step);
          }
        },
        steps_[index]);
    source = SourceText::of(target);
  }
}

}  // namespace tandem
