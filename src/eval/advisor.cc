#include "tandem/advisor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <string_view>

#include "base/error.h"
#include "eval/wording.h"
#include "tandem/encoder_costs.h"

namespace tandem {
namespace {

// With fewer queries a bootstrap interval is too narrow to be relied on.
constexpr std::size_t kQueriesEnough = 20;

/// The fewest queries by which one setting can be told from another: of n queries, each of which one setting wins, the
/// two-sided permutation test of the paired differences has the p-value 2 / 2^n, and none has a smaller one. 6 for
/// 0.95.
std::size_t queries_that_tell(double confidence) {
  return static_cast<std::size_t>(std::ceil(std::log2(2 / (1 - confidence))));
}

/// "a fifth of the time", for a ratio below 1.
std::string share_of_time(double ratio) {
  constexpr std::string_view kParts[] = {"half", "a third", "a quarter", "a fifth"};
  const double parts = 1 / ratio;
  if (ratio > 0.55) return fmt::format("{:.0f} % of the time", ratio * 100);
  if (parts < 5.5) return fmt::format("about {} of the time", kParts[static_cast<std::size_t>(std::round(parts)) - 2]);
  return fmt::format("{:.2g} % of the time", ratio * 100);
}

/// A value that a setting has, and the limit that the goal sets to it.
struct Limit {
  std::string_view noun;       // "a p95", "a cost per 1,000 queries"
  std::string_view unit = "";  // With a blank before it.
  std::optional<int> decimals = {};
  double limit = 0;
  bool is_minimum = false;
  bool is_known = true;  // False: the value is that of a part, and the whole may be any more.

  bool kept_by(double value) const { return is_known && (is_minimum ? value >= limit : value <= limit); }
  bool exceeded_by(double value) const { return is_minimum ? value < limit : value > limit; }
  std::string text(double value) const {
    return decimals ? fmt::format("{:.{}f}{}", value, *decimals, unit) : fmt::format("{:.4g}{}", value, unit);
  }
};

/// One call of advise().
class Advisor {
 public:
  Advisor(const SweepResult& sweep, const Goal& goal, const ComparisonOptions& comparison)
      : sweep_(sweep),
        goal_(goal),
        comparison_(comparison),
        any_retrieval_timed_(std::ranges::any_of(sweep.settings, [](const SettingResult& setting) {
          return setting.setting.mode != SearchMode::kCross && setting.retrieval_timed;
        })) {}

