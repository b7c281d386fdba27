// Words of formats and protocols, which are ASCII.
#pragma once

#include <string>
#include <string_view>

namespace tandem {

/// The text with a to z in place of A to Z; every other byte stays.
inline std::string in_lower_case(std::string_view ascii) {
  std::string result(ascii);
  for (char& letter : result) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return result;
}

}  // namespace tandem
