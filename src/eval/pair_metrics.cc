#include "tandem/pair_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/error.h"

namespace tandem {
namespace {

/// Pairs of one score, counted by label. Scores descend from one group to the next.
struct ScoreGroup {
  double score = 0;
  std::size_t positives = 0;
  std::size_t negatives = 0;
};

std::vector<ScoreGroup> group_by_score(std::vector<LabelledScore> pairs) {
  std::ranges::sort(pairs, std::ranges::greater(), &LabelledScore::score);
  std::vector<ScoreGroup> groups;
  for (const LabelledScore& pair : pairs) {
    if (groups.empty() || groups.back().score != pair.score) groups.push_back({.score = pair.score});
    ++(pair.label ? groups.back().positives : groups.back().negatives);
  }
  return groups;
}

double as_double(std::size_t count) { return static_cast<double>(count); }
double ratio(std::size_t part, std::size_t whole) { return whole == 0 ? 0 : as_double(part) / as_double(whole); }

/// Pairs of both labels in all, and those that a threshold calls positive.
struct Confusion {
  std::size_t positives = 0;
  std::size_t negatives = 0;
  std::size_t true_positives = 0;
  std::size_t false_positives = 0;

  std::size_t right() const { return true_positives + negatives - false_positives; }
  void call_positive(const ScoreGroup& group) {
    true_positives += group.positives;
    false_positives += group.negatives;
  }
  ThresholdMetrics at(double threshold) const {
    return {.threshold = threshold,
            .accuracy = ratio(right(), positives + negatives),
            .precision = ratio(true_positives, true_positives + false_positives),
            .recall = ratio(true_positives, positives),
            .f1 = ratio(2 * true_positives, positives + true_positives + false_positives)};
  }
};

// Half way between two scores, and always above the lower one, which it is to keep out.
double between(double lower, double upper) {
  const double middle = lower / 2 + upper / 2;
  return middle > lower && middle <= upper ? middle : upper;
}

ThresholdMetrics fixed_threshold(const std::vector<ScoreGroup>& groups, Confusion calls, double threshold) {
  for (const ScoreGroup& group : groups) {
    if (group.score >= threshold) calls.call_positive(group);
  }
  return calls.at(threshold);
}

ThresholdMetrics best_threshold(const std::vector<ScoreGroup>& groups, Confusion calls) {
  // First nothing is called positive, then each group too.
  Confusion best = calls;
  double threshold = std::nextafter(groups.front().score, std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    calls.call_positive(groups[i]);
    if (calls.right() <= best.right()) continue;
    best = calls;
    threshold = i + 1 < groups.size() ? between(groups[i + 1].score, groups[i].score) : groups[i].score;
  }
  return best.at(threshold);
}

// The Mann-Whitney statistic, in which a tie counts half (Hanley and McNeil 1982).
double roc_auc(const std::vector<ScoreGroup>& groups, const Confusion& all) {
  double won = 0;
  std::size_t negatives_above = 0;
  for (const ScoreGroup& group : groups) {
    const std::size_t negatives_below = all.negatives - negatives_above - group.negatives;
    won += as_double(group.positives) * (as_double(negatives_below) + as_double(group.negatives) / 2);
    negatives_above += group.negatives;
  }
  return won / as_double(all.positives) / as_double(all.negatives);
}

double average_precision(const std::vector<ScoreGroup>& groups, Confusion calls) {
  double sum = 0;
  for (const ScoreGroup& group : groups) {
    calls.call_positive(group);
    sum += ratio(group.positives, calls.positives) * calls.at(group.score).precision;
  }
  return sum;
}

Status check_finite(double number, std::size_t index, const char* what) {
  if (std::isfinite(number)) return {};
  return fail(ErrorCode::kInvalidArgument, "the {} of pair {} is {}, want a finite number", what, index + 1, number);
}

// From 1; equal values get the mean of the ranks that they share.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t index) { return values[index]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = as_double(begin + 1 + end) / 2;
    begin = end;
  }
  return ranks;
}

// Brings values that are not all equal to mean 0 and length 1.
void standardise(std::vector<double>& values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / as_double(values.size());
  double length = 0;
  for (double& value : values) {
    value -= mean;
    length = std::hypot(length, value);
  }
  for (double& value : values) value /= length;
}

// Both brought to mean 0 and length 1 before.
double correlation(const std::vector<double>& left, const std::vector<double>& right) {
  return std::clamp(std::inner_product(left.begin(), left.end(), right.begin(), 0.0), -1.0, 1.0);
}

bool all_equal(const std::vector<double>& values) {
  return std::ranges::adjacent_find(values, std::not_equal_to<>()) == values.end();
}

}  // namespace

Result<BinaryPairMetrics> binary_pair_metrics(std::span<const LabelledScore> pairs, double threshold) {
  for (std::size_t i = 0; i < pairs.size(); ++i) RETURN_IF_ERROR(check_finite(pairs[i].score, i, "score"));
  Confusion all;
  all.positives = static_cast<std::size_t>(std::ranges::count(pairs, true, &LabelledScore::label));
  all.negatives = pairs.size() - all.positives;
  if (all.positives == 0 || all.negatives == 0) {
    return fail(ErrorCode::kInvalidArgument, "ROC-AUC needs pairs of both labels: of {} pairs, {} are positive",
                pairs.size(), all.positives);
  }
  const std::vector<ScoreGroup> groups = group_by_score({pairs.begin(), pairs.end()});
  return BinaryPairMetrics{.pairs = pairs.size(),
                           .positives = all.positives,
                           .roc_auc = roc_auc(groups, all),
                           .average_precision = average_precision(groups, all),
                           .fixed = fixed_threshold(groups, all, threshold),
                           .best = best_threshold(groups, all)};
}

Result<CorrelationMetrics> correlation_metrics(std::span<const GradedScore> pairs) {
  if (pairs.size() < 2) {
    return fail(ErrorCode::kInvalidArgument, "a correlation needs two pairs or more, got {}", pairs.size());
  }
  std::vector<double> scores;
  std::vector<double> grades;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    RETURN_IF_ERROR(check_finite(pairs[i].score, i, "score"));
    RETURN_IF_ERROR(check_finite(pairs[i].grade, i, "grade"));
    scores.push_back(pairs[i].score);
    grades.push_back(pairs[i].grade);
  }
  for (const auto* values : {&scores, &grades}) {
    if (all_equal(*values)) {
      return fail(ErrorCode::kInvalidArgument, "all {} are {}: nothing correlates with what does not vary",
                  values == &scores ? "scores" : "grades", values->front());
    }
  }
  std::vector<double> score_ranks = ranks_of(scores);
  std::vector<double> grade_ranks = ranks_of(grades);
  for (auto* values : {&scores, &grades, &score_ranks, &grade_ranks}) standardise(*values);
  return CorrelationMetrics{
      .pairs = pairs.size(), .spearman = correlation(score_ranks, grade_ranks), .pearson = correlation(scores, grades)};
}

}  // namespace tandem
