#include "tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/unicode.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/word_regex.h"

namespace tandem {
namespace {

// Each of these cuts a word into pieces that cover it without a gap, and stops where there are `pieces_max`: then the
// last one is the rest of the word.

/// Cuts at code points that `is_match` tells, each a piece of its own.
template <class IsMatch>
void cut_at(std::string_view text, TextSpan word, const IsMatch& is_match, std::size_t pieces_max,
            std::vector<PatternPiece>& pieces) {
  std::size_t begin = word.begin;
  for (std::size_t position = word.begin; position < word.end && pieces.size() < pieces_max;) {
    const Utf8Step step = decode_utf8(text, position);
    const std::size_t next = position + step.bytes;
    if (is_match(code_point_class(step.code_point))) {
      if (begin < position) pieces.push_back({{begin, position}, false});
      pieces.push_back({{position, next}, true});
      begin = next;
    }
    position = next;
  }
  if (begin < word.end) pieces.push_back({{begin, word.end}, false});
}

/// Cuts at the matches of a pattern.
void cut_at(std::string_view text, TextSpan word, const TextPattern& pattern, std::size_t pieces_max,
            std::vector<PatternPiece>& pieces) {
  text = text.substr(0, word.end);
  while (word.begin < word.end) {
    const bool is_full = pieces.size() >= pieces_max;
    const TextSpan match = is_full ? TextSpan{word.end, word.end} : find_pattern(pattern, text, word.begin);
    if (word.begin < match.begin) pieces.push_back({{word.begin, match.begin}, false});
    if (match.empty()) break;
    pieces.push_back({match, true});
    word.begin = match.end;
  }
}

void cut_at(std::string_view text, TextSpan word, WordRegex regex, std::size_t pieces_max,
            std::vector<PatternPiece>& pieces) {
  text = text.substr(0, word.end);
  while (word.begin < word.end) {
    const bool is_full = pieces.size() >= pieces_max;
    const std::size_t end = is_full ? word.end : word_end(regex, text, word.begin);
    pieces.push_back({{word.begin, end}, true});
    word.begin = end;
  }
}

/// Makes words of pieces, which cover a word without a gap.
void join(SplitBehavior behavior, std::vector<PatternPiece>& pieces, std::vector<TextSpan>& words) {
  switch (behavior) {
    case SplitBehavior::kIsolated:
      for (const PatternPiece& piece : pieces) words.push_back(piece.span);
      break;
    case SplitBehavior::kRemoved:
      for (const PatternPiece& piece : pieces) {
        if (!piece.is_match) words.push_back(piece.span);
      }
      break;
    case SplitBehavior::kContiguous: {
      const std::size_t first = words.size();
      bool was_match = false;
      for (const PatternPiece& piece : pieces) {
        if (piece.is_match == was_match && words.size() > first) {
          words.back().end = piece.span.end;
        } else {
          words.push_back(piece.span);
        }
        was_match = piece.is_match;
      }
      break;
    }
    case SplitBehavior::kMergedWithPrevious: {
      const std::size_t first = words.size();
      bool was_match = false;
      for (const PatternPiece& piece : pieces) {
        if (piece.is_match && !was_match && words.size() > first) {
          words.back().end = piece.span.end;
        } else {
          words.push_back(piece.span);
        }
        was_match = piece.is_match;
      }
      break;
    }
    case SplitBehavior::kMergedWithNext: {
      const auto first = static_cast<std::ptrdiff_t>(words.size());
      bool was_match = false;
      for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
        if (piece->is_match && !was_match && std::ssize(words) > first) {
          words.back().begin = piece->span.begin;
        } else {
          words.push_back(piece->span);
        }
        was_match = piece->is_match;
      }
      std::reverse(words.begin() + first, words.end());
      break;
    }
  }
}

/// Runs of \w, and runs of what is neither \w nor white space.
void split_words(std::string_view text, TextSpan word, std::vector<TextSpan>& words) {
  enum class Kind { kSpace, kWord, kOther };
  Kind last = Kind::kSpace;
  for (std::size_t position = word.begin; position < word.end;) {
    const Utf8Step step = decode_utf8(text, position);
    const CodePointClass c_class = code_point_class(step.code_point);
    const Kind kind = c_class.has(kWord) ? Kind::kWord : c_class.has(kWhitespace) ? Kind::kSpace : Kind::kOther;
    const std::size_t next = position + step.bytes;
    if (kind != Kind::kSpace) {
      if (kind == last) {
        words.back().end = next;
      } else {
        words.push_back({position, next});
      }
    }
    last = kind;
    position = next;
  }
}

/// White space ends words, and each punctuation character is one.
void split_bert(std::string_view text, TextSpan word, std::vector<TextSpan>& words) {
  std::size_t word_begin = word.begin;
  const auto end_word = [&](std::size_t end) {
    if (word_begin < end) words.push_back({word_begin, end});
  };
  for (std::size_t position = word.begin; position < word.end;) {
    const Utf8Step step = decode_utf8(text, position);
    const std::size_t next = position + step.bytes;
    const CodePointClass c_class = code_point_class(step.code_point);
    if (c_class.has(kWhitespace | kPunctuation)) {
      end_word(position);
      if (c_class.has(kPunctuation)) words.push_back({position, next});
      word_begin = next;
    }
    position = next;
  }
  end_word(word.end);
}

/// One step over all words: one overload for each kind of step.
class StepRun {
 public:
  StepRun(Words& words, TextBudget& budget, bool keeps_bytes)
      : words_(words), budget_(budget), keeps_bytes_(keeps_bytes) {
    std::swap(words.before, words.spans);
    words.spans.clear();
  }

