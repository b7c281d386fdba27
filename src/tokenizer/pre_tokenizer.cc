#include "tokenizer/pre_tokenizer.h"

#include "base/unicode.h"
#include "base/utf8.h"

namespace tandem {
namespace {

void split_bert(std::string_view text, std::vector<TextSpan>& words) {
  std::size_t word_begin = 0;
  const auto end_word = [&](std::size_t end) {
    if (word_begin < end) words.push_back({word_begin, end});
  };
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    const std::size_t next = position + step.bytes;
    const CodePointClass c_class = code_point_class(step.code_point);
    if (c_class.has(kWhitespace | kPunctuation)) {
      end_word(position);
      if (c_class.has(kPunctuation)) words.push_back({position, next});
      word_begin = next;
    }
    position = next;
  }
  end_word(text.size());
}

}  // namespace

void pre_tokenize(const PreTokenizerSpec& spec, std::string_view text, std::vector<TextSpan>& words) {
  words.clear();
  if (std::holds_alternative<BertPreTokenizerSpec>(spec)) {
    split_bert(text, words);
  } else if (!text.empty()) {
    words.push_back({0, text.size()});
  }
}

}  // namespace tandem
