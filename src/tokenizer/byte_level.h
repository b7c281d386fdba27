// The alphabet of byte-level models: every byte has a printable character of its own.
// See bytes_to_unicode in the sources of GPT-2.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tokenizer/normalized_text.h"

namespace tandem {

/// The character of each byte: printable ones of Latin-1 stand for themselves, the others follow from U+0100 on.
extern const std::array<char32_t, 256> kByteCharacters;

/// The character of the space.
constexpr char32_t kByteSpace = 0x120;

/// The bytes that characters of the alphabet stand for. Nothing, if there is another character among them.
std::optional<std::string> bytes_of_characters(std::string_view characters);

/// Appends the bytes [begin, end) of `source` as characters.
void put_byte_characters(const SourceText& source, std::size_t begin, std::size_t end, TextWriter& writer);

}  // namespace tandem
