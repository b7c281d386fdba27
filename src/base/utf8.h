// UTF-8, valid or not.
//
// Invalid bytes are read as the Unicode standard recommends (chapter 3.9, "U+FFFD substitution of maximal subparts"):
// each longest prefix of a valid sequence, or else each single byte, counts as one U+FFFD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tandem {

/// One step through a text.
struct Utf8Step {
  char32_t code_point;
  std::uint8_t bytes;  ///< How many bytes it took, 1 to 4.
  bool valid;          ///< False: `code_point` is U+FFFD in place of `bytes` bytes that are not UTF-8.
};

/// Reads the code point at `position`, which must be inside `text`.
Utf8Step decode_utf8(std::string_view text, std::size_t position);

/// Appends a code point (a Unicode scalar value) as UTF-8.
void append_utf8(std::string& text, char32_t code_point);

bool is_utf8(std::string_view text);

/// `text` with U+FFFD in place of what is not UTF-8.
std::string to_valid_utf8(std::string_view text);

}  // namespace tandem
