#include "base/unicode.h"

#include <algorithm>
#include <utility>

namespace tandem {
namespace {

using unicode_tables::Composition;
using unicode_tables::Decomposition;
using unicode_tables::LowercaseMapping;

// Section 3.12 of the Unicode standard: Hangul syllables decompose by arithmetic.
constexpr char32_t kSyllableFirst = 0xAC00;
constexpr char32_t kLeadFirst = 0x1100;
constexpr char32_t kVowelFirst = 0x1161;
constexpr char32_t kTailBeforeFirst = 0x11A7;
constexpr char32_t kLeads = 19;
constexpr char32_t kVowels = 21;
constexpr char32_t kTails = 28;
constexpr char32_t kSyllables = kLeads * kVowels * kTails;

/// The entry of a table sorted by code point, or null.
template <class Entry>
const Entry* find_entry(const Entry* entries, std::size_t count, char32_t code_point) {
  const Entry* const end = entries + count;
  const Entry* const entry = std::lower_bound(
      entries, end, code_point, [](const Entry& left, char32_t right) { return left.code_point < right; });
  return entry != end && entry->code_point == code_point ? entry : nullptr;
}

CodePoints parts_of(const Decomposition* entry, char32_t code_point) {
  if (entry == nullptr) return {{code_point}, 1};
  CodePoints result{{}, entry->parts};
  std::copy_n(unicode_tables::kDecompositionParts + entry->first_part, entry->parts, result.values);
  return result;
}

}  // namespace

CodePoints canonical_decomposition(char32_t code_point) {
  const char32_t syllable = code_point - kSyllableFirst;  // Wraps around below the first syllable, past the last.
  if (syllable < kSyllables) {
    const char32_t tail = syllable % kTails;
    return {{kLeadFirst + syllable / (kVowels * kTails), kVowelFirst + syllable / kTails % kVowels,
             kTailBeforeFirst + tail},
            tail == 0 ? std::size_t{2} : std::size_t{3}};
  }
  return parts_of(find_entry(unicode_tables::kDecompositions, unicode_tables::kDecompositionCount, code_point),
                  code_point);
}

CodePoints compatibility_decomposition(char32_t code_point) {
  if (!code_point_class(code_point).has(kCompatibility)) return canonical_decomposition(code_point);
  return parts_of(find_entry(unicode_tables::kCompatibilityDecompositions,
                             unicode_tables::kCompatibilityDecompositionCount, code_point),
                  code_point);
}

char32_t compose(char32_t first, char32_t second) {
  if (first - kLeadFirst < kLeads && second - kVowelFirst < kVowels) {
    return kSyllableFirst + ((first - kLeadFirst) * kVowels + (second - kVowelFirst)) * kTails;
  }
  // A tail joins a syllable that has none yet.
  if (first - kSyllableFirst < kSyllables && (first - kSyllableFirst) % kTails == 0 &&
      second - kTailBeforeFirst - 1 < kTails - 1) {
    return first + (second - kTailBeforeFirst);
  }
  const Composition* const end = unicode_tables::kCompositions + unicode_tables::kCompositionCount;
  const Composition* const entry =
      std::lower_bound(unicode_tables::kCompositions, end, std::pair(first, second),
                       [](const Composition& left, const std::pair<char32_t, char32_t>& right) {
                         return std::pair(left.first, left.second) < right;
                       });
  return entry != end && entry->first == first && entry->second == second ? entry->composed : 0;
}

CodePoints lowercase(char32_t code_point) {
  const LowercaseMapping* const entry =
      find_entry(unicode_tables::kLowercase, unicode_tables::kLowercaseCount, code_point);
  if (entry == nullptr) return {{code_point}, 1};
  return {{entry->first, entry->second}, entry->second == 0 ? std::size_t{1} : std::size_t{2}};
}

}  // namespace tandem
