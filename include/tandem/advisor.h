// Which setting of the pipeline to run: what a sweep measured, read for somebody who has a goal.
//
//   auto advice = tandem::advise(*result, {.p95_ms_max = 50});
//   if (advice->recommended) result->settings[*advice->recommended].setting.name();   // "bi + cross, top 20, alpha 1"
//   for (const std::string& reason : advice->reasons) std::cout << reason << '\n';
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tandem/evaluation.h"
#include "tandem/export.h"
#include "tandem/result.h"
#include "tandem/significance.h"
#include "tandem/sweep.h"

namespace tandem {

/// What a setting must keep to, and what it is to be good at.
struct Goal {
  RankingMetric metric = {RankingMeasure::kNdcg, 10};  ///< Quality: one of SweepResult::metrics, higher is better.
  std::optional<double> p95_ms_max = {};               ///< 95 % of the queries are answered in this time; above 0.
  std::optional<double> cost_per_1000_max = {};        ///< In the currency of `price_per_hour`; above 0.
  /// Share of the relevant documents among the results, mean over the queries, by `recall`; above 0, at most 1.
  std::optional<double> recall_min = {};
  RankingMetric recall = {RankingMeasure::kRecall, 10};  ///< One of SweepResult::metrics where `recall_min` is given.
  /// What an hour of this machine costs; above 0. With 1, costs are hours of the machine.
  double price_per_hour = 1;
};

/// What a query would take in milliseconds, were so many documents searched: scanning vectors and scoring every
/// document grow with their number, encoding the query and reranking a fixed number of candidates do not.
TANDEM_EXPORT double total_ms_over(const SweepResult& sweep, const SettingResult& setting, double documents);

struct SettingAdvice {
  double cost_per_1000 = 0;
  /// The setting on the frontier that is at least as good, as quick (95th percentile) and as cheap (mean), and better
  /// in one of them. None: this one is on the frontier.
  std::optional<std::size_t> dominated_by = {};
  /// What it lacks of the goal: "a p95 of 61.0 ms, 11.0 ms more than 50.0 ms".
  std::vector<std::string> lacks = {};
  /// It against Advice::best, by the metric; none for that one itself, and where there is none.
  std::optional<Comparison> to_best = {};
};

/// Indices are those of SweepResult::settings; sentences are whole ones.
struct Advice {
  std::vector<SettingAdvice> settings;  ///< [settings]
  /// None where what was measured says nothing about the settings: `reasons` begin with why.
  std::optional<std::size_t> recommended;
  bool meets_goal = false;          ///< False: nothing is recommended, or the nearest to a goal that no setting meets.
  std::optional<std::size_t> best;  ///< The best by the metric, of those that meet the goal; else as `recommended`.
  /// For a headline: why nothing is recommended, or why the recommendation is a weak one, such as "only 12 queries were
  /// measured"; empty where there is nothing to be said.
  std::string caveat;
  std::vector<std::string> reasons;  ///< For the recommendation, or for there being none.
  std::vector<std::string> losses;   ///< Where the recommended setting loses answers, and what could win them back.
};

/// Recommends, of the settings that meet the goal, the best by the metric; but where the paired difference to a cheaper
/// one has a confidence interval that includes 0, the cheapest such; with fewer than 20 queries no such exchange is
/// made. Where none meets the goal, the one whose worst shortfall, relative to the limit, is smallest. Nothing is
/// recommended where the metric is 0 for every query of every setting, nor from so few queries that no paired test
/// could tell any two settings apart: fewer than 6 for a confidence of 0.95.
///
/// What starts from a run (SettingResult::retrieval_timed) is neither cheaper than a setting with another first stage,
/// nor dominates it, nor meets a goal of time or cost, unless every first stage is a run.
///
/// Errors: kInvalidArgument for a goal out of range, a metric that was not measured, a sweep without settings or
/// queries, or comparison options out of range. May be called from many threads at once.
TANDEM_EXPORT Result<Advice> advise(const SweepResult& sweep, const Goal& goal = {},
                                    const ComparisonOptions& comparison = {});

}  // namespace tandem
