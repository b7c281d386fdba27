// Writes a text anew, code point by code point, and gives each the origin that the reference would give it.
#pragma once

#include <cstddef>

#include "tokenizer/normalized_text.h"

namespace tandem {

/// The reference describes a rewritten text as a list of code points, each with a change: 0 where it takes the place of
/// the next code point of the source, 1 where it is one more, -n where it takes the place of the next one and the n
/// that follow are left out. Changes need not be true of each code point: where they are not, origins shift, and they
/// shift here as they do there (NormalizedString::transform of `tokenizers`).
class Rewriter {
 public:
  Rewriter(const SourceText& source, TextWriter& writer)
      : source_(source), writer_(writer), last_(source.text.empty() ? Offset() : source.origin(0, 0)) {
    last_.end = last_.begin;
  }

  bool is_full() const { return writer_.is_full(); }

  void put(char32_t c, std::ptrdiff_t change) {
    if (!writer_.has_origins()) return writer_.put(c, {});
    if (change > 0) return writer_.put(c, last_);
    if (position_ < source_.text.size()) {
      const std::size_t bytes = decode_utf8(source_.text, position_).bytes;
      last_ = source_.origin(position_, bytes);
      writer_.put(c, last_);
      position_ += bytes;
    } else {
      writer_.put(c, last_);
    }
    for (; change < 0 && position_ < source_.text.size(); ++change) {
      const std::size_t bytes = decode_utf8(source_.text, position_).bytes;
      last_ = source_.origin(position_, bytes);
      position_ += bytes;
    }
  }

 private:
  const SourceText& source_;
  TextWriter& writer_;
  std::size_t position_ = 0;  // Of what the next change is about.
  Offset last_;               // Of the code point before it.
};

}  // namespace tandem
