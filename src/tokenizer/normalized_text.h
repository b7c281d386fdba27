// A text on its way to the model, and where each of its bytes comes from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "tandem/tokenizer.h"

namespace tandem {

struct NormalizedText {
  std::string text;
  /// For each byte of `text`, the bytes of the original text that it stands for; empty when nobody asked. The bytes of
  /// one code point have the same origin, and origins never go back.
  std::vector<Offset> origins;

  void clear() {
    text.clear();
    origins.clear();
  }
};

/// What a step of normalisation reads: the original text, or what the step before wrote.
struct SourceText {
  std::string_view text;
  const Offset* origins = nullptr;  ///< One per byte; null: `text` is the original one.
  std::size_t begin = 0;            ///< Of `text` in the original one, where `origins` is null.

  static SourceText of(const NormalizedText& normalized) {
    return {normalized.text, normalized.origins.empty() ? nullptr : normalized.origins.data(), 0};
  }

  /// Of the code point of `bytes` bytes at `position`.
  Offset origin(std::size_t position, std::size_t bytes) const {
    if (origins != nullptr) return origins[position];
    return {static_cast<std::uint32_t>(begin + position), static_cast<std::uint32_t>(begin + position + bytes)};
  }
};

/// What the stages may still do for one text. A tokenizer's file can describe steps that make gigabytes of one letter,
/// and tokens so long that looking for them takes thousands of steps at each place of a text. So what a text can be
/// made to cost is counted, and where the budget is spent, the text ends. It lasts for the most that normalisation
/// forms make of a text, 11 bytes of each (nothing but U+FDFA in NFKC), and for tokens of 256 bytes that match at every
/// place.
class TextBudget {
 public:
  explicit TextBudget(std::size_t text_bytes)
      : growth_left_(text_bytes * 12 + 1024),
        steps_left_(text_bytes * 256 + 16'384),
        words_max_(text_bytes * 4 + 1024) {}

  bool is_spent() const { return is_spent_; }
  void spend() { is_spent_ = true; }

  /// A step begins that reads so many bytes. It may write as many; more is growth, which all steps together share.
  void begin_step(std::size_t source_bytes) {
    free_left_ = source_bytes;
    take_steps(source_bytes);
  }

  /// How many of `bytes` may be written; where that is fewer, no more may be afterwards.
  std::size_t take_bytes(std::size_t bytes) {
    const std::size_t free = std::min(bytes, free_left_);
    const std::size_t growth = std::min(bytes - free, growth_left_);
    free_left_ -= free;
    growth_left_ -= growth;
    is_spent_ |= free + growth < bytes;
    return free + growth;
  }

  /// Counts bytes that were read by a step, or compared in looking for tokens.
  void take_steps(std::size_t steps) {
    is_spent_ |= steps > steps_left_;
    steps_left_ -= std::min(steps, steps_left_);
  }

  /// Into how many words a step may split the text: they take more memory than the bytes that they are made of.
  std::size_t words_max() const { return words_max_; }

 private:
  std::size_t free_left_ = 0;
  std::size_t growth_left_;
  std::size_t steps_left_;
  std::size_t words_max_;
  bool is_spent_ = false;
};

/// Appends to a NormalizedText, with origins only if they are wanted, as long as the budget lasts.
class TextWriter {
 public:
  TextWriter(bool origins, TextBudget& budget, NormalizedText& result)
      : origins_(origins), budget_(budget), result_(result) {}

  bool has_origins() const { return origins_; }
  /// Nothing that is put is written any more: whoever reads a source may stop, lest it costs what it would have made.
  bool is_full() const { return budget_.is_spent(); }

  void put(char32_t c, Offset origin) {
    if (budget_.is_spent()) return;
    const std::size_t begin = result_.text.size();
    append_utf8(result_.text, c);
    budget_.take_bytes(result_.text.size() - begin);
    if (origins_) result_.origins.resize(result_.text.size(), origin);
  }

  void put(std::string_view text, Offset origin) {
    if (budget_.is_spent() || budget_.take_bytes(text.size()) < text.size()) return;
    result_.text.append(text);
    if (origins_) result_.origins.resize(result_.text.size(), origin);
  }

  /// The bytes [begin, end) of `source`, unchanged.
  void copy(const SourceText& source, std::size_t begin, std::size_t end) {
    if (!origins_) {
      const std::size_t taken = budget_.take_bytes(end - begin);
      if (taken < end - begin) {
        end = begin + taken;
        while (end > begin && (source.text[end] & 0xC0) == 0x80) --end;
      }
      result_.text.append(source.text, begin, end - begin);
      return;
    }
    while (begin < end && !is_full()) {
      const std::size_t bytes = decode_utf8(source.text, begin).bytes;
      put(source.text.substr(begin, bytes), source.origin(begin, bytes));
      begin += bytes;
    }
  }

 private:
  const bool origins_;
  TextBudget& budget_;
  NormalizedText& result_;
};

}  // namespace tandem
