// Sentences and words of running text: enough to draw test queries from it, in any script.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tandem {

/// The sentences of a text, without the blanks around them, as views of it. One ends at . ! ? … before white space, at
/// every other mark that ends sentences in some script (। ؟ 。 ። ។ …) anywhere, in both cases after the quotation marks
/// and brackets that close there, and at an empty line. An abbreviation ends one too: this is no linguist.
std::vector<std::string_view> split_sentences(std::string_view text);

/// The words of a text in lower case, without punctuation. In scripts that are written without blanks, such as Chinese
/// and Thai, each code point is one.
std::vector<std::string> split_words(std::string_view text);

/// How many of the words say something: those with a letter in them, numbers do not.
std::size_t count_words(std::string_view text);

/// Lower case, without white space at the ends and with single blanks inside: texts that people take for the same.
std::string fold_case_and_blanks(std::string_view text);

}  // namespace tandem