  Result<Advice> run() {
    RETURN_IF_ERROR(check());
    advice_.settings.resize(sweep_.settings.size());
    std::vector<std::size_t> all(sweep_.settings.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    for (const std::size_t setting : all) {
      advice_.settings[setting].cost_per_1000 = cost_of(setting);
      advice_.settings[setting].dominated_by = dominator_of(setting, all);
      advice_.settings[setting].lacks = lacks_of(setting);
    }
    if (is_void()) return std::move(advice_);
    RETURN_IF_ERROR(recommend(all));
    explain_losses(at(*advice_.recommended));
    return std::move(advice_);
  }

 private:
  // ---------------------------------------------------------------------------------------------------------- input

  Status check() {
    RETURN_IF_ERROR(check_limit("the p95 goal in milliseconds", goal_.p95_ms_max));
    RETURN_IF_ERROR(check_limit("the goal for the cost of 1,000 queries", goal_.cost_per_1000_max));
    RETURN_IF_ERROR(check_limit("the goal for recall", goal_.recall_min));
    RETURN_IF_ERROR(check_limit("the price of an hour", goal_.price_per_hour));
    if (goal_.recall_min.value_or(1) > 1) {
      return fail(ErrorCode::kInvalidArgument, "the goal for recall is {}, want at most 1", *goal_.recall_min);
    }
    if (sweep_.settings.empty()) return fail(ErrorCode::kInvalidArgument, "no setting was measured");
    if (sweep_.query_ids.empty()) return fail(ErrorCode::kInvalidArgument, "no query was measured");
    RETURN_IF_ERROR(bootstrap_mean(std::vector<double>{0}, comparison_.bootstrap));
    ASSIGN_OR_RETURN(metric_, place_of(goal_.metric));
    if (goal_.recall_min) {
      ASSIGN_OR_RETURN(recall_, place_of(goal_.recall));
    }
    return {};
  }

  static Status check_limit(std::string_view what, std::optional<double> value) {
    if (!value || (std::isfinite(*value) && *value > 0)) return {};
    return fail(ErrorCode::kInvalidArgument, "{} is {}, want a number above 0", what, *value);
  }

  Result<std::size_t> place_of(const RankingMetric& metric) const {
    const auto found = std::ranges::find(sweep_.metrics, metric);
    if (found != sweep_.metrics.end()) return static_cast<std::size_t>(found - sweep_.metrics.begin());
    return fail(ErrorCode::kInvalidArgument, "{} was not measured", ranking_metric_name(metric));
  }

  const SettingResult& at(std::size_t setting) const { return sweep_.settings[setting]; }
  double quality_of(std::size_t setting) const { return at(setting).means[metric_]; }
  double cost_of(std::size_t setting) const {
    return cost_per_1000(at(setting).total.mean / 1e3, goal_.price_per_hour);
  }
  std::string name_of(std::size_t setting) const { return at(setting).setting.name(); }
  const std::string& first_stage_of(std::size_t setting) const { return at(setting).setting.first_stage; }

  // ------------------------------------------------------------------------------------------------------- frontier

  /// Whether the time of `one` is known as far as that of `other`: what a run took to find its candidates is not, and
  /// matters only where the other does not start from the same run.
  bool time_compares(std::size_t one, std::size_t other) const {
    return at(one).retrieval_timed ||
           (!at(other).retrieval_timed && at(one).setting.first_stage == at(other).setting.first_stage);
  }

  bool dominates(std::size_t one, std::size_t other) const {
    if (!time_compares(one, other)) return false;
    const Latency& time = at(one).total;
    const Latency& other_time = at(other).total;
    return quality_of(one) >= quality_of(other) && time.p95 <= other_time.p95 && time.mean <= other_time.mean &&
           (quality_of(one) > quality_of(other) || time.p95 < other_time.p95 || time.mean < other_time.mean);
  }

  /// Of those among `settings` that dominate this one, the best; it is dominated by none of them itself.
  std::optional<std::size_t> dominator_of(std::size_t setting, const std::vector<std::size_t>& settings) const {
    std::optional<std::size_t> best;
    for (const std::size_t other : settings) {
      if (dominates(other, setting) && (!best || is_better(other, *best))) best = other;
    }
    return best;
  }

  /// Orders by quality, then by time, unknown ones last. What dominates is better, so the best of some is dominated by
  /// none of them.
  bool is_better(std::size_t one, std::size_t other) const {
    if (quality_of(one) != quality_of(other)) return quality_of(one) > quality_of(other);
    if (at(one).retrieval_timed != at(other).retrieval_timed) return at(one).retrieval_timed;
    return takes_less(at(one).total, at(other).total);
  }

  bool is_cheaper(std::size_t one, std::size_t other) const {
    return time_compares(one, other) && takes_less(at(one).total, at(other).total);
  }

  static bool takes_less(const Latency& time, const Latency& other_time) {
    return time.mean < other_time.mean || (time.mean == other_time.mean && time.p95 < other_time.p95);
  }

  // ----------------------------------------------------------------------------------------------------------- goal

  /// Calls `visit` with each limit of the goal and what the setting has.
  template <class Visit>
  void for_each_limit(std::size_t setting, Visit visit) const {
    // Where every first stage is a run, what is left to compare is what comes after it.
    const bool is_time_known = at(setting).retrieval_timed || !any_retrieval_timed_;
    if (goal_.p95_ms_max) {
      visit(Limit{.noun = "a p95", .unit = " ms", .decimals = 1, .limit = *goal_.p95_ms_max, .is_known = is_time_known},
            at(setting).total.p95);
    }
    if (goal_.cost_per_1000_max) {
      visit(Limit{.noun = "a cost per 1,000 queries", .limit = *goal_.cost_per_1000_max, .is_known = is_time_known},
            cost_of(setting));
    }
    if (goal_.recall_min) {
      visit(Limit{.noun = "a recall", .decimals = 3, .limit = *goal_.recall_min, .is_minimum = true},
            at(setting).means[recall_]);
    }
  }

  std::vector<std::string> lacks_of(std::size_t setting) const {
    std::vector<std::string> lacks;
    for_each_limit(setting, [&](const Limit& limit, double value) {
      if (limit.kept_by(value)) return;
      if (!limit.exceeded_by(value)) {
        lacks.push_back(
            fmt::format("{} that is not known, as the time of {} itself is not", limit.noun, first_stage_of(setting)));
        return;
      }
      lacks.push_back(fmt::format("{} of {}, {} {} than {}", limit.noun, limit.text(value),
                                  limit.text(std::abs(value - limit.limit)), limit.is_minimum ? "less" : "more",
                                  limit.text(limit.limit)));
    });
    return lacks;
  }

  /// The largest share of a limit that the setting misses it by; 0 where it meets the goal, infinite where nobody
  /// knows.
  double shortfall_of(std::size_t setting) const {
    double worst = 0;
    for_each_limit(setting, [&](const Limit& limit, double value) {
      if (limit.kept_by(value)) return;
      const bool exceeded = limit.exceeded_by(value);
      worst = std::max(
          worst, exceeded ? std::abs(value - limit.limit) / limit.limit : std::numeric_limits<double>::infinity());
    });
    return worst;
  }

  // ------------------------------------------------------------------------------------------------- recommendation

  /// Whether what was measured says nothing about the settings; says why.
  bool is_void() {
    const std::size_t queries = sweep_.query_ids.size();
    const std::size_t enough = queries_that_tell(comparison_.bootstrap.confidence);
    if (queries < enough) {
      warn_of_few_queries(
          fmt::format("with fewer than {} no difference between settings can be told from chance, "
                      "even where one is better on each of them",
                      enough));
      return true;
    }
    const bool all_zero = std::ranges::all_of(
        sweep_.settings, [this](const SettingResult& setting) { return setting.means[metric_] == 0; });
    if (all_zero) {
      advice_.caveat = fmt::format("{} is 0 everywhere", metric_name());
      reason(
          fmt::format("No setting has found anything: {} is 0 for each of {}. That is what a test looks like whose "
                      "queries or judgements do not belong to the documents; it says nothing about the settings.",
                      metric_name(), count_of(queries, "query", "queries")));
    }
    return all_zero;
  }

  Status recommend(const std::vector<std::size_t>& all) {
    std::vector<std::size_t> good_enough;
    std::ranges::copy_if(all, std::back_inserter(good_enough),
                         [this](std::size_t setting) { return advice_.settings[setting].lacks.empty(); });
    advice_.meets_goal = !good_enough.empty();
    if (!advice_.meets_goal) return recommend_nearest(all);
    // One that another good enough setting dominates is never wanted.
    std::vector<std::size_t> choices;
    std::ranges::copy_if(good_enough, std::back_inserter(choices),
                         [&](std::size_t setting) { return !dominator_of(setting, good_enough); });
    const std::size_t best = *std::ranges::min_element(choices, [this](auto a, auto b) { return is_better(a, b); });
    RETURN_IF_ERROR(compare_with(best));
    std::size_t recommended = best;
    for (const std::size_t choice : choices) {
      if (!could_replace(choice, best) || !is_cheaper(choice, recommended)) continue;
      if (advice_.settings[choice].to_best->interval.high >= 0) recommended = choice;
    }
    advice_.recommended = recommended;
    explain_choice(good_enough, recommended, best);
    return {};
  }

  /// Makes a setting the best, and compares every other with it.
  Status compare_with(std::size_t best) {
    advice_.best = best;
    for (std::size_t other = 0; other < sweep_.settings.size(); ++other) {
      if (other == best) continue;
      ASSIGN_OR_RETURN(advice_.settings[other].to_best,
                       compare_paired(at(best).values[metric_], at(other).values[metric_], comparison_));
    }
    return {};
  }

  /// Whether a setting may be recommended for being cheaper than the best: not where there are too few queries to say
  /// that it is as good.
  bool could_replace(std::size_t setting, std::size_t best) const {
    return sweep_.query_ids.size() >= kQueriesEnough && is_cheaper(setting, best);
  }

  Status recommend_nearest(const std::vector<std::size_t>& all) {
    const std::size_t nearest = *std::ranges::min_element(all, [this](std::size_t a, std::size_t b) {
      const double shortfall = shortfall_of(a);
      const double other_shortfall = shortfall_of(b);
      return shortfall != other_shortfall ? shortfall < other_shortfall : is_better(a, b);
    });
    advice_.recommended = nearest;
    RETURN_IF_ERROR(compare_with(nearest));
    const std::vector<std::string>& lacks = advice_.settings[nearest].lacks;
    reason(fmt::format("None of the {} settings meets the goal. The nearest is {}: it has {}.", all.size(),
                       name_of(nearest), fmt::join(lacks, ", and ")));
    const auto best = *std::ranges::min_element(all, [this](auto a, auto b) { return is_better(a, b); });
    if (best != nearest) {
      reason(fmt::format("Without the goal, {} reaches the highest {}, {:.3f}, with a p95 of {:.1f} ms.", name_of(best),
                         metric_name(), quality_of(best), at(best).total.p95));
    }
    warn_of_weak_evidence();
    return {};
  }

  void explain_choice(const std::vector<std::size_t>& good_enough, std::size_t chosen, std::size_t best) {
    const bool has_goal = goal_.p95_ms_max || goal_.cost_per_1000_max || goal_.recall_min;
    const std::string_view that_meets_it = has_goal ? " that meets the goal" : "";
    if (has_goal) {
      reason(fmt::format("{} of {} {} the goal.", good_enough.size(),
                         count_of(sweep_.settings.size(), "setting", "settings"),
                         good_enough.size() == 1 ? "meets" : "meet"));
    }
    const Interval& interval = at(best).intervals[metric_];
    reason(fmt::format("{} has the highest {}{}: {:.3f} (interval {:.3f} to {:.3f}), with a p95 of {:.1f} ms.",
                       name_of(best), metric_name(), good_enough.size() < sweep_.settings.size() ? " of those" : "",
                       quality_of(best), interval.low, interval.high, at(best).total.p95));
    if (chosen != best) {
      const Comparison& difference = *advice_.settings[chosen].to_best;
      const std::string change = difference.difference == 0
                                     ? fmt::format("the same {}", metric_name())
                                     : fmt::format("{:.3f} {} {}", std::abs(difference.difference), metric_name(),
                                                   difference.difference < 0 ? "less" : "more");
      reason(
          fmt::format("{} has {}, which chance may explain ({:g} % interval of the difference {:+.3f} to {:+.3f}), for "
                      "{}.",
                      name_of(chosen), change, comparison_.bootstrap.confidence * 100, difference.interval.low,
                      difference.interval.high, share_of_time(at(chosen).total.mean / at(best).total.mean)));
    } else if (std::ranges::any_of(good_enough, [&](std::size_t other) { return could_replace(other, best); })) {
      reason(fmt::format("Every cheaper setting{} is worse by more than chance explains.", that_meets_it));
    } else if (good_enough.size() > 1 &&
               std::ranges::none_of(good_enough, [&](std::size_t other) { return is_cheaper(other, best); })) {
      reason(fmt::format("No other setting{} is cheaper.", that_meets_it));
    }
    if (!at(chosen).retrieval_timed) {
      reason(fmt::format("The time that {} itself takes is not known and counts as 0.", first_stage_of(chosen)));
    }
    warn_of_weak_evidence();
  }

  void warn_of_weak_evidence() {
    if (sweep_.query_ids.size() >= kQueriesEnough) return;
    warn_of_few_queries(fmt::format(
        "with fewer than {} the intervals are too narrow to recommend a cheaper setting in place of the best",
        kQueriesEnough));
  }

  void warn_of_few_queries(const std::string& consequence) {
    const std::string measured =
        fmt::format("only {} measured", count_of(sweep_.query_ids.size(), "query was", "queries were"));
    advice_.caveat = measured;
    reason(fmt::format("O{}: {}.", measured.substr(1), consequence));
  }

  // --------------------------------------------------------------------------------------------------------- losses

  /// Whether 1 is what a perfect order of everything has, wherever something is relevant.
  static bool reaches_one(RankingMeasure measure) {
    switch (measure) {
      case RankingMeasure::kNdcg:
      case RankingMeasure::kNdcgExponential:
      case RankingMeasure::kMap:
      case RankingMeasure::kMrr:
      case RankingMeasure::kRPrecision:
      case RankingMeasure::kSuccess:
        return true;
      case RankingMeasure::kRecall:
      case RankingMeasure::kPrecision:
      case RankingMeasure::kF1:
        return false;
    }
    return false;
  }

  /// The ceiling of a first stage at the depth nearest to `depth`, from above where there is one.
  const PoolCeiling* ceiling_of(std::string_view first_stage, std::size_t depth) const {
    const PoolCeiling* nearest = nullptr;
    for (const PoolCeiling& ceiling : sweep_.ceilings) {
      if (ceiling.first_stage != first_stage) continue;
      if (nearest == nullptr || (nearest->depth < depth ? ceiling.depth > nearest->depth
                                                        : ceiling.depth >= depth && ceiling.depth < nearest->depth)) {
        nearest = &ceiling;
      }
    }
    return nearest;
  }

  void explain_losses(const SettingResult& chosen) {
    const LostAnswers& answers = chosen.answers;
    const std::size_t queries = answers.found + answers.in_retrieval + answers.in_ranking;
    if (queries == 0) return;
    std::string verdict = "as many as in ranking";
    if (answers.in_retrieval > answers.in_ranking) verdict = "so retrieval is where to begin";
    if (answers.in_retrieval < answers.in_ranking) verdict = "so ranking is where to begin";
    loss(
        fmt::format("Of {} with a relevant document, {} found one among the results. {} lost in retrieval, where the "
                    "candidates hold no relevant document, and {} in ranking, where they do but it came too far "
                    "down{}.",
                    count_of(queries, "query", "queries"), answers.found, count_of(answers.in_retrieval, "was", "were"),
                    answers.in_ranking, answers.found == queries ? "" : ": " + verdict));
    if (chosen.setting.mode == SearchMode::kCross) {
      loss("The cross-encoder reads every document, so that only a better one could win them back.");
      return;
    }
    const bool hybrid = chosen.setting.mode == SearchMode::kHybrid;
    const std::size_t depth = hybrid ? chosen.setting.candidates : std::numeric_limits<std::size_t>::max();
    const PoolCeiling* pool = ceiling_of(chosen.setting.first_stage, depth);
    if (pool != nullptr) explain_headroom(chosen, *pool);
  }

  void explain_headroom(const SettingResult& chosen, const PoolCeiling& pool) {
    const double measured = chosen.means[metric_];
    const double ceiling = pool.means[metric_];
    loss(
        fmt::format("A better reranker: the best order of the {} would have {} {:.3f} where {:.3f} was measured, so "
                    "it can win {:.3f}.",
                    count_of(pool.depth, "candidate", "candidates"), metric_name(), ceiling, measured,
                    std::max(0.0, ceiling - measured)));
    const PoolCeiling* deepest = ceiling_of(pool.first_stage, std::numeric_limits<std::size_t>::max());
    if (deepest->depth > pool.depth) {
      loss(fmt::format("More candidates: {} instead of {} would raise that limit by {:.3f}{}.", deepest->depth,
                       pool.depth, deepest->means[metric_] - ceiling, measured_with_more(chosen)));
    } else {
      loss(fmt::format("More candidates: no more than {} were tried.", pool.depth));
    }
    std::string better =
        fmt::format("A better retriever: the candidates hold {:.1f} % of the relevant documents", pool.recall * 100);
    if (reaches_one(goal_.metric.measure)) {
      better +=
          fmt::format(", and {:.3f} {} is out of reach without the others", std::max(0.0, 1 - ceiling), metric_name());
    }
    for (const PoolCeiling& other : sweep_.ceilings) {
      if (other.first_stage != pool.first_stage && other.depth == pool.depth) {
        better += fmt::format("; those of {} hold {:.1f} %", other.first_stage, other.recall * 100);
      }
    }
    loss(better + ".");
  }

  /// What reranking more candidates with the same weights did.
  std::string measured_with_more(const SettingResult& chosen) const {
    const SettingResult* deepest = &chosen;
    for (const SettingResult& other : sweep_.settings) {
      if (other.setting.mode == SearchMode::kHybrid && chosen.setting.mode == SearchMode::kHybrid &&
          other.setting.first_stage == chosen.setting.first_stage && other.setting.alpha == chosen.setting.alpha &&
          other.setting.candidates > deepest->setting.candidates) {
        deepest = &other;
      }
    }
    if (deepest == &chosen) return "";
    return fmt::format("; with this cross-encoder they changed it by {:+.3f}",
                       deepest->means[metric_] - chosen.means[metric_]);
  }

  std::string metric_name() const { return ranking_metric_name(goal_.metric); }
  void reason(std::string sentence) { advice_.reasons.push_back(std::move(sentence)); }
  void loss(std::string sentence) { advice_.losses.push_back(std::move(sentence)); }

  const SweepResult& sweep_;
  const Goal& goal_;
  const ComparisonOptions& comparison_;
  const bool any_retrieval_timed_;
  std::size_t metric_ = 0;
  std::size_t recall_ = 0;
  Advice advice_;
};

}  // namespace

double total_ms_over(const SweepResult& sweep, const SettingResult& setting, double documents) {
  const double factor = documents / static_cast<double>(sweep.documents);
  if (setting.setting.mode == SearchMode::kCross) return setting.total.mean * factor;
  return setting.encode.mean + setting.retrieve.mean * factor + setting.rerank.mean;
}

Result<Advice> advise(const SweepResult& sweep, const Goal& goal, const ComparisonOptions& comparison) {
  return Advisor(sweep, goal, comparison).run();
}

}  // namespace tandem
