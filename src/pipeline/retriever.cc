#include "tandem/retriever.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/stopwatch.h"
#include "base/strip.h"
#include "index/top_k.h"
#include "pipeline/first_stage.h"
#include "pipeline/reranker.h"
#include "pipeline/shared_documents.h"

namespace tandem {
namespace {

// Pairs of any queries that the cross-encoder gets at once. It bounds the texts held in memory; the threads wait for
// each other only between batches, which at this size costs less than one pair in a hundred.
constexpr std::size_t kPairsPerBatch = 512;

/// A query, by its place among the queries, and a document of the collection.
struct Pair {
  std::size_t query;
  RowId row;
};

struct ScoredPair {
  float score = 0;
  bool blank = false;  ///< Nothing is in the document.
};

/// One call of search_many(): its parts, and the responses as they take shape.
class Search {
 public:
  Search(const Collection& collection, std::span<const std::string_view> queries, const SearchOptions& options,
         const CallOptions& call)
      : collection_(collection),
        queries_(queries),
        options_(options),
        call_(call),
        documents_(collection),
        responses_(queries.size()) {}

  /// Before anything else, where queries are not to find themselves.
  Status find_own_documents() {
    for (const std::string_view id : options_.query_ids) {
      ASSIGN_OR_RETURN(const std::optional<RowId> row, collection_.find(id));
      own_.push_back(row);
    }
    return {};
  }

  Result<std::vector<SearchResponse>> bi(const BiEncoder& encoder) {
    const Stopwatch stopwatch;
    ASSIGN_OR_RETURN(const std::vector<Candidates> candidates, retrieve(encoder, options_.final_top_k));
    for (std::size_t query = 0; query < queries_.size(); ++query) {
      const std::vector<VectorHit>& hits = candidates[query].hits;
      responses_[query].candidates = collection_.size();
      for (std::size_t position = 0; position < hits.size(); ++position) {
        SearchHit hit = retrieved_hit(hits, position);
        hit.final_score = hits[position].score;
        responses_[query].hits.push_back(std::move(hit));
      }
      RETURN_IF_ERROR(read_documents(query, hits));
    }
    return finish(stopwatch);
  }

  Result<std::vector<SearchResponse>> hybrid(const BiEncoder& encoder, const CrossEncoder& cross_encoder) {
    const Stopwatch stopwatch;
    ASSIGN_OR_RETURN(const std::vector<Candidates> candidates, retrieve(encoder, options_.initial_top_k));
    const Stopwatch rerank_stopwatch;
    const Reranker reranker{.depth = options_.rerank_top_n, .alpha = options_.alpha};
    std::vector<Pair> pairs;
    for (std::size_t query = 0; query < queries_.size(); ++query) {
      for (const VectorHit& hit : reranker.pool(candidates[query].hits)) pairs.push_back({query, hit.row});
    }
    std::vector<ScoredPair> scored(pairs.size());
    RETURN_IF_ERROR(score_pairs(
        cross_encoder, pairs.size(), [&](std::size_t index) { return pairs[index]; },
        [&](std::size_t index, const ScoredPair& pair) { scored[index] = pair; }));
    std::span<const ScoredPair> unread(scored);
    for (std::size_t query = 0; query < queries_.size(); ++query) {
      const std::span<const VectorHit> pool = reranker.pool(candidates[query].hits);
      std::vector<float> scores;
      std::vector<bool> blank;
      for (const ScoredPair& pair : unread.first(pool.size())) {
        scores.push_back(pair.score);
        blank.push_back(pair.blank);
      }
      std::vector<RankedCandidate> ranked = reranker.rank(pool, scores, blank, pool.size());
      std::erase_if(ranked, [&](const RankedCandidate& candidate) {
        return is_improbable(cross_encoder, {candidate.score, blank[candidate.position]});
      });
      ranked.resize(std::min(ranked.size(), options_.final_top_k));
      RETURN_IF_ERROR(rank_candidates(query, pool, ranked));
      unread = unread.subspan(pool.size());
    }
    share_time(rerank_stopwatch, &StageTimes::rerank_ms);
    return finish(stopwatch);
  }

