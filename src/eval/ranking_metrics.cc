#include "eval/ranking_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>

#include "base/ascii.h"
#include "base/error.h"

namespace tandem {
namespace {

struct Spelling {
  std::string_view name;
  RankingMeasure measure;
};

// The first spelling of each measure is the one that is written.
constexpr std::array kSpellings{
    Spelling{"ndcg", RankingMeasure::kNdcg},
    Spelling{"ndcg_cut", RankingMeasure::kNdcg},
    Spelling{"ndcg_exp", RankingMeasure::kNdcgExponential},
    Spelling{"map", RankingMeasure::kMap},
    Spelling{"map_cut", RankingMeasure::kMap},
    Spelling{"mrr", RankingMeasure::kMrr},
    Spelling{"recip_rank", RankingMeasure::kMrr},
    Spelling{"recall", RankingMeasure::kRecall},
    Spelling{"set_recall", RankingMeasure::kRecall},
    Spelling{"precision", RankingMeasure::kPrecision},
    Spelling{"p", RankingMeasure::kPrecision},
    Spelling{"set_p", RankingMeasure::kPrecision},
    Spelling{"f1", RankingMeasure::kF1},
    Spelling{"set_f", RankingMeasure::kF1},
    Spelling{"rprec", RankingMeasure::kRPrecision},
    Spelling{"success", RankingMeasure::kSuccess},
    // As ir_measures spells them, and the hit rate of recommender systems.
    Spelling{"ap", RankingMeasure::kMap},
    Spelling{"rr", RankingMeasure::kMrr},
    Spelling{"r", RankingMeasure::kRecall},
    Spelling{"hit", RankingMeasure::kSuccess},
    Spelling{"hits", RankingMeasure::kSuccess},
};

const Spelling* find_spelling(std::string_view name) {
  const auto* found = std::ranges::find(kSpellings, name, &Spelling::name);
  return found == kSpellings.end() ? nullptr : found;
}

double linear_gain(std::int32_t relevance) { return relevance; }
double exponential_gain(std::int32_t relevance) { return std::exp2(relevance) - 1; }

template <class Gain>
double dcg(std::span<const std::int32_t> relevances, Gain gain) {
  double sum = 0;
  for (std::size_t i = 0; i < relevances.size(); ++i) {
    if (relevances[i] > 0) sum += gain(relevances[i]) / std::log2(static_cast<double>(i + 2));
  }
  return sum;
}

template <class Gain>
double ndcg(std::span<const std::int32_t> seen, std::span<const std::int32_t> ideal, std::size_t cutoff, Gain gain) {
  const double best = dcg(ideal.first(std::min(cutoff, ideal.size())), gain);
  return best > 0 ? dcg(seen, gain) / best : 0;
}

double average_precision(std::span<const std::int32_t> seen, const QueryRelevance& query) {
  double sum = 0;
  double found = 0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (seen[i] >= query.relevance_level) sum += ++found / static_cast<double>(i + 1);
  }
  return sum / static_cast<double>(query.relevant);
}

}  // namespace

Result<RankingMetric> parse_ranking_metric(std::string_view name) {
  const auto unknown = [name] {
    return fail(
        ErrorCode::kInvalidArgument,
        "'{}' is no metric: expected ndcg, ndcg_exp, map, mrr, recall, precision, f1, rprec or success, with or "
        "without a cutoff such as @10",
        name);
  };
  const std::string spelled = in_lower_case(name);
  RankingMetric metric;
  const Spelling* spelling = find_spelling(spelled);
  if (spelling == nullptr) {
    const std::size_t separator = spelled.find_last_of("@._");
    if (separator == std::string::npos) return unknown();
    spelling = find_spelling(std::string_view(spelled).substr(0, separator));
    const char* const end = spelled.data() + spelled.size();
    const auto [parsed, error] = std::from_chars(spelled.data() + separator + 1, end, metric.cutoff);
    if (spelling == nullptr || error != std::errc() || parsed != end || metric.cutoff == 0) return unknown();
  }
  metric.measure = spelling->measure;
  if (metric.measure == RankingMeasure::kRPrecision && metric.cutoff > 0) {
    return fail(ErrorCode::kInvalidArgument, "'{}': R-precision takes no cutoff, it has its own", name);
  }
  return metric;
}

std::string ranking_metric_name(const RankingMetric& metric) {
  const auto* spelling = std::ranges::find(kSpellings, metric.measure, &Spelling::measure);
  return metric.cutoff == 0 ? std::string(spelling->name) : fmt::format("{}@{}", spelling->name, metric.cutoff);
}

void order_ideally(std::span<const std::int32_t> judged, std::vector<std::int32_t>& ideal) {
  ideal.clear();
  std::ranges::copy_if(judged, std::back_inserter(ideal), [](std::int32_t relevance) { return relevance > 0; });
  std::ranges::sort(ideal, std::greater<>());
}

double ranking_metric(const RankingMetric& metric, const QueryRelevance& query) {
  const std::size_t cutoff = metric.cutoff == 0 ? std::max(query.ranked.size(), query.ideal.size()) : metric.cutoff;
  const std::span<const std::int32_t> seen = query.ranked.first(std::min(cutoff, query.ranked.size()));
  const auto is_relevant = [&](std::int32_t relevance) { return relevance >= query.relevance_level; };
  const auto relevant = static_cast<double>(query.relevant);
  const auto found = [&](std::span<const std::int32_t> results) {
    return static_cast<double>(std::ranges::count_if(results, is_relevant));
  };
  // Gains know no relevance level; without anything relevant, the other measures are 0.
  if (metric.measure == RankingMeasure::kNdcg) return ndcg(seen, query.ideal, cutoff, linear_gain);
  if (metric.measure == RankingMeasure::kNdcgExponential) return ndcg(seen, query.ideal, cutoff, exponential_gain);
  if (query.relevant == 0 || seen.empty()) return 0;
  const auto looked_at = static_cast<double>(metric.cutoff == 0 ? seen.size() : metric.cutoff);
  switch (metric.measure) {
    case RankingMeasure::kNdcg:
    case RankingMeasure::kNdcgExponential:
      break;
    case RankingMeasure::kMap:
      return average_precision(seen, query);
    case RankingMeasure::kMrr: {
      const auto first = std::ranges::find_if(seen, is_relevant);
      return first == seen.end() ? 0 : 1 / static_cast<double>(first - seen.begin() + 1);
    }
    case RankingMeasure::kRecall:
      return found(seen) / relevant;
    case RankingMeasure::kPrecision:
      return found(seen) / looked_at;
    case RankingMeasure::kF1:
      // 2PR / (P + R) with P = found / looked_at and R = found / relevant.
      return 2 * found(seen) / (looked_at + relevant);
    case RankingMeasure::kRPrecision:
      return found(seen.first(std::min(query.relevant, seen.size()))) / relevant;
    case RankingMeasure::kSuccess:
      return std::ranges::any_of(seen, is_relevant) ? 1 : 0;
  }
  return 0;
}

double ranking_metric(const RankingMetric& metric, std::span<const std::int32_t> ranked,
                      std::span<const std::int32_t> judged, std::int32_t relevance_level) {
  std::vector<std::int32_t> ideal;
  order_ideally(judged, ideal);
  const auto relevant = static_cast<std::size_t>(
      std::ranges::count_if(ideal, [&](std::int32_t relevance) { return relevance >= relevance_level; }));
  return ranking_metric(metric,
                        {.ranked = ranked, .ideal = ideal, .relevant = relevant, .relevance_level = relevance_level});
}

}  // namespace tandem
