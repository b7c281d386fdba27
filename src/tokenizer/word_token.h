// What a model makes of a word.
#pragma once

#include <cstdint>

namespace tandem {

/// A token of a word, and the bytes of the word that it stands for.
struct WordToken {
  std::int32_t id = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

}  // namespace tandem