  Result<std::vector<SearchResponse>> cross(const CrossEncoder& cross_encoder) {
    const Stopwatch stopwatch;
    const std::size_t count = queries_.size();
    std::vector<TopK> best(count, TopK(std::min(options_.final_top_k, collection_.size())));
    std::vector<std::map<RowId, float>> blank(count);  // What the cross-encoder says of blank documents.
    // Document by document, so that each is read once for all queries.
    const auto pair_at = [&](std::size_t index) { return Pair{index % count, collection_.row_at(index / count)}; };
    RETURN_IF_ERROR(score_pairs(
        cross_encoder, count * collection_.size(), pair_at, [&](std::size_t index, const ScoredPair& scored) {
          const Pair pair = pair_at(index);
          if (own_of(pair.query) == pair.row || is_improbable(cross_encoder, scored)) return;
          // Below every score of a document that is not blank; what it becomes follows from those that are in the
          // answer.
          best[pair.query].add({pair.row, scored.blank ? std::numeric_limits<float>::lowest() : scored.score});
          if (scored.blank) blank[pair.query].emplace(pair.row, scored.score);
        }));
    for (std::size_t query = 0; query < count; ++query) {
      const std::vector<VectorHit> ranked = best[query].take();
      responses_[query].candidates = collection_.size();
      std::vector<float> scores;
      std::vector<bool> is_blank;
      for (const VectorHit& hit : ranked) {
        const auto found = blank[query].find(hit.row);
        is_blank.push_back(found != blank[query].end());
        scores.push_back(is_blank.back() ? found->second : hit.score);
      }
      std::vector<float> final_scores = scores;
      rank_blank_last(final_scores, is_blank);
      for (std::size_t position = 0; position < ranked.size(); ++position) {
        SearchHit result;
        result.cross_encoder_score = scores[position];
        result.final_score = final_scores[position];
        responses_[query].hits.push_back(std::move(result));
      }
      RETURN_IF_ERROR(read_documents(query, ranked));
    }
    share_time(stopwatch, &StageTimes::rerank_ms);
    return finish(stopwatch);
  }

 private:
  /// The first stage: the best `top_k` documents of each query.
  Result<std::vector<Candidates>> retrieve(const BiEncoder& encoder, std::size_t top_k) {
    const DenseStage stage(encode_with(encoder), encoder.dimensions(),
                           [this](MatrixView queries, std::size_t count, const CallOptions& call) {
                             return collection_.search(queries, count, call);
                           });
    std::vector<StageQuery> queries;
    for (const std::string_view text : queries_) queries.push_back({.text = text});
    ASSIGN_OR_RETURN(std::vector<Candidates> candidates,
                     stage.retrieve(queries, top_k + (own_.empty() ? 0 : 1), call_));
    for (std::size_t query = 0; query < candidates.size(); ++query) {
      if (!own_.empty()) leave_out(own_of(query), top_k, candidates[query].hits);
      add_truncation(query, candidates[query].truncation);
      responses_[query].times.encode_ms = candidates[query].encode_ms;
      responses_[query].times.retrieve_ms = candidates[query].retrieve_ms;
    }
    return candidates;
  }

  /// Scores pairs [0, count) in batches and hands each score to `take`.
  Status score_pairs(const CrossEncoder& cross_encoder, std::size_t count,
                     const std::function<Pair(std::size_t index)>& pair_at,
                     const std::function<void(std::size_t index, const ScoredPair& pair)>& take) {
    for (std::size_t first = 0; first < count; first += kPairsPerBatch) {
      const std::size_t end = std::min(first + kPairsPerBatch, count);
      std::vector<RowId> rows;
      for (std::size_t index = first; index < end; ++index) rows.push_back(pair_at(index).row);
      // Each once: many queries may have the same long documents among their candidates.
      std::ranges::sort(rows);
      rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
      ASSIGN_OR_RETURN(const SharedDocuments documents, documents_.read(rows));
      std::vector<std::string> texts;
      std::vector<bool> blank;
      for (const auto& document : documents) {
        texts.push_back(collection_.info().recipe.text_of(*document));
        blank.push_back(cross_encoder.is_blank(texts.back()));
      }

      std::vector<TextPair> batch;
      std::vector<std::size_t> text_of_pair;
      for (std::size_t index = first; index < end; ++index) {
        const Pair pair = pair_at(index);
        text_of_pair.push_back(static_cast<std::size_t>(std::ranges::lower_bound(rows, pair.row) - rows.begin()));
        batch.push_back({queries_[pair.query], texts[text_of_pair.back()]});
      }
      ASSIGN_OR_RETURN(const PairScores predicted, cross_encoder.predict(batch, call_from(first, count)));
      for (std::size_t i = 0; i < batch.size(); ++i) {
        take(first + i, {.score = predicted.scores.row(i)[0], .blank = blank[text_of_pair[i]]});
      }
      add_truncation(pair_at(first).query, predicted.truncation);
    }
    return {};
  }

