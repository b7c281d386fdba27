// SentencePiece's normaliser, which replaces what its table of replacements has.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "formats/charsmap.h"
#include "tokenizer/normalized_text.h"

namespace tandem {

/// Normalises grapheme cluster by grapheme cluster, as the crate spm_precompiled does: a cluster of less than 6 bytes
/// becomes the replacement of the shortest prefix that has one, and the rest of it is lost; where no prefix has one,
/// and in longer clusters, each code point is looked up by itself. Immutable and thread-safe.
class Precompiled {
 public:
  explicit Precompiled(std::shared_ptr<const Charsmap> charsmap);

  /// Writes the normalised form of `source`.
  void normalize(const SourceText& source, TextWriter& writer) const;

 private:
  /// The replacement of the shortest prefix of `text` that has one.
  std::optional<std::string_view> find(std::string_view text) const;

  std::shared_ptr<const Charsmap> charsmap_;
  /// Whether an ASCII character that is a cluster by itself stays as it is.
  std::array<bool, 256> stays_{};
};

}  // namespace tandem
