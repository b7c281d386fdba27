// Measuring the scores of text pairs against labels: does a higher score mean that the pair belongs together?
//
//   std::vector<tandem::LabelledScore> pairs{{0.91, true}, {0.15, false}, …};
//   auto metrics = tandem::binary_pair_metrics(pairs);    // metrics->roc_auc, metrics->best.accuracy
#pragma once

#include <cstddef>
#include <span>

#include "tandem/export.h"
#include "tandem/result.h"

namespace tandem {

struct LabelledScore {
  double score = 0;
  bool label = false;  ///< True: the pair belongs together.
};

/// What comes of calling every pair positive whose score is at least `threshold`.
struct ThresholdMetrics {
  double threshold = 0;
  double accuracy = 0;
  double precision = 0;  ///< 0 where no pair is called positive.
  double recall = 0;
  double f1 = 0;  ///< 0 where precision and recall are.
};

struct BinaryPairMetrics {
  std::size_t pairs = 0;
  std::size_t positives = 0;
  double roc_auc = 0;  ///< A pair of each label, drawn at random: how often the positive one scores higher. Ties: half.
  double average_precision = 0;  ///< Sum of precision · gain of recall over the distinct scores, from the highest.
  ThresholdMetrics fixed;        ///< At the threshold that was given.
  /// At the threshold of highest accuracy: half way between two scores; above all of them where it is best to call
  /// none positive. Of several, the highest.
  ThresholdMetrics best;
};

/// Equal to roc_auc_score, average_precision_score, accuracy_score and their kind of scikit-learn. Errors:
/// kInvalidArgument for labels that are all the same, of which no AUC exists, and for scores that are not finite.
TANDEM_EXPORT Result<BinaryPairMetrics> binary_pair_metrics(std::span<const LabelledScore> pairs,
                                                            double threshold = 0.5);

struct GradedScore {
  double score = 0;
  double grade = 0;  ///< What people gave the pair.
};

struct CorrelationMetrics {
  std::size_t pairs = 0;
  double spearman = 0;  ///< Of the ranks; ties get the mean of theirs.
  double pearson = 0;
};

/// Equal to scipy.stats.spearmanr and pearsonr. Errors: kInvalidArgument for fewer than two pairs, numbers that are not
/// finite, and scores or grades that are all equal.
TANDEM_EXPORT Result<CorrelationMetrics> correlation_metrics(std::span<const GradedScore> pairs);

}  // namespace tandem
