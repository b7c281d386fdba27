// The best hits of a stream of scores.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "tandem/vector_hit.h"

namespace tandem {

/// The order of hits: higher scores first, of equal ones the lower row. Total, as long as no score is NaN.
inline bool ranks_before(const VectorHit& a, const VectorHit& b) {
  return a.score > b.score || (a.score == b.score && a.row < b.row);
}

/// Keeps the first `capacity` hits in the order of ranks_before. A score that is NaN counts as minus infinity: it says
/// nothing, so it ranks behind everything that says something.
class TopK {
 public:
  explicit TopK(std::size_t capacity) : capacity_(capacity) { hits_.reserve(capacity); }

  std::size_t capacity() const { return capacity_; }
  bool full() const { return hits_.size() == capacity_; }

  /// Once full: the lowest score kept. Nothing below it can enter, and nothing equal with a higher row. Infinity where
  /// there is room for none.
  float worst_score() const { return hits_.empty() ? std::numeric_limits<float>::infinity() : hits_.front().score; }

  void add(VectorHit hit) {
    if (std::isnan(hit.score)) hit.score = -std::numeric_limits<float>::infinity();
    if (full()) {
      if (capacity_ == 0 || !ranks_before(hit, hits_.front())) return;
      std::ranges::pop_heap(hits_, ranks_before);
      hits_.back() = hit;
    } else {
      hits_.push_back(hit);
    }
    std::ranges::push_heap(hits_, ranks_before);
  }

  /// The hits kept, best first; empties this.
  std::vector<VectorHit> take() {
    std::ranges::sort_heap(hits_, ranks_before);
    return std::move(hits_);
  }

 private:
  std::size_t capacity_;
  std::vector<VectorHit> hits_;  // A heap with the worst hit in front.
};

}  // namespace tandem
