#include "tokenizer/precompiled.h"

#include <utility>

#include "base/grapheme.h"
#include "tokenizer/rewriter.h"

namespace tandem {
namespace {

constexpr std::size_t kClusterBytesEnd = 6;

std::ptrdiff_t count_code_points(std::string_view utf8) {
  std::ptrdiff_t count = 0;
  for (const char byte : utf8) count += (byte & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

/// Holds back the last code point, since what is removed after it counts as its change. What is removed before any
/// code point was written counts nowhere, as in the reference.
class Changes {
 public:
  explicit Changes(Rewriter& rewriter) : rewriter_(rewriter) {}
  ~Changes() { flush(); }
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;

  void keep(char32_t c) { put(c, 0); }

  void replace(std::string_view part, std::string_view replacement) {
    const std::ptrdiff_t old_count = count_code_points(part);
    const std::ptrdiff_t new_count = count_code_points(replacement);
    std::ptrdiff_t index = 0;
    for (std::size_t position = 0; position < replacement.size() && !rewriter_.is_full(); ++index) {
      const Utf8Step step = decode_utf8(replacement, position);
      put(step.code_point, index >= old_count ? 1 : 0);
      position += step.bytes;
    }
    if (new_count < old_count && has_last_) last_change_ += new_count - old_count;
  }

 private:
  void put(char32_t c, std::ptrdiff_t change) {
    flush();
    has_last_ = true;
    last_ = c;
    last_change_ = change;
  }

  void flush() {
    if (has_last_) rewriter_.put(last_, last_change_);
    has_last_ = false;
  }

  Rewriter& rewriter_;
  bool has_last_ = false;
  char32_t last_ = 0;
  std::ptrdiff_t last_change_ = 0;
};

bool is_ascii(char byte) { return (byte & 0x80) == 0; }

}  // namespace

Precompiled::Precompiled(std::shared_ptr<const Charsmap> charsmap) : charsmap_(std::move(charsmap)) {
  // A carriage return may be the first half of a cluster.
  for (std::size_t c = 0; c < 128; ++c) {
    const char byte = static_cast<char>(c);
    stays_[c] = byte != '\r' && !find({&byte, 1});
  }
}

std::optional<std::string_view> Precompiled::find(std::string_view text) const {
  const std::vector<std::uint32_t>& units = charsmap_->units;
  std::uint32_t node = Charsmap::offset(units[0]);
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte == 0) return std::nullopt;
    node ^= byte;
    const std::uint32_t unit = units[node];
    if (Charsmap::label(unit) != byte) return std::nullopt;
    node ^= Charsmap::offset(unit);
    if (Charsmap::has_value(unit)) {
      const std::string_view texts = charsmap_->replacements;
      const std::uint32_t begin = Charsmap::value(units[node]);
      const std::size_t end = texts.find('\0', begin);
      return texts.substr(begin, end == std::string_view::npos ? end : end - begin);
    }
  }
  return std::nullopt;
}

void Precompiled::normalize(const SourceText& source, TextWriter& writer) const {
  const std::string_view text = source.text;
  const auto stays_at = [&](std::size_t position) {
    return stays_[static_cast<std::uint8_t>(text[position])] &&
           (position + 1 == text.size() || is_ascii(text[position + 1]));
  };
  std::size_t stays_end = 0;
  while (stays_end < text.size() && stays_at(stays_end)) ++stays_end;
  if (stays_end == text.size()) {
    writer.copy(source, 0, text.size());
    return;
  }
  Rewriter rewriter(source, writer);
  Changes changes(rewriter);
  for (std::size_t begin = 0; begin < text.size() && !writer.is_full();) {
    if (stays_at(begin)) {
      changes.keep(static_cast<char32_t>(text[begin++]));
      continue;
    }
    const std::size_t end = grapheme_end(text, begin);
    const std::string_view cluster = text.substr(begin, end - begin);
    const auto replacement = cluster.size() < kClusterBytesEnd ? find(cluster) : std::nullopt;
    if (replacement) {
      changes.replace(cluster, *replacement);
      begin = end;
      continue;
    }
    while (begin < end) {
      const Utf8Step step = decode_utf8(text, begin);
      const std::string_view part = text.substr(begin, step.bytes);
      if (const auto single = find(part)) {
        changes.replace(part, *single);
      } else {
        changes.keep(step.code_point);
      }
      begin += step.bytes;
    }
  }
}

}  // namespace tandem
