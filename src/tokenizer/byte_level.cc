#include "tokenizer/byte_level.h"

namespace tandem {
namespace {

constexpr char32_t kFirstOther = 0x100;

constexpr bool is_printable(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr std::array<char32_t, 256> make_characters() {
  std::array<char32_t, 256> characters{};
  char32_t next = kFirstOther;
  for (unsigned byte = 0; byte < 256; ++byte) characters[byte] = is_printable(byte) ? byte : next++;
  return characters;
}

constexpr std::size_t kCharactersEnd = 0x144;

constexpr std::array<std::int16_t, kCharactersEnd> make_bytes() {
  std::array<std::int16_t, kCharactersEnd> bytes{};
  bytes.fill(-1);
  for (unsigned byte = 0; byte < 256; ++byte) bytes[make_characters()[byte]] = static_cast<std::int16_t>(byte);
  return bytes;
}

constexpr std::array<std::int16_t, kCharactersEnd> kBytes = make_bytes();

}  // namespace

const std::array<char32_t, 256> kByteCharacters = make_characters();

std::optional<std::string> bytes_of_characters(std::string_view characters) {
  std::string bytes;
  for (std::size_t position = 0; position < characters.size();) {
    const Utf8Step step = decode_utf8(characters, position);
    if (step.code_point >= kCharactersEnd || kBytes[step.code_point] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(kBytes[step.code_point]));
    position += step.bytes;
  }
  return bytes;
}

void put_byte_characters(const SourceText& source, std::size_t begin, std::size_t end, TextWriter& writer) {
  while (begin < end && !writer.is_full()) {
    const std::size_t bytes = decode_utf8(source.text, begin).bytes;
    const Offset origin = writer.has_origins() ? source.origin(begin, bytes) : Offset();
    for (std::size_t index = 0; index < bytes; ++index) {
      writer.put(kByteCharacters[static_cast<std::uint8_t>(source.text[begin + index])], origin);
    }
    begin += bytes;
  }
}

}  // namespace tandem
