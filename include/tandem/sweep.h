// Measuring many settings of the two-stage pipeline on the same queries: quality, time per stage, and where answers are
// lost. Each text is encoded and each pair scored once, whatever the number of settings.
//
//   auto cache = tandem::EncoderCache::in_memory();
//   std::vector<tandem::SweepStage> stages{{.name = "bi", .bi_encoder = &*bi_encoder}, {.name = "BM25", .run = &*run}};
//   auto result = tandem::sweep({documents, queries, &*qrels, stages, &*cross_encoder}, {}, *cache);
//   for (const tandem::SettingResult& setting : result->settings) setting.means[0], setting.total.p95;
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tandem/bi_encoder.h"
#include "tandem/call.h"
#include "tandem/collection.h"
#include "tandem/cross_encoder.h"
#include "tandem/document.h"
#include "tandem/encoder_cache.h"
#include "tandem/evaluation.h"
#include "tandem/export.h"
#include "tandem/result.h"
#include "tandem/retriever.h"
#include "tandem/significance.h"

namespace tandem {

struct SweepQuery {
  std::string id;
  std::string text;
};

/// Where candidates come from: a bi-encoder, or the run of any other system. Exactly one of the two is set.
struct SweepStage {
  std::string name;  ///< Unique in a sweep, e.g. "bi" or "BM25".
  const BiEncoder* bi_encoder = nullptr;
  const Run* run = nullptr;
  /// A collection of this bi-encoder's with the very documents, in their order: it is searched. Without one, the
  /// documents are encoded.
  const Collection* collection = nullptr;
  /// Default: the collection's; without one, inner product for normalised embeddings, else L2.
  std::optional<Metric> metric = {};
};

struct SweepInput {
  std::span<const Document> documents;
  std::span<const SweepQuery> queries;  ///< Those without a judgement are left out.
  const Qrels* qrels = nullptr;
  std::span<const SweepStage> first_stages;
  const CrossEncoder* cross_encoder = nullptr;  ///< Null: first stages alone.
  std::string title_separator = " ";            ///< Between a document's title and its text.
};

struct SweepOptions {
  std::vector<RankingMetric> metrics = {
      {RankingMeasure::kNdcg, 10},   {RankingMeasure::kMap, 0},        {RankingMeasure::kMrr, 10},
      {RankingMeasure::kRecall, 10}, {RankingMeasure::kPrecision, 10}, {RankingMeasure::kF1, 10},
  };
  std::vector<std::size_t> depths = {100, 50, 20, 10};  ///< How many candidates are reranked.
  std::vector<float> alphas = {1.0F, 0.7F};             ///< Weights of the cross-encoder, see fuse_scores().
  bool cross_only = true;               ///< Also the cross-encoder over every document, where the budget allows it.
  std::optional<double> budget_s = {};  ///< Wall-clock seconds; default: as long as it takes.
  std::size_t queries_max = 0;          ///< 0: all; else so many judged ones, drawn with `seed`.
  std::size_t results = 10;             ///< An answer below this rank counts as lost, see LostAnswers.
  std::uint32_t seed = 0;
  BootstrapOptions bootstrap = {};
  std::int32_t relevance_level = 1;  ///< See EvaluationOptions.
  bool drop_self = false;            ///< See SearchOptions.
};

/// One way to answer queries.
struct TANDEM_EXPORT PipelineSetting {
  SearchMode mode = SearchMode::kBi;
  std::string first_stage = {};  ///< Its name; empty for kCross.
  std::size_t candidates = 0;    ///< kHybrid: how many are reranked, and thus returned.
  float alpha = 1;               ///< kHybrid.

  /// "bi", "bi + cross, top 50, alpha 0.7", "cross over all".
  std::string name() const;
};

/// Milliseconds over the queries.
struct Latency {
  double mean = 0;
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
};

/// Where answers went: each query with a relevant document is one of the three.
struct LostAnswers {
  std::size_t found = 0;         ///< A relevant document is among the first SweepOptions::results.
  std::size_t in_retrieval = 0;  ///< The first stage's candidates hold no relevant document.
  std::size_t in_ranking = 0;    ///< They do, but none came that far up.
};

struct SettingResult {
  PipelineSetting setting;
  std::vector<std::vector<double>> values;  ///< [metrics][queries]
  std::vector<double> means;                ///< [metrics]
  std::vector<Interval> intervals;          ///< [metrics], of the means, by bootstrap over the queries.
  std::vector<StageTimes> times;            ///< [queries]
  Latency encode, retrieve, rerank, total;
  /// False: its candidates come from a run, of which no time is known: it counts as 0.
  bool retrieval_timed = true;
  LostAnswers answers;
};

/// The best that any second stage could make of a first stage's candidates.
struct PoolCeiling {
  std::string first_stage;
  std::size_t depth = 0;
  std::vector<double> means;  ///< [metrics], were the candidates put into the best order.
  double recall = 0;          ///< Share of the relevant documents among the candidates, mean over the queries.
};

struct SweepResult {
  std::vector<RankingMetric> metrics;
  std::vector<std::string> query_ids;  ///< Those measured, in the order of the values.
  std::vector<SettingResult> settings;
  std::vector<PoolCeiling> ceilings;
  std::size_t documents = 0;       ///< Searched.
  double documents_encode_ms = 0;  ///< Of all of them, summed over what each cost; the first bi-encoder's.
  double pair_ms = 0;              ///< Mean cost of one pair; 0 without a cross-encoder.
  CacheCounts counts;              ///< Of this sweep.
  Truncation truncation;
  /// What was not measured, or not on everything, and why: full sentences.
  std::vector<std::string> remarks;
};

/// Measures every setting: each first stage alone, each with its best candidates reranked at every depth and alpha, and
/// the cross-encoder over everything. What a setting returns are the results of Retriever, with the largest depth, or
/// SweepOptions::results where that is more, as final_top_k where nothing is cut off; each value is what
/// evaluate() makes of search_run() with the same setting.
///
/// Queries are answered one at a time, as a user would wait for them: the query is encoded alone, and the best
/// candidates are scored first, then those up to the next depth. The time of reranking n candidates is the sum of what
/// their pairs cost in the calls that scored them; what the cache had already counts with what it cost then. Of a
/// run's first stage no time is known. Where the budget ends, the settings are compared on the queries that were
/// answered until then, five at least; a depth but the smallest is not measured where the first query shows that five
/// take longer than the budget. With a budget, encoding the documents ends after half of it: first come the judged
/// ones, query by query, then the others in a random order. What was reached is searched; queries with a judged
/// document that was not are left out, save the first five.
///
/// Errors: kInvalidArgument for input or options that contradict each other, kConflict where no query is judged, ids
/// are there twice or a run names unknown documents only, and those of encoding and of `call`. The cross-encoder over
/// everything is left out, with a remark, where the budget has no room for it. Calls that share a cache come one after
/// another.
TANDEM_EXPORT Result<SweepResult> sweep(const SweepInput& input, const SweepOptions& options, EncoderCache& cache,
                                        const CallOptions& call = {});

}  // namespace tandem
