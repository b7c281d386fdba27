// What Qrels and Run hold, for the evaluation, which reads both.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "eval/query_lists.h"
#include "tandem/evaluation.h"

namespace tandem {

class Qrels::Impl : public QueryLists<std::int32_t> {};
class Run::Impl : public QueryLists<float> {};

/// Puts results in the order of trec_eval: by descending score, ties by descending document id. Keeps its memory from
/// one query to the next. Not thread-safe.
class Ranker {
 public:
  /// The places of the results in `list`, best first. Valid until the next call.
  std::span<const std::uint32_t> rank(const QueryList<float>& list);

 private:
  void sort_keys();

  std::vector<std::uint64_t> keys_;
  std::vector<std::uint64_t> scattered_;
  std::vector<std::uint32_t> order_;
};

}  // namespace tandem
