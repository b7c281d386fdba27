// Finds the small patterns that normalisers replace and pre-tokenizers split at.
#pragma once

#include <string.h>  // memmem, which <cstring> does not promise.

#include <cstddef>
#include <string_view>
#include <variant>

#include "base/unicode.h"
#include "base/utf8.h"
#include "formats/tokenizer_spec.h"

namespace tandem {

/// Bytes [begin, end) of a text.
struct TextSpan {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
  bool empty() const { return begin == end; }
};

inline TextSpan find_pattern(const LiteralPattern& pattern, std::string_view text, std::size_t begin) {
  if (begin >= text.size()) return {text.size(), text.size()};
  // memmem(3) takes linear time, where std::string_view::find() may compare the whole pattern at every place.
  const void* const found =
      ::memmem(text.data() + begin, text.size() - begin, pattern.text.data(), pattern.text.size());
  if (found == nullptr) return {text.size(), text.size()};
  const auto place = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
  return {place, place + pattern.text.size()};
}

inline TextSpan find_pattern(const RunPattern& pattern, std::string_view text, std::size_t begin) {
  const auto is_wanted = [&](char32_t c) {
    return pattern.code_point ? c == *pattern.code_point : code_point_class(c).has(kSpace);
  };
  TextSpan run{begin, begin};
  for (std::size_t count = 0; run.end < text.size();) {
    const Utf8Step step = decode_utf8(text, run.end);
    if (is_wanted(step.code_point)) {
      run.end += step.bytes;
      ++count;
      if (run.end < text.size()) continue;
      if (count >= pattern.length_min) return run;
      break;
    }
    if (count >= pattern.length_min) return run;
    count = 0;
    run.end += step.bytes;
    run.begin = run.end;
  }
  return {text.size(), text.size()};
}

/// The first match at or after `begin`; empty where there is none.
inline TextSpan find_pattern(const TextPattern& pattern, std::string_view text, std::size_t begin) {
  return std::visit([&](const auto& kind) { return find_pattern(kind, text, begin); }, pattern);
}

}  // namespace tandem
