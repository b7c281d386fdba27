#include "formats/charsmap.h"

#include "base/error.h"
#include "base/utf8.h"

namespace tandem {
namespace {

// The longest one of SentencePiece's own tables has 33.
constexpr std::size_t kReplacementBytesMax = 1024;

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t index = 4; index-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[index]);
  return value;
}

/// Visits every node that a string can lead to, each once: `children` is where its children would lie.
Status check_nodes(const Charsmap& charsmap, std::string_view name) {
  const std::vector<std::uint32_t>& units = charsmap.units;
  std::vector<bool> seen(units.size());
  std::vector<std::uint32_t> pending;
  const auto visit = [&](std::uint32_t children) -> Status {
    // A byte changes the low eight bits only, so the whole block must be there.
    if ((children | 0xFFU) >= units.size()) {
      return fail(ErrorCode::kCorruptData, "{}: the trie has {} units, and a node's children lie at {}", name,
                  units.size(), children);
    }
    if (!seen[children]) {
      seen[children] = true;
      pending.push_back(children);
    }
    return {};
  };
  RETURN_IF_ERROR(visit(Charsmap::offset(units[0])));
  while (!pending.empty()) {
    const std::uint32_t children = pending.back();
    pending.pop_back();
    for (std::uint32_t byte = 1; byte < 256; ++byte) {
      const std::uint32_t node = children ^ byte;
      const std::uint32_t unit = units[node];
      if (Charsmap::label(unit) != byte) continue;
      const std::uint32_t next = node ^ Charsmap::offset(unit);
      RETURN_IF_ERROR(visit(next));
      if (!Charsmap::has_value(unit)) continue;
      const std::uint32_t value = Charsmap::value(units[next]);
      const std::string& texts = charsmap.replacements;
      if (value >= texts.size() || (texts[value] & 0xC0) == 0x80) {
        return fail(ErrorCode::kCorruptData,
                    "{}: a replacement begins at byte {}, want the start of a character "
                    "below {}",
                    name, value, texts.size());
      }
      const std::string_view rest = std::string_view(texts).substr(value, kReplacementBytesMax + 1);
      if (rest.size() > kReplacementBytesMax && rest.find('\0') == rest.npos) {
        return fail(ErrorCode::kUnsupported, "{}: the replacement at byte {} has more than {} bytes", name, value,
                    kReplacementBytesMax);
      }
    }
  }
  return {};
}

}  // namespace

Result<Charsmap> parse_charsmap(std::string_view bytes, std::string_view name) {
  constexpr std::uint32_t kUnitBytes = 4;
  if (bytes.size() < kUnitBytes) {
    return fail(ErrorCode::kCorruptData, "{}: {} bytes, want at least {}", name, bytes.size(), kUnitBytes);
  }
  const std::uint32_t trie_bytes = little_endian(bytes);
  bytes.remove_prefix(kUnitBytes);
  if (trie_bytes > bytes.size() || trie_bytes < kUnitBytes || trie_bytes % kUnitBytes != 0) {
    return fail(ErrorCode::kCorruptData, "{}: a trie of {} bytes, want a positive multiple of {} up to {}", name,
                trie_bytes, kUnitBytes, bytes.size());
  }
  Charsmap charsmap;
  charsmap.units.reserve(trie_bytes / kUnitBytes);
  for (std::uint32_t begin = 0; begin < trie_bytes; begin += kUnitBytes) {
    charsmap.units.push_back(little_endian(bytes.substr(begin, kUnitBytes)));
  }
  charsmap.replacements = bytes.substr(trie_bytes);
  if (!is_utf8(charsmap.replacements)) return fail(ErrorCode::kCorruptData, "{}: replacements are not UTF-8", name);
  RETURN_IF_ERROR(check_nodes(charsmap, name));
  return charsmap;
}

}  // namespace tandem
