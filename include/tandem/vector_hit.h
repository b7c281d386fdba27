// What a search among vectors is asked for and answers with.
#pragma once

#include <cstdint>

namespace tandem {

/// How vectors are compared.
enum class Metric {
  kInnerProduct,  ///< For vectors of length 1 this is the cosine.
  kL2,            ///< Euclidean distance; a hit's score is its negative, so that higher is better everywhere.
};

/// One nearest neighbour.
struct VectorHit {
  std::uint32_t ordinal = 0;  ///< The document's place in the collection, from 0.
  float score = 0;            ///< Higher is better: inner product, or minus the distance.
  bool operator==(const VectorHit&) const = default;
};

}  // namespace tandem