  void operator()(BertPreTokenizerSpec /*spec*/) {
    for (const TextSpan word : words_.before) split_bert(words_.text->text, word, words_.spans);
  }

  void operator()(WhitespaceSpec /*spec*/) {
    for (const TextSpan word : words_.before) split_words(words_.text->text, word, words_.spans);
  }

  void operator()(WhitespaceSplitSpec /*spec*/) {
    split_at([](CodePointClass c_class) { return c_class.has(kWhitespace); }, SplitBehavior::kRemoved, false);
  }

  void operator()(PunctuationSpec spec) {
    split_at([](CodePointClass c_class) { return c_class.has(kPunctuation); }, spec.behavior, false);
  }

  void operator()(DigitsSpec spec) {
    split_at([](CodePointClass c_class) { return c_class.has(kNumeric); },
             spec.individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous, false);
  }

  void operator()(const SplitSpec& spec) {
    if (const auto* literal = std::get_if<LiteralPattern>(&spec.pattern)) {
      split_at(TextPattern(*literal), spec.behavior, spec.invert);
    } else if (const auto* run = std::get_if<RunPattern>(&spec.pattern)) {
      split_at(TextPattern(*run), spec.behavior, spec.invert);
    } else {
      split_at(std::get<WordRegex>(spec.pattern), spec.behavior, spec.invert);
    }
  }

  void operator()(const MetaspaceSpec& spec) {
    rewrite([&](const SourceText& source, TextSpan word, NormalizedText& target, TextWriter& writer) {
      const std::string_view text = source.text.substr(0, word.end);
      const auto begins_with_replacement = [&] {
        return text[word.begin] == ' ' || text.substr(word.begin).starts_with(spec.replacement);
      };
      const auto is_at_start = [&] { return source.origins != nullptr && source.origins[word.begin].begin == 0; };
      using Prepend = MetaspaceSpec::Prepend;
      const bool prepends = spec.prepend == Prepend::kAlways || (spec.prepend == Prepend::kFirst && is_at_start());
      std::size_t begin = target.text.size();
      if (prepends && !begins_with_replacement()) put(source, word.begin, spec.replacement, writer);

      for (std::size_t position = word.begin; position < word.end && !writer.is_full();) {
        const bool is_space = text[position] == ' ';
        const bool cuts = spec.split && (is_space || text.substr(position).starts_with(spec.replacement));
        if (cuts && position > word.begin) {
          add_word({begin, target.text.size()});
          begin = target.text.size();
        }
        const std::size_t bytes = decode_utf8(text, position).bytes;
        if (is_space) {
          put(source, position, spec.replacement, writer);
        } else {
          writer.copy(source, position, position + bytes);
        }
        position += bytes;
      }
      add_word({begin, target.text.size()});
    });
  }

