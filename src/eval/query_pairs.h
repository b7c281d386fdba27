// The pairs of one query with documents of a sweep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>

#include "eval/sweep_documents.h"
#include "pipeline/timed.h"
#include "tandem/call.h"
#include "tandem/cross_encoder.h"
#include "tandem/encoder_cache.h"
#include "tandem/sweep.h"

namespace tandem {

/// Each pair is scored when it is first asked for. What it is made of must outlive it.
class QueryPairs {
 public:
  QueryPairs(const SweepQuery& query, const SweepDocuments& documents, const CrossEncoder& encoder,
             EncoderCache& cache);

  /// Scores those of the documents that have no score yet, in one call.
  Status score(std::span<const std::uint32_t> places, const CallOptions& call);

  /// How many of the documents have neither been scored here nor are in the cache.
  Result<std::size_t> count_missing(std::span<const std::uint32_t> places) const;

  float score_of(std::uint32_t place) const { return scores_.at(place).score; }
  bool is_blank(std::uint32_t place) const { return scores_.at(place).blank; }  ///< The document.
  double cost_ms_of(std::uint32_t place) const { return scores_.at(place).cost_ms; }
  std::size_t count() const { return scores_.size(); }
  double cost_ms() const { return cost_ms_; }  ///< Of all of them.
  const Truncation& truncation() const { return truncation_; }

 private:
  struct Pair {
    float score = 0;
    double cost_ms = 0;
    bool blank = false;
  };
  const SweepQuery& query_;
  const SweepDocuments& documents_;
  const CrossEncoder& encoder_;
  EncoderCache& cache_;
  ScorePairs score_;
  std::unordered_map<std::uint32_t, Pair> scores_;
  double cost_ms_ = 0;
  Truncation truncation_;
};

}  // namespace tandem
