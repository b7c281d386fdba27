#include "base/grapheme.h"

#include <cstdint>

#include "base/unicode.h"
#include "base/utf8.h"

namespace tandem {
namespace {

using Kind = GraphemeBreak;

/// What a cluster has seen so far, as far as the rules look back.
class Cluster {
 public:
  explicit Cluster(Kind first) : last_(first) { remember(first); }

  /// Whether `next` belongs to the cluster; it is then its last code point.
  bool take(Kind next) {
    if (!joins(next)) return false;
    remember(next);
    last_ = next;
    return true;
  }

 private:
  static bool is_control(Kind kind) {
    return kind == Kind::kControl || kind == Kind::kCarriageReturn || kind == Kind::kLineFeed;
  }
  static bool is_extend(Kind kind) {
    return kind == Kind::kExtend || kind == Kind::kLinker || kind == Kind::kNonJoiner;
  }

  bool joins(Kind next) const {
    if (last_ == Kind::kCarriageReturn && next == Kind::kLineFeed) return true;       // GB3
    if (is_control(last_) || is_control(next)) return false;                          // GB4, GB5
    if (is_extend(next) || next == Kind::kJoiner) return true;                        // GB9
    if (next == Kind::kSpacingMark || last_ == Kind::kPrepend) return true;           // GB9a, GB9b
    if (next == Kind::kConsonant) return conjunct_ == Conjunct::kLinked;              // GB9c
    if (next == Kind::kPictographic) return last_ == Kind::kJoiner && pictographic_;  // GB11
    if (next == Kind::kRegionalIndicator) return regional_indicators_ % 2 == 1;       // GB12, GB13
    switch (last_) {
      case Kind::kLead:  // GB6
        return next == Kind::kLead || next == Kind::kVowel || next == Kind::kSyllable || next == Kind::kClosedSyllable;
      case Kind::kSyllable:  // GB7
      case Kind::kVowel:
        return next == Kind::kVowel || next == Kind::kTail;
      case Kind::kClosedSyllable:  // GB8
      case Kind::kTail:
        return next == Kind::kTail;
      default:
        return false;  // GB999
    }
  }

  void remember(Kind next) {
    if (next == Kind::kConsonant) {
      conjunct_ = Conjunct::kConsonant;
    } else if (next == Kind::kLinker) {
      if (conjunct_ == Conjunct::kConsonant) conjunct_ = Conjunct::kLinked;
    } else if (next != Kind::kExtend && next != Kind::kJoiner) {
      conjunct_ = Conjunct::kNone;
    }
    if (next == Kind::kPictographic) {
      pictographic_ = true;
    } else if (last_ == Kind::kJoiner || (!is_extend(next) && next != Kind::kJoiner)) {
      pictographic_ = false;  // Only extending code points, then one joiner, may lie between two pictographs.
    }
    regional_indicators_ = next == Kind::kRegionalIndicator ? regional_indicators_ + 1 : 0;
  }

  enum class Conjunct : std::uint8_t { kNone, kConsonant, kLinked };

  Kind last_;
  Conjunct conjunct_ = Conjunct::kNone;
  bool pictographic_ = false;
  std::size_t regional_indicators_ = 0;  // That the cluster ends with.
};

}  // namespace

std::size_t grapheme_end(std::string_view text, std::size_t begin) {
  Utf8Step step = decode_utf8(text, begin);
  Cluster cluster(code_point_class(step.code_point).grapheme_break());
  std::size_t end = begin + step.bytes;
  while (end < text.size()) {
    step = decode_utf8(text, end);
    if (!cluster.take(code_point_class(step.code_point).grapheme_break())) break;
    end += step.bytes;
  }
  return end;
}

}  // namespace tandem
