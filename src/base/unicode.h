// What tokenizers need to know about code points. The data is that of the Hugging Face `tokenizers` library, which
// mixes Unicode versions: see scripts/unicode_tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tandem {

/// Properties of a code point, as bits of CodePointClass::flags.
enum CodePointFlag : std::uint16_t {
  kWhitespace = 1 << 0,      ///< White_Space.
  kOther = 1 << 1,           ///< Category C: control, format, private use, surrogate.
  kPunctuation = 1 << 2,     ///< Category P, and the ASCII symbols that BERT counts as punctuation.
  kMarkNonspacing = 1 << 3,  ///< Category Mn.
  kDecomposes = 1 << 4,      ///< The canonical decomposition is not the code point itself.
  kLowercases = 1 << 5,      ///< The lower case is not the code point itself.
  kWord = 1 << 6,            ///< \w of a Unicode regular expression.
  kLetter = 1 << 7,          ///< \p{L} of Oniguruma.
  kNumber = 1 << 8,          ///< \p{N} of Oniguruma.
  kSpace = 1 << 9,           ///< \s of Oniguruma.
  kNumeric = 1 << 10,        ///< Category N of Rust's standard library.
  kMark = 1 << 11,           ///< Category M.
  kCompatibility = 1 << 12,  ///< The compatibility decomposition is not the canonical one.
};

/// What the rules of grapheme clusters (UAX #29) tell apart.
enum class GraphemeBreak : std::uint8_t {
  kOther,
  kCarriageReturn,
  kLineFeed,
  kControl,
  kExtend,        ///< Extend, and Extend of Indic_Conjunct_Break.
  kLinker,        ///< Extend, and Linker of Indic_Conjunct_Break.
  kNonJoiner,     ///< Extend, and no part of a conjunct.
  kJoiner,        ///< Zero width joiner.
  kPictographic,  ///< Extended_Pictographic.
  kConsonant,     ///< Consonant of Indic_Conjunct_Break.
  kLead,          ///< Hangul: leading consonant, vowel, trailing consonant, and syllables without and with the last.
  kVowel,
  kTail,
  kSyllable,
  kClosedSyllable,
  kPrepend,
  kRegionalIndicator,
  kSpacingMark,
};

struct CodePointClass {
  std::uint16_t flags;
  std::uint8_t combining_class;  ///< Canonical_Combining_Class; 0 for a starter.
  std::uint8_t grapheme_kind;    ///< A GraphemeBreak.

  GraphemeBreak grapheme_break() const { return static_cast<GraphemeBreak>(grapheme_kind); }
  bool has(int mask) const { return (flags & mask) != 0; }
};

namespace unicode_tables {  // Defined in unicode_tables.cc, which is generated.

struct Decomposition {
  char32_t code_point;
  std::uint16_t first_part;
  std::uint16_t parts;
};

struct Composition {
  char32_t first;
  char32_t second;
  char32_t composed;
};

struct LowercaseMapping {
  char32_t code_point;
  char32_t first;
  char32_t second;  ///< 0 where there is none.
};

constexpr unsigned kBlockBits = 7;
extern const std::uint16_t kBlockOf[];
extern const std::uint8_t kClassOf[];
extern const CodePointClass kClasses[];
extern const Decomposition kDecompositions[];  ///< By code point; Hangul syllables are computed instead.
extern const std::size_t kDecompositionCount;
extern const Decomposition kCompatibilityDecompositions[];  ///< Where they are not the canonical ones.
extern const std::size_t kCompatibilityDecompositionCount;
extern const char32_t kDecompositionParts[];
extern const Composition kCompositions[];  ///< By both parts; Hangul syllables are computed instead.
extern const std::size_t kCompositionCount;
extern const LowercaseMapping kLowercase[];  ///< By code point.
extern const std::size_t kLowercaseCount;

}  // namespace unicode_tables

/// The class of a code point below 0x110000.
inline CodePointClass code_point_class(char32_t code_point) {
  using namespace unicode_tables;
  const std::size_t block = kBlockOf[code_point >> kBlockBits];
  return kClasses[kClassOf[block << kBlockBits | (code_point & ((1U << kBlockBits) - 1))]];
}

/// One to eighteen code points that take the place of one.
struct CodePoints {
  char32_t values[18];
  std::size_t count;

  const char32_t* begin() const { return values; }
  const char32_t* end() const { return values + count; }
};

/// The full canonical decomposition, before canonical ordering (UAX #15). The code point itself where it has none.
CodePoints canonical_decomposition(char32_t code_point);

/// The full compatibility decomposition, before canonical ordering.
CodePoints compatibility_decomposition(char32_t code_point);

/// The code point that two compose to (UAX #15), or 0 where they do not.
char32_t compose(char32_t first, char32_t second);

/// The lower case without regard to context or language (Unicode's SpecialCasing.txt and UnicodeData.txt).
CodePoints lowercase(char32_t code_point);

}  // namespace tandem