  /// The call, to which a batch's progress is that of all pairs.
  CallOptions call_from(std::size_t first, std::size_t count) const {
    CallOptions call = call_;
    if (call.progress) {
      call.progress = [this, first, count](const Progress& batch) {
        call_.progress({.what = "reranking", .unit = "pairs", .done = first + batch.done, .total = count});
      };
    }
    return call;
  }

  Status rank_candidates(std::size_t query, std::span<const VectorHit> pool,
                         const std::vector<RankedCandidate>& ranked) {
    std::vector<VectorHit> hits;
    for (const RankedCandidate& candidate : ranked) {
      SearchHit hit = retrieved_hit(pool, candidate.position);
      hit.cross_encoder_score = candidate.score;
      hit.final_score = candidate.final_score;
      responses_[query].hits.push_back(std::move(hit));
      hits.push_back(pool[candidate.position]);
    }
    responses_[query].candidates = pool.size();
    return read_documents(query, hits);
  }

  SearchHit retrieved_hit(std::span<const VectorHit> candidates, std::size_t position) const {
    SearchHit hit;
    hit.retrieval_rank = position + 1;
    hit.retrieval_score = candidates[position].score;
    if (collection_.info().metric == Metric::kL2) hit.distance = 0.0F - candidates[position].score;
    return hit;
  }

  /// The document of a query's id, if there is one.
  std::optional<RowId> own_of(std::size_t query) const { return own_.empty() ? std::nullopt : own_[query]; }

  bool is_improbable(const CrossEncoder& cross_encoder, const ScoredPair& pair) const {
    if (!options_.min_probability) return false;
    const bool is_logit = cross_encoder.activation() == Activation::kNone;
    return pair.blank || (is_logit ? 1 / (1 + std::exp(-pair.score)) : pair.score) < *options_.min_probability;
  }

  /// Fills in rank and document of a query's hits, whose rows `ranked` holds in the same order; those whose score is
  /// too low come last, and are dropped.
  Status read_documents(std::size_t query, std::span<const VectorHit> ranked) {
    std::vector<SearchHit>& hits = responses_[query].hits;
    const float min_score = options_.min_score.value_or(-std::numeric_limits<float>::infinity());
    const auto is_too_low = [min_score](const SearchHit& hit) { return hit.final_score < min_score; };
    hits.erase(std::ranges::find_if(hits, is_too_low), hits.end());
    std::vector<RowId> rows;
    for (const VectorHit& hit : ranked.first(hits.size())) rows.push_back(hit.row);
    ASSIGN_OR_RETURN(SharedDocuments documents, documents_.read(rows));
    for (std::size_t position = 0; position < documents.size(); ++position) {
      hits[position].rank = position + 1;
      hits[position].document = std::move(documents[position]);
    }
    return {};
  }

  // The encoders report what a whole batch lost, so it is counted with the first query that the batch serves.
  void add_truncation(std::size_t query, const Truncation& truncation) { responses_[query].truncation += truncation; }

  void share_time(const Stopwatch& stopwatch, double StageTimes::*stage) {
    share_time(stopwatch.milliseconds(), stage);
  }
  void share_time(double elapsed_ms, double StageTimes::*stage) {
    const double share_ms = elapsed_ms / static_cast<double>(responses_.size());
    for (SearchResponse& response : responses_) response.times.*stage = share_ms;
  }

  std::vector<SearchResponse> finish(const Stopwatch& stopwatch) {
    share_time(stopwatch, &StageTimes::total_ms);
    return std::move(responses_);
  }

