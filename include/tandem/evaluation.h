// Measuring a ranking: relevance judgements (qrels), runs, and the metrics of trec_eval.
//
//   auto qrels = tandem::Qrels::read("qrels/test.tsv");
//   auto run = tandem::Run::read("bm25.trec");              // or filled in memory with add()
//   std::vector<tandem::RankingMetric> metrics{{tandem::RankingMeasure::kNdcg, 10}, {tandem::RankingMeasure::kMap}};
//   auto evaluation = tandem::evaluate(*run, *qrels, metrics);
//   evaluation->means[0];                                   // nDCG@10
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/export.h"
#include "tandem/result.h"

namespace tandem {

/// A relevance of 1 or more says that a document is relevant, and how much; 0 that it is not. A negative one says that
/// it was looked at without a judgement, and counts like none at all.
struct Judgement {
  std::string_view document_id;
  std::int32_t relevance = 0;
};

enum class QrelsFormat {
  kTrec,  ///< "qid 0 docid rel", separated by white space.
  kBeir,  ///< Header "query-id TAB corpus-id TAB score", then three columns; ids may hold blanks.
};

/// Relevance judgements: which documents answer which queries. Queries keep the order in which they came. The const
/// methods may be called from many threads at once.
class TANDEM_EXPORT Qrels {
 public:
  Qrels();

  /// Reads either format, told apart by the first line; empty lines and lines that begin with "#" are skipped. "-" is
  /// standard input. Errors: those of opening; kCorruptData, with the file and the line, for a line with other columns,
  /// a relevance that is no 32-bit integer, or a document that is judged twice; kCorruptData for a file without any.
  static Result<Qrels> read(const std::filesystem::path& path);

  /// In place of what `path` held, in one step. Errors: those of writing; kUnsupported for an id that the format
  /// cannot hold.
  Status write(const std::filesystem::path& path, QrelsFormat format) const;

  /// Errors: kInvalidArgument for an empty id, kCorruptData for one with control characters, kConflict for a document
  /// that this query has already.
  Status add(std::string_view query_id, std::string_view document_id, std::int32_t relevance);

  std::size_t queries() const;
  std::size_t judgements() const;
  /// Views of the ids, valid until the next add().
  std::vector<std::string_view> query_ids() const;
  /// The judgements of a query in the order in which they came; empty for a query that is not here.
  std::vector<Judgement> judgements_of(std::string_view query_id) const;
  /// The judgements of these queries alone: by them a search is measured that was asked no others.
  Result<Qrels> of_queries(std::span<const std::string_view> query_ids) const;

  Qrels(Qrels&&) noexcept;
  Qrels& operator=(Qrels&&) noexcept;
  ~Qrels();

 private:
  friend class Evaluator;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

struct RunResult {
  std::string_view document_id;
  float score = 0;
};

/// How the results of a query are put in order.
enum class RunOrder {
  kByScore,  ///< As trec_eval does: by descending score, ties by descending document id, byte by byte.
  kAsAdded,  ///< As they were added: the ranking that a search gave, which orders its own ties.
};

/// What a system found: documents with scores for each query. Scores are kept as f32, which is what trec_eval compares.
/// Infinite ones stand first or last. The const methods may be called from many threads at once.
class TANDEM_EXPORT Run {
 public:
  Run();  ///< RunOrder::kByScore.
  explicit Run(RunOrder order);

  /// Reads "qid Q0 docid rank score tag", separated by white space, in the order kByScore; the rank, and what
  /// follows the tag, is ignored, as trec_eval does. Empty lines and lines that begin with "#" are skipped. "-" is
  /// standard input. Errors: those of opening; kCorruptData, with the file and the line, for a line with fewer columns,
  /// or with more because an id holds a blank, a score that is no number, NaN, or a document that a query has twice;
  /// kCorruptData for a file without any result.
  static Result<Run> read(const std::filesystem::path& path);

  /// Writes best first, in place of what `path` held, in one step. Errors: those of writing; kUnsupported for an id or
  /// a tag that is empty or has white space in it.
  Status write(const std::filesystem::path& path, std::string_view tag) const;

  /// Errors: kInvalidArgument for an empty id or a score that is NaN, kConflict for a document that this query has
  /// already.
  Status add(std::string_view query_id, std::string_view document_id, double score);

