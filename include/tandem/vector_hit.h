// What a search among vectors answers with.
#pragma once

#include <compare>
#include <cstdint>

namespace tandem {

/// Where a vector lies: collections are made of segments, whose rows never move. It holds for one open collection; what
/// names a document for good is its id.
struct RowId {
  std::uint32_t segment = 0;
  std::uint32_t row = 0;
  auto operator<=>(const RowId&) const = default;
};

/// One nearest neighbour.
struct VectorHit {
  RowId row;
  float score = 0;  ///< Higher is better: inner product, or minus the distance.
  bool operator==(const VectorHit&) const = default;
};

}  // namespace tandem