  const Collection& collection_;
  std::span<const std::string_view> queries_;
  const SearchOptions& options_;
  const CallOptions& call_;
  DocumentsOfSearch documents_;
  std::vector<std::optional<RowId>> own_;  // [queries] What drop_self leaves out; empty without it.
  std::vector<SearchResponse> responses_;
};

Status check_options(const SearchOptions& options, std::size_t queries) {
  if (options.final_top_k == 0) return fail(ErrorCode::kInvalidArgument, "final_top_k is 0, want at least 1");
  if (!(options.alpha >= 0 && options.alpha <= 1)) {
    return fail(ErrorCode::kInvalidArgument, "alpha is {}, want 0 to 1", options.alpha);
  }
  if (options.min_score && !std::isfinite(*options.min_score)) {
    return fail(ErrorCode::kInvalidArgument, "min_score is {}, want a finite number", *options.min_score);
  }
  if (options.min_probability && !(*options.min_probability >= 0 && *options.min_probability <= 1)) {
    return fail(ErrorCode::kInvalidArgument, "min_probability is {}, want 0 to 1", *options.min_probability);
  }
  if (options.min_probability && options.mode == SearchMode::kBi) {
    return fail(ErrorCode::kInvalidArgument, "min_probability is the cross-encoder's, which this search mode has not");
  }
  if (options.drop_self && options.query_ids.size() != queries) {
    return fail(ErrorCode::kInvalidArgument, "drop_self goes by the ids of queries: there are {} for {}",
                options.query_ids.size(), queries);
  }
  if (options.mode != SearchMode::kHybrid) return {};
  if (options.initial_top_k == 0) return fail(ErrorCode::kInvalidArgument, "initial_top_k is 0, want at least 1");
  if (options.rerank_top_n && options.final_top_k > *options.rerank_top_n) {
    return fail(ErrorCode::kInvalidArgument,
                "final_top_k is {}, want at most rerank_top_n, {}: candidates that are not reranked are dropped",
                options.final_top_k, *options.rerank_top_n);
  }
  return {};
}

Status check_queries(std::span<const std::string_view> queries) {
  for (std::size_t query = 0; query < queries.size(); ++query) {
    if (!strip(queries[query]).empty()) continue;
    if (queries.size() == 1) return fail(ErrorCode::kInvalidArgument, "the query is empty");
    return fail(ErrorCode::kInvalidArgument, "query {} of {} is empty", query + 1, queries.size());
  }
  return {};
}

Status check_bi_encoder(const Collection& collection, const std::optional<BiEncoder>& encoder,
                        const CallOptions& call) {
  if (!encoder) return fail(ErrorCode::kInvalidArgument, "this search mode needs a bi-encoder");
  return collection.check_encoder(*encoder, call);
}

Status check_cross_encoder(const std::optional<CrossEncoder>& encoder, const SearchOptions& options) {
  if (!encoder) return fail(ErrorCode::kInvalidArgument, "this search mode needs a cross-encoder");
  if (encoder->labels().size() != 1) {
    return fail(ErrorCode::kInvalidArgument, "{}: ranking needs a model with one label, this one has {}",
                encoder->model(), encoder->labels().size());
  }
  if (options.min_probability && encoder->activation() == Activation::kSoftmax) {
    return fail(
        ErrorCode::kInvalidArgument,
        "{}: min_probability needs scores that are logits or a sigmoid of them, these are a softmax of one label",
        encoder->model());
  }
  return {};
}

}  // namespace

Retriever::Retriever(Collection collection, std::optional<BiEncoder> bi_encoder,
                     std::optional<CrossEncoder> cross_encoder)
    : collection_(std::move(collection)),
      bi_encoder_(std::move(bi_encoder)),
      cross_encoder_(std::move(cross_encoder)) {}

Result<SearchResponse> Retriever::search(std::string_view query, const SearchOptions& options) const {
  ASSIGN_OR_RETURN(std::vector<SearchResponse> responses, search_many({&query, 1}, options));
  return std::move(responses.front());
}

Result<std::vector<SearchResponse>> Retriever::search_many(std::span<const std::string_view> queries,
                                                           const SearchOptions& options,
                                                           const CallOptions& call) const {
  RETURN_IF_ERROR(check_options(options, queries.size()));
  RETURN_IF_ERROR(check_queries(queries));
  if (options.mode != SearchMode::kCross) RETURN_IF_ERROR(check_bi_encoder(collection_, bi_encoder_, call));
  if (options.mode != SearchMode::kBi) RETURN_IF_ERROR(check_cross_encoder(cross_encoder_, options));
  if (queries.empty()) return std::vector<SearchResponse>();

  Search search(collection_, queries, options, call);
  if (options.drop_self) RETURN_IF_ERROR(search.find_own_documents());
  switch (options.mode) {
    case SearchMode::kBi:
      return search.bi(*bi_encoder_);
    case SearchMode::kCross:
      return search.cross(*cross_encoder_);
    case SearchMode::kHybrid:
      return search.hybrid(*bi_encoder_, *cross_encoder_);
  }
  return std::vector<SearchResponse>();
}

}  // namespace tandem
