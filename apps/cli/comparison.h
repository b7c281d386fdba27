// What `tandem bench compare` measures: a bi-encoder, a cross-encoder and both as two stages, on one corpus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sample.h"
#include "tandem/bi_encoder.h"
#include "tandem/compute.h"
#include "tandem/corpus.h"
#include "tandem/cross_encoder.h"
#include "tandem/result.h"

namespace tandem::cli {

/// The processor's name, how many of it there are, and the memory.
struct Machine {
  std::string processor;
  std::size_t processors = 0;
  std::uint64_t memory_bytes = 0;

  static Machine here();
};

/// Wall-clock time, and that of all processors together.
struct Effort {
  double wall_s = 0;
  double cpu_s = 0;

  Effort& operator+=(const Effort& other);
  /// The share of so many threads that was busy, from 0 to 1.
  double cpu_share(std::size_t threads) const;
};

/// What a query costs in one way and at one corpus size. Either `total` has what was measured, or `estimate_s` the mean
/// that follows from other sizes.
struct QueryCost {
  Sample total = {};
  Effort effort = {};
  double estimate_s = 0;

  bool measured() const { return !total.empty(); }
  double mean_s() const { return measured() ? total.mean() : estimate_s; }
};

/// Mean seconds per query that each stage takes.
struct StageMeans {
  double encode_s = 0;
  double scan_s = 0;
  double rerank_s = 0;
};

struct SizeResult {
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
struct Extrapolation {
  std::size_t documents = 0;
  double bi_s = 0;
  double cross_s = 0;
  double two_stage_s = 0;
};

struct CompareOptions {
  std::vector<std::size_t> sizes;  ///< Ascending, each at least 1.
  std::size_t top_k = 10;          ///< Results of a query.
  std::size_t candidates = 100;    ///< Of two stages: how many are reranked.
  std::size_t repeat = 5;          ///< How often each query is searched with the bi-encoder.
  std::size_t cross_pairs_max = 2000;
};

struct Comparison {
  std::vector<SizeResult> sizes;
  std::vector<Extrapolation> beyond;  ///< Powers of ten above the largest size, up to a million documents.
  std::size_t documents = 0;          ///< Real ones, each encoded once.
  std::size_t queries = 0;
  Truncation truncation = {};  ///< Of the documents.
};

/// Encodes each document once and searches collections of the sizes, which lie in a temporary folder meanwhile. Shows
/// its progress. Errors: those of encoding, writing and searching; kIo when interrupted.
///
/// The cross-encoder scores every document of a size for as many queries as `cross_pairs_max` allows; where that is
/// none, its time follows from that of a pair. Two stages are measured with as many queries, one at least.
Result<Comparison> compare_encoders(const BiEncoder& bi_encoder, const CrossEncoder& cross_encoder,
                                    std::span<const Document> documents, std::span<const std::string> queries,
                                    const CompareOptions& options);

}  // namespace tandem::cli