  void operator()(ByteLevelSpec spec) {
    if (spec.add_prefix_space) {
      rewrite([&](const SourceText& source, TextSpan word, NormalizedText& target, TextWriter& writer) {
        const std::size_t begin = target.text.size();
        if (source.text[word.begin] != ' ') put(source, word.begin, " ", writer);
        writer.copy(source, word.begin, word.end);
        add_word({begin, target.text.size()});
      });
      again();
    }
    if (spec.use_regex) {
      split_at(WordRegex::kGpt2, SplitBehavior::kIsolated, false);
      again();
    }
    if (keeps_bytes_) {
      std::swap(words_.before, words_.spans);
      return;
    }
    rewrite([&](const SourceText& source, TextSpan word, NormalizedText& target, TextWriter& writer) {
      const std::size_t begin = target.text.size();
      put_byte_characters(source, word.begin, word.end, writer);
      add_word({begin, target.text.size()});
    });
  }

 private:
  void again() {
    std::swap(words_.before, words_.spans);
    words_.spans.clear();
  }

  /// Nothing is written of a word for which the budget does not last.
  void add_word(TextSpan word) {
    if (!word.empty()) words_.spans.push_back(word);
  }

  /// Something new, with the origin of the code point at `position`.
  static void put(const SourceText& source, std::size_t position, std::string_view text, TextWriter& writer) {
    const bool has_origins = writer.has_origins();
    writer.put(text, has_origins ? source.origin(position, decode_utf8(source.text, position).bytes) : Offset());
  }

  template <class Pattern>
  void split_at(const Pattern& pattern, SplitBehavior behavior, bool invert) {
    for (const TextSpan word : words_.before) {
      if (words_.spans.size() >= budget_.words_max()) return budget_.spend();
      words_.pieces.clear();
      cut_at(words_.text->text, word, pattern, budget_.words_max(), words_.pieces);
      if (invert) {
        for (PatternPiece& piece : words_.pieces) piece.is_match = !piece.is_match;
      }
      join(behavior, words_.pieces, words_.spans);
    }
  }

  /// Writes every word into another text; `write` notes what words become of it.
  template <class Write>
  void rewrite(const Write& write) {
    NormalizedText& target = words_.text == &words_.texts[0] ? words_.texts[1] : words_.texts[0];
    target.clear();
    const SourceText source = SourceText::of(*words_.text);
    std::size_t source_bytes = 0;
    for (const TextSpan word : words_.before) source_bytes += word.end - word.begin;
    budget_.begin_step(source_bytes);
    TextWriter writer(source.origins != nullptr, budget_, target);
    for (const TextSpan word : words_.before) {
      if (writer.is_full()) break;
      write(source, word, target, writer);
    }
    words_.text = &target;
  }

  Words& words_;
  TextBudget& budget_;
  const bool keeps_bytes_;
};

}  // namespace

PreTokenizer::PreTokenizer(PreTokenizerSpec spec, bool keeps_bytes)
    : spec_(std::move(spec)), keeps_bytes_(keeps_bytes) {}

void PreTokenizer::split(const NormalizedText& text, TextSpan part, TextBudget& budget, Words& words) const {
  words.text = &text;
  words.spans.clear();
  if (part.empty()) return;
  words.spans.push_back(part);
  for (const PreTokenizerStep& step : spec_) {
    if (budget.is_spent()) break;
    std::visit(StepRun(words, budget, keeps_bytes_ && &step == &spec_.back()), step);
  }
}

bool PreTokenizer::needs_origins() const {
  return std::any_of(spec_.begin(), spec_.end(), [](const PreTokenizerStep& step) {
    const auto* metaspace = std::get_if<MetaspaceSpec>(&step);
    return metaspace != nullptr && metaspace->prepend == MetaspaceSpec::Prepend::kFirst;
  });
}

}  // namespace tandem