  std::size_t queries() const;
  std::size_t results() const;
  /// Views of the ids in the order in which they came, valid until the next add().
  std::vector<std::string_view> query_ids() const;
  /// The results of a query, best first; empty for a query that is not here.
  std::vector<RunResult> ranking_of(std::string_view query_id) const;

  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;
  ~Run();

 private:
  friend class Evaluator;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The names of trec_eval's measures are in the comments. "Relevant" means: relevance of at least
/// EvaluationOptions::relevance_level.
enum class RankingMeasure {
  kNdcg,             ///< ndcg, ndcg_cut: gain rel, discount 1 / log2(rank + 1), over the best possible order
                     ///< (Järvelin and Kekäläinen 2002). The relevance level plays no part.
  kNdcgExponential,  ///< The same with gain 2^rel − 1 (Burges et al. 2005).
  kMap,              ///< map, map_cut: precision at each relevant result, over all relevant documents.
  kMrr,              ///< recip_rank: 1 / rank of the first relevant result.
  kRecall,           ///< recall, set_recall: the share of the relevant documents that was found.
  kPrecision,        ///< P: relevant results over the cutoff, even where there are fewer results; set_P.
  kF1,               ///< set_F: the harmonic mean of kPrecision and kRecall.
  kRPrecision,       ///< Rprec: precision at the number of relevant documents. Takes no cutoff.
  kSuccess,          ///< success: 1 where there is a relevant result.
};

/// A measure and how many results it looks at.
struct RankingMetric {
  RankingMeasure measure = RankingMeasure::kNdcg;
  std::size_t cutoff = 0;  ///< 0: all.
  bool operator==(const RankingMetric&) const = default;
};

/// Reads "ndcg@10", "ndcg_exp@10", "map", "mrr@10", "recall@100", "precision@5" (or "p@5"), "f1@5", "rprec",
/// "success@1", and trec_eval's own spellings: "ndcg_cut_10", "map_cut.10", "recip_rank", "P_5", "recall_100",
/// "Rprec", "success_1"; also "R@100", "RR@10", "AP" as ir_measures has them, and "hit@10". Errors: kInvalidArgument.
TANDEM_EXPORT Result<RankingMetric> parse_ranking_metric(std::string_view name);
/// The name as the first spellings above have it.
TANDEM_EXPORT std::string ranking_metric_name(const RankingMetric& metric);

/// The metric of one query, 0 where nothing is relevant. `ranked`: [results] the relevance of each result, best first,
/// 0 where there is no judgement. `judged`: [documents] the relevance of every judged document, in any order.
TANDEM_EXPORT double ranking_metric(const RankingMetric& metric, std::span<const std::int32_t> ranked,
                                    std::span<const std::int32_t> judged, std::int32_t relevance_level = 1);

struct EvaluationOptions {
  std::int32_t relevance_level = 1;  ///< The smallest relevance that counts as relevant; at least 1.
  /// True: average over the queries that the run answers, as trec_eval does without -c and pytrec_eval always.
  bool answered_only = false;
};

/// What an evaluation met that its reader should know.
struct EvaluationCounts {
  std::size_t queries_missing = 0;   ///< Judged, but without results in the run. They count as 0, or not at all.
  std::size_t queries_unjudged = 0;  ///< In the run, but not in the qrels: left out.
  std::size_t queries_without_relevant = 0;  ///< Nothing relevant to be found: they count as 0, as in trec_eval.
  std::size_t results = 0;                   ///< Results of the queries that count.
  std::size_t results_unjudged = 0;          ///< Of these, without a judgement: they count as not relevant.
};

struct Evaluation {
  std::vector<std::string> query_ids;       ///< The queries that count, in the order of the qrels.
  std::vector<std::vector<double>> values;  ///< [metrics][queries]
  std::vector<double> means;                ///< [metrics], over the queries.
  EvaluationCounts counts;
};

/// Measures a run. Each value equals trec_eval's within rounding. Errors: kInvalidArgument for a relevance level below
/// 1, or exponential gain of a relevance above 512; kConflict where run and qrels share no query. May be called from
/// many threads at once.
TANDEM_EXPORT Result<Evaluation> evaluate(const Run& run, const Qrels& qrels, std::span<const RankingMetric> metrics,
                                          const EvaluationOptions& options = {});

}  // namespace tandem
