#include "tokenizer/bert_normalizer.h"

#include <algorithm>
#include <vector>

#include "base/unicode.h"
#include "base/utf8.h"

namespace tandem {
namespace {

/// The blocks that BERT calls Chinese characters.
bool is_chinese_character(char32_t c) {
  const auto in = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  return in(0x4E00, 0x9FFF) || in(0x3400, 0x4DBF) || in(0x20000, 0x2A6DF) || in(0x2A700, 0x2B73F) ||
         in(0x2B740, 0x2B81F) || in(0x2B920, 0x2CEAF) || in(0xF900, 0xFAFF) || in(0x2F800, 0x2FA1F);
}

/// Runs code points through the steps of BertNormalizer, which the reference applies to the whole text one after
/// another: clean, space out Chinese characters, decompose (NFD) and strip accents, lower-case. Only the canonical
/// ordering of NFD looks at more than one code point, so one pass with a buffer for runs of marks does the same.
class BertNormalizer {
 public:
  BertNormalizer(const BertNormalizerSpec& spec, TextWriter& writer) : spec_(spec), writer_(writer) {}

  void normalize(const SourceText& source) {
    for (std::size_t position = 0; position < source.text.size() && !writer_.is_full();) {
      const Utf8Step step = decode_utf8(source.text, position);
      clean(step.code_point, writer_.has_origins() ? source.origin(position, step.bytes) : Offset());
      position += step.bytes;
    }
    flush_marks();
  }

 private:
  void clean(char32_t c, Offset origin) {
    if (spec_.clean_text) {
      const CodePointClass c_class = code_point_class(c);
      if (c == '\t' || c == '\n' || c == '\r') {
        c = ' ';
      } else if (c == 0 || c == 0xFFFD || c_class.has(kOther)) {
        return;
      } else if (c_class.has(kWhitespace)) {
        c = ' ';
      }
    }
    space_out(c, origin);
  }

  void space_out(char32_t c, Offset origin) {
    if (!spec_.handle_chinese_chars || !is_chinese_character(c)) return decompose(c, origin);
    decompose(' ', origin);
    decompose(c, origin);
    decompose(' ', origin);
  }

  void decompose(char32_t c, Offset origin) {
    if (!spec_.strip_accents) return lower(c, origin);
    const CodePointClass c_class = code_point_class(c);
    if (!c_class.has(kDecomposes)) return reorder(c, c_class, origin, true);
    bool is_first = true;
    for (const char32_t part : canonical_decomposition(c)) {
      reorder(part, code_point_class(part), origin, is_first);
      is_first = false;
    }
  }

  /// Canonical ordering. The reference keeps origins in their places while it sorts the marks: a first part takes the
  /// origin of the next code point in the text, whichever that is, and the other parts share the one taken last.
  void reorder(char32_t c, CodePointClass c_class, Offset origin, bool is_first) {
    if (c_class.combining_class != 0) {
      marks_.push_back({c, c_class, is_first});
      if (is_first) mark_origins_.push_back(origin);
      return;
    }
    flush_marks();
    last_origin_ = origin;
    strip(c, c_class, origin);
  }

  void flush_marks() {
    if (marks_.empty()) return;
    std::stable_sort(marks_.begin(), marks_.end(), [](const Mark& left, const Mark& right) {
      return left.c_class.combining_class < right.c_class.combining_class;
    });
    std::size_t next_origin = 0;
    for (const Mark& mark : marks_) {
      if (mark.is_first) last_origin_ = mark_origins_[next_origin++];
      strip(mark.c, mark.c_class, last_origin_);
    }
    marks_.clear();
    mark_origins_.clear();
  }

  void strip(char32_t c, CodePointClass c_class, Offset origin) {
    if (!c_class.has(kMarkNonspacing)) lower(c, origin);
  }

  void lower(char32_t c, Offset origin) {
    if (!spec_.lowercase || !code_point_class(c).has(kLowercases)) return write(c, origin);
    for (const char32_t part : lowercase(c)) write(part, origin);
  }

  void write(char32_t c, Offset origin) { writer_.put(c, origin); }

  struct Mark {
    char32_t c;
    CodePointClass c_class;
    bool is_first;  ///< Of the parts that its code point decomposes to.
  };

  const BertNormalizerSpec& spec_;
  TextWriter& writer_;
  std::vector<Mark> marks_;           // Since the last code point of combining class 0, in the order of the text.
  std::vector<Offset> mark_origins_;  // Of those that are first parts.
  Offset last_origin_;
};

}  // namespace

void normalize_bert(const BertNormalizerSpec& spec, const SourceText& source, TextWriter& writer) {
  BertNormalizer(spec, writer).normalize(source);
}

}  // namespace tandem
