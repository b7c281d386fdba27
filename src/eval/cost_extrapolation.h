// From the costs at the sizes that were measured to those at other sizes.
#pragma once

#include <cstddef>
#include <span>

#include "tandem/encoder_costs.h"

namespace tandem {

/// Seconds as a function of documents.
struct TimeLine {
  double at_zero_s = 0;
  double per_document_s = 0;

  double at(std::size_t documents) const { return at_zero_s + per_document_s * static_cast<double>(documents); }
};

/// The least squares through the mean times of scanning at one size or more, ascending; through 0 where there is one
/// size only, or where noise would make more documents faster, or none of them faster than no time at all.
TimeLine fit_scan(std::span<const SizeCosts> sizes);

/// Adds what follows from the sizes that were measured, one at least, ascending: estimates of the cross-encoder and of
/// two stages, which rerank so many `candidates`, and the sizes beyond. `pair_s`: what the cross-encoder takes for one
/// pair of a whole corpus. A candidate takes as long as at the largest size that two stages were measured at.
void extrapolate(EncoderCosts& costs, std::size_t candidates, double pair_s);

}  // namespace tandem
