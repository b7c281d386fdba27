// A text on its way to the model, and where each of its bytes comes from.
#pragma once

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

/// Appends to a NormalizedText, with origins only if they are wanted.
class TextWriter {
 public:
  TextWriter(bool origins, NormalizedText& result) : origins_(origins), result_(result) {}

  bool has_origins() const { return origins_; }

  void put(char32_t c, Offset origin) {
    append_utf8(result_.text, c);
    if (origins_) result_.origins.resize(result_.text.size(), origin);
  }

  void put(std::string_view text, Offset origin) {
    result_.text.append(text);
    if (origins_) result_.origins.resize(result_.text.size(), origin);
  }

  /// The bytes [begin, end) of `source`, unchanged.
  void copy(const SourceText& source, std::size_t begin, std::size_t end) {
    if (!origins_) {
      result_.text.append(source.text, begin, end - begin);
      return;
    }
    while (begin < end) {
      const std::size_t bytes = decode_utf8(source.text, begin).bytes;
      put(source.text.substr(begin, bytes), source.origin(begin, bytes));
      begin += bytes;
    }
  }

 private:
  const bool origins_;
  NormalizedText& result_;
};

}  // namespace tandem
