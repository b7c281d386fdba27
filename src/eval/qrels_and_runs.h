// What Qrels and Run hold, for the evaluation, which reads both.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "eval/query_lists.h"
#include "tandem/evaluation.h"

namespace tandem {

class Qrels::Impl : public QueryLists<std::int32_t> {};
class Run::Impl : public QueryLists<float> {
 public:
  explicit Impl(RunOrder order) : order(order) {}

  const RunOrder order;
};

/// Puts results in the order of their run. Keeps its memory from one query to the next. Not thread-safe.
class Ranker {
 public:
  explicit Ranker(RunOrder order) : run_order_(order) {}

  /// The places of the results in `list`, best first. Valid until the next call.
  std::span<const std::uint32_t> rank(const QueryList<float>& list);

 private:
  void sort_keys();
  void sort_by_score(const QueryList<float>& list);

  const RunOrder run_order_;
  std::vector<std::uint64_t> keys_;
  std::vector<std::uint64_t> scattered_;
  std::vector<std::uint32_t> order_;
};

}  // namespace tandem
