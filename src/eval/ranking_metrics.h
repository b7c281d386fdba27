// One query's metrics, from the relevance of its results in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tandem/evaluation.h"

namespace tandem {

/// What every metric of a query is computed from, whatever the number of metrics.
struct QueryRelevance {
  std::span<const std::int32_t> ranked;  ///< [results] best first; 0 where there is no judgement.
  std::span<const std::int32_t> ideal;   ///< [documents] every positive relevance of the judgements, descending.
  std::size_t relevant = 0;              ///< Judged documents of at least the relevance level.
  std::int32_t relevance_level = 1;
};

/// The positive numbers among `judged`, descending, in place of what `ideal` held.
void order_ideally(std::span<const std::int32_t> judged, std::vector<std::int32_t>& ideal);

/// See the public ranking_metric().
double ranking_metric(const RankingMetric& metric, const QueryRelevance& query);

}  // namespace tandem
