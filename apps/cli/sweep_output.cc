#include "sweep_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "descriptions.h"

namespace tandem::cli {

std::vector<std::string> metric_names(const SweepResult& result) {
  std::vector<std::string> names;
  for (const RankingMetric& metric : result.metrics) names.push_back(ranking_metric_name(metric));
  return names;
}

TableRows ceiling_rows(const SweepResult& result) {
  TableRows rows{{"best order of the candidates"}};
  std::ranges::copy(metric_names(result), std::back_inserter(rows.front()));
  rows.front().emplace_back("recall");
  for (const PoolCeiling& ceiling : result.ceilings) {
    std::vector<std::string>& row = rows.emplace_back(1, fmt::format("{}, top {}", ceiling.first_stage, ceiling.depth));
    for (const double mean : ceiling.means) row.push_back(fmt::format("{:.4f}", mean));
    row.push_back(fmt::format("{:.4f}", ceiling.recall));
  }
  return rows;
}

std::string describe_truncation(const SweepResult& result) {
  if (result.counts.texts_reused + result.counts.pairs_reused == 0) return describe(result.truncation);
  if (result.truncation.texts == 0) return "how much of what was there already is truncated is not known";
  return describe(result.truncation) + ", of what was computed now";
}

std::string describe(const CacheCounts& counts) {
  return fmt::format("{} encoded and {} scored, none twice; {} and {} were there already",
                     count_of(counts.texts_computed, "text"), count_of(counts.pairs_computed, "pair"),
                     count_of(counts.texts_reused, "text"), count_of(counts.pairs_reused, "pair"));
}

}  // namespace tandem::cli
