#include "eval/cost_extrapolation.h"

#include <algorithm>

namespace tandem {
namespace {

constexpr std::size_t kExtrapolatedDocumentsMax = 1'000'000;

}  // namespace

TimeLine fit_scan(std::span<const SizeCosts> sizes) {
  const auto count = static_cast<double>(sizes.size());
  double mean_x = 0;
  double mean_y = 0;
  for (const SizeCosts& size : sizes) {
    mean_x += static_cast<double>(size.documents) / count;
    mean_y += size.bi_stages.scan_s / count;
  }
  double covariance = 0;
  double variance = 0;
  for (const SizeCosts& size : sizes) {
    const double dx = static_cast<double>(size.documents) - mean_x;
    covariance += dx * (size.bi_stages.scan_s - mean_y);
    variance += dx * dx;
  }
  if (variance > 0 && covariance > 0) {
    const double slope = covariance / variance;
    const double at_zero = mean_y - slope * mean_x;
    if (at_zero >= 0) return {.at_zero_s = at_zero, .per_document_s = slope};
  }
  const SizeCosts& largest = sizes.back();
  return {.at_zero_s = 0, .per_document_s = largest.bi_stages.scan_s / static_cast<double>(largest.documents)};
}

void extrapolate(EncoderCosts& costs, std::size_t candidates, double pair_s) {
  const TimeLine scan = fit_scan(costs.sizes);
  const SizeCosts& largest = costs.sizes.back();
  const double around_scan_s = largest.bi.mean_s() - largest.bi_stages.scan_s;
  const auto reranked = [&](std::size_t documents) { return static_cast<double>(std::min(candidates, documents)); };
  double candidate_s = pair_s;
  for (const SizeCosts& size : costs.sizes) {
    if (size.two_stage.measured()) candidate_s = size.two_stage_means.rerank_s / reranked(size.documents);
  }
  const auto rerank_s = [&](std::size_t documents) { return candidate_s * reranked(documents); };
  const auto cross_s = [&](std::size_t documents) { return pair_s * static_cast<double>(documents); };
  for (SizeCosts& size : costs.sizes) {
    size.cross.estimate_s = cross_s(size.documents);
    size.two_stage.estimate_s = size.bi.mean_s() + rerank_s(size.documents);
  }
  for (std::size_t documents = 10; documents <= kExtrapolatedDocumentsMax; documents *= 10) {
    if (documents <= largest.documents) continue;
    const double bi_s = around_scan_s + scan.at(documents);
    costs.beyond.push_back({.documents = documents,
                            .bi_s = bi_s,
                            .cross_s = cross_s(documents),
                            .two_stage_s = bi_s + rerank_s(documents)});
  }
}

}  // namespace tandem
