// A random order that is the same on every machine, which std::shuffle does not promise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace tandem {

/// Puts the elements into an order drawn with `seed` (Fisher and Yates). The first ones are drawn first: however many
/// are wanted, fewer with the same seed are among them.
template <class Element>
void shuffle(std::vector<Element>& elements, std::uint32_t seed) {
  std::mt19937_64 random(seed);
  for (std::size_t next = 0; next < elements.size(); ++next) {
    // Of 2^64 numbers; the remainder favours some places by less than one in 2^32.
    std::swap(elements[next], elements[next + random() % (elements.size() - next)]);
  }
}

}  // namespace tandem
