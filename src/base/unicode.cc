#include "base/unicode.h"

#include <algorithm>

namespace tandem {
namespace {

using unicode_tables::Decomposition;
using unicode_tables::LowercaseMapping;

// Section 3.12 of the Unicode standard: Hangul syllables decompose by arithmetic.
constexpr char32_t kSyllableFirst = 0xAC00;
constexpr char32_t kLeadFirst = 0x1100;
constexpr char32_t kVowelFirst = 0x1161;
constexpr char32_t kTailBeforeFirst = 0x11A7;
constexpr char32_t kVowels = 21;
constexpr char32_t kTails = 28;
constexpr char32_t kSyllables = 19 * kVowels * kTails;

/// The entry of a table sorted by code point, or null.
template <class Entry>
const Entry* find_entry(const Entry* entries, std::size_t count, char32_t code_point) {
  const Entry* const end = entries + count;
  const Entry* const entry = std::lower_bound(
      entries, end, code_point, [](const Entry& left, char32_t right) { return left.code_point < right; });
  return entry != end && entry->code_point == code_point ? entry : nullptr;
}

}  // namespace

CodePoints canonical_decomposition(char32_t code_point) {
  const char32_t syllable = code_point - kSyllableFirst;  // Wraps around below the first syllable, past the last.
  if (syllable < kSyllables) {
    const char32_t tail = syllable % kTails;
    return {{kLeadFirst + syllable / (kVowels * kTails), kVowelFirst + syllable / kTails % kVowels,
             kTailBeforeFirst + tail, 0},
            tail == 0 ? std::size_t{2} : std::size_t{3}};
  }
  const Decomposition* const entry =
      find_entry(unicode_tables::kDecompositions, unicode_tables::kDecompositionCount, code_point);
  if (entry == nullptr) return {{code_point}, 1};
  CodePoints result{{}, entry->parts};
  std::copy_n(unicode_tables::kDecompositionParts + entry->first_part, entry->parts, result.values);
  return result;
}

CodePoints lowercase(char32_t code_point) {
  const LowercaseMapping* const entry =
      find_entry(unicode_tables::kLowercase, unicode_tables::kLowercaseCount, code_point);
  if (entry == nullptr) return {{code_point}, 1};
  return {{entry->first, entry->second}, entry->second == 0 ? std::size_t{1} : std::size_t{2}};
}

}  // namespace tandem
