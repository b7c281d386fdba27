#include "tokenizer/unicode_form.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/unicode.h"
#include "tokenizer/rewriter.h"

namespace tandem {
namespace {

/// A code point of the decomposed text, and how the text changes there: see Rewriter.
struct Part {
  char32_t c = 0;
  std::ptrdiff_t change = 0;
  std::uint8_t combining_class = 0;
};

/// Puts what was decomposed together again. The changes of code points that compose add up.
class Composer {
 public:
  explicit Composer(Rewriter& rewriter) : rewriter_(rewriter) {}

  void put(const Part& part) {
    if (!starter_) {
      if (part.combining_class != 0) {
        write(part);
      } else {
        starter_ = part;
      }
      return;
    }
    const bool is_blocked = !marks_.empty() && marks_.back().combining_class >= part.combining_class;
    if (!is_blocked) {
      if (const char32_t composed = compose(starter_->c, part.c); composed != 0) {
        starter_->c = composed;
        starter_->change += part.change - 1;
        return;
      }
    }
    if (part.combining_class == 0) {
      finish();
      starter_ = part;
    } else {
      marks_.push_back(part);
    }
  }

  void finish() {
    if (starter_) write(*starter_);
    for (const Part& mark : marks_) write(mark);
    starter_.reset();
    marks_.clear();
  }

 private:
  void write(const Part& part) { rewriter_.put(part.c, part.change); }

  Rewriter& rewriter_;
  std::optional<Part> starter_;
  std::vector<Part> marks_;  // After the starter, in canonical order, not composed with it.
};

/// Decomposes code points, and brings each run of marks into canonical order.
class Decomposer {
 public:
  Decomposer(UnicodeFormSpec form, Rewriter& rewriter) : form_(form), rewriter_(rewriter), composer_(rewriter) {}

  void put(char32_t c) {
    const CodePointClass c_class = code_point_class(c);
    if (!c_class.has(kDecomposes | kCompatibility)) return order({c, 0, c_class.combining_class});
    bool is_first = true;
    for (const char32_t part : form_.compatibility ? compatibility_decomposition(c) : canonical_decomposition(c)) {
      order({part, is_first ? 0 : 1, code_point_class(part).combining_class});
      is_first = false;
    }
  }

  void finish() {
    flush();
    if (form_.compose) composer_.finish();
  }

 private:
  void order(const Part& part) {
    if (part.combining_class != 0) {
      marks_.push_back(part);
      return;
    }
    flush();
    write(part);
  }

  void flush() {
    if (marks_.empty()) return;
    std::stable_sort(marks_.begin(), marks_.end(),
                     [](const Part& left, const Part& right) { return left.combining_class < right.combining_class; });
    for (const Part& mark : marks_) write(mark);
    marks_.clear();
  }

  void write(const Part& part) {
    if (form_.compose) {
      composer_.put(part);
    } else {
      rewriter_.put(part.c, part.change);
    }
  }

  UnicodeFormSpec form_;
  Rewriter& rewriter_;
  Composer composer_;
  std::vector<Part> marks_;
};

}  // namespace

void apply_unicode_form(UnicodeFormSpec form, const SourceText& source, TextWriter& writer) {
  // ASCII is the same in every form.
  if (std::all_of(source.text.begin(), source.text.end(), [](char byte) { return (byte & 0x80) == 0; })) {
    writer.copy(source, 0, source.text.size());
    return;
  }
  Rewriter rewriter(source, writer);
  Decomposer decomposer(form, rewriter);
  for (std::size_t position = 0; position < source.text.size() && !writer.is_full();) {
    const Utf8Step step = decode_utf8(source.text, position);
    decomposer.put(step.code_point);
    position += step.bytes;
  }
  decomposer.finish();
}

}  // namespace tandem
