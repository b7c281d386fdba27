// What a bi-encoder saves and a cross-encoder costs: each alone, and both as two stages, on one corpus at several
// sizes.
//
//   auto costs = tandem::measure_encoder_costs({&*bi_encoder, &*cross_encoder, documents, queries},
//                                              {.sizes = {100, 1'000}});
//   costs->sizes[0].bi.mean_s();      // one query over 100 documents
//   costs->beyond.back().cross_s;     // over a million, extrapolated
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "tandem/bi_encoder.h"
#include "tandem/call.h"
#include "tandem/compute.h"
#include "tandem/cross_encoder.h"
#include "tandem/document.h"
#include "tandem/export.h"
#include "tandem/result.h"

namespace tandem {

/// Wall-clock time, and that of all processors together.
struct Effort {
  double wall_s = 0;
  double cpu_s = 0;

  Effort& operator+=(const Effort& other) {
    wall_s += other.wall_s;
    cpu_s += other.cpu_s;
    return *this;
  }
  /// The share of so many threads that was busy, from 0 to 1.
  double cpu_share(std::size_t threads) const {
    return wall_s > 0 ? cpu_s / (wall_s * static_cast<double>(std::max<std::size_t>(threads, 1))) : 0;
  }
};

/// What a query costs in one way and at one size of the corpus. Either `seconds` has what was measured, or `estimate_s`
/// the mean that follows from other sizes.
struct QueryCost {
  std::vector<double> seconds = {};  ///< [queries measured]
  Effort effort = {};                ///< Of all of them together.
  double estimate_s = 0;

  bool measured() const { return !seconds.empty(); }
  double mean_s() const {
    if (!measured()) return estimate_s;
    return std::accumulate(seconds.begin(), seconds.end(), 0.0) / static_cast<double>(seconds.size());
  }
};

/// Mean seconds per query that each stage takes.
struct StageMeans {
  double encode_s = 0;
  double scan_s = 0;
  double rerank_s = 0;
};

struct SizeCosts {
  std::size_t documents = 0;
  /// There are not so many documents: copies of theirs fill up, and only the bi-encoder's searches are measured.
  bool copies = false;
  double encode_s = 0;  ///< For all of the documents; an estimate where there are copies.
  Effort encode_effort = {};
  double write_s = 0;  ///< Making the collection from known vectors.
  std::uint64_t index_bytes = 0;
  std::uint64_t memory_peak_bytes = 0;  ///< Of the process, up to the end of this size.
  QueryCost bi = {};
  QueryCost cross = {};
  QueryCost two_stage = {};
  StageMeans bi_stages = {};
  StageMeans two_stage_means = {};  ///< All 0 where two stages were not measured.
};

/// Mean seconds per query at a size that was not searched.
struct ExtrapolatedCosts {
  std::size_t documents = 0;
  double bi_s = 0;
  double cross_s = 0;
  double two_stage_s = 0;
};

struct EncoderCosts {
  std::vector<SizeCosts> sizes;
  std::vector<ExtrapolatedCosts> beyond;  ///< Powers of ten above the largest size, up to a million documents.
  std::size_t documents = 0;              ///< Real ones, each encoded once.
  std::size_t queries = 0;
  Truncation truncation = {};  ///< Of the documents.
};

/// What is measured with. None of it is empty.
struct EncoderCostInput {
  const BiEncoder* bi_encoder = nullptr;
  const CrossEncoder* cross_encoder = nullptr;  ///< With one label.
  std::span<const Document> documents;
  std::span<const std::string> queries;
};

/// Every number is at least 1.
struct EncoderCostOptions {
  std::vector<std::size_t> sizes;  ///< How many documents are searched, ascending.
  std::size_t top_k = 10;          ///< Results of a query.
  std::size_t candidates = 100;    ///< Of two stages: how many are reranked.
  std::size_t repeat = 5;          ///< How often each query is searched with the bi-encoder.
  std::size_t cross_pairs_max = 2000;
};

/// What 1,000 queries cost that take so long each, at the machine's price per hour, one after another.
constexpr double cost_per_1000(double seconds_per_query, double price_per_hour) {
  return seconds_per_query * 1000 / 3600 * price_per_hour;
}

/// Encodes each document once and searches collections of the sizes, which lie in a temporary folder meanwhile.
///
/// The cross-encoder scores every document of a size for as many queries as `cross_pairs_max` allows; where that is
/// none, its time follows from that of a pair. Two stages are measured with as many queries, one at least. What was not
/// measured is extrapolated: a scan takes time in proportion to the vectors, the cross-encoder to the pairs.
///
/// Errors: kInvalidArgument for input or options that say otherwise, and those of encoding, writing and searching, and
/// of `call`.
TANDEM_EXPORT Result<EncoderCosts> measure_encoder_costs(const EncoderCostInput& input,
                                                         const EncoderCostOptions& options,
                                                         const CallOptions& call = {});

}  // namespace tandem
