#include "tandem/retriever.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/strip.h"
#include "index/top_k.h"

namespace tandem {
namespace {

// Pairs of any queries that the cross-encoder gets at once. It bounds the texts held in memory; the threads wait for
// each other only between batches, which at this size costs less than one pair in a hundred.
constexpr std::size_t kPairsPerBatch = 512;

constexpr Progress kEncoding{.what = "encoding", .unit = "texts"};
constexpr Progress kReranking{.what = "reranking", .unit = "pairs"};

class Stopwatch {
 public:
  double elapsed_ms() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// A query, by its place among the queries, and a document of the collection.
struct Pair {
  std::size_t query;
  std::uint32_t ordinal;
};

/// One call of search_many(): its parts, and the responses as they take shape.
class Search {
 public:
  Search(const Collection& collection, std::span<const std::string_view> queries, const SearchOptions& options,
         const ProgressCallback& progress)
      : collection_(collection),
        queries_(queries),
        options_(options),
        progress_(progress),
        responses_(queries.size()) {}

  Result<std::vector<SearchResponse>> bi(const BiEncoder& encoder) {
    const Stopwatch stopwatch;
    ASSIGN_OR_RETURN(const auto candidates, retrieve(encoder, options_.final_top_k));
    for (std::size_t query = 0; query < queries_.size(); ++query) {
      responses_[query].candidates = collection_.size();
      for (std::size_t position = 0; position < candidates[query].size(); ++position) {
        SearchHit hit = retrieved_hit(candidates[query], position);
        hit.final_score = candidates[query][position].score;
        responses_[query].hits.push_back(std::move(hit));
      }
      RETURN_IF_ERROR(read_documents(query, candidates[query]));
    }
    return finish(stopwatch);
  }

  Result<std::vector<SearchResponse>> hybrid(const BiEncoder& encoder, const CrossEncoder& cross_encoder) {
    const Stopwatch stopwatch;
    ASSIGN_OR_RETURN(auto candidates, retrieve(encoder, options_.initial_top_k));
    const Stopwatch rerank_stopwatch;
    std::vector<Pair> pairs;
    for (std::size_t query = 0; query < queries_.size(); ++query) {
      std::vector<VectorHit>& hits = candidates[query];
      hits.resize(std::min(hits.size(), options_.rerank_top_n.value_or(hits.size())));
      for (const VectorHit& hit : hits) pairs.push_back({query, hit.ordinal});
    }
    std::vector<float> scores(pairs.size());
    RETURN_IF_ERROR(score_pairs(
        cross_encoder, pairs.size(), [&](std::size_t index) { return pairs[index]; },
        [&](std::size_t index, float score) { scores[index] = score; }));
    std::span<const float> unread(scores);
    for (std::size_t query = 0; query < queries_.size(); ++query) {
      const std::size_t count = candidates[query].size();
      RETURN_IF_ERROR(rank_candidates(query, candidates[query], unread.first(count)));
      unread = unread.subspan(count);
    }
    share_time(rerank_stopwatch, &StageTimes::rerank_ms);
    return finish(stopwatch);
  }

  Result<std::vector<SearchResponse>> cross(const CrossEncoder& cross_encoder) {
    const Stopwatch stopwatch;
    const std::size_t count = queries_.size();
    std::vector<TopK> best(count, TopK(std::min(options_.final_top_k, collection_.size())));
    // Document by document, so that each is read once for all queries.
    const auto pair_at = [&](std::size_t index) {
      return Pair{index % count, static_cast<std::uint32_t>(index / count)};
    };
    RETURN_IF_ERROR(
        score_pairs(cross_encoder, count * collection_.size(), pair_at, [&](std::size_t index, float score) {
          const Pair pair = pair_at(index);
          best[pair.query].add({pair.ordinal, score});
        }));
    for (std::size_t query = 0; query < count; ++query) {
      const std::vector<VectorHit> ranked = best[query].take();
      responses_[query].candidates = collection_.size();
      for (const VectorHit& hit : ranked) {
        SearchHit result;
        result.cross_encoder_score = hit.score;
        result.final_score = hit.score;
        responses_[query].hits.push_back(std::move(result));
      }
      RETURN_IF_ERROR(read_documents(query, ranked));
    }
    share_time(stopwatch, &StageTimes::rerank_ms);
    return finish(stopwatch);
  }

 private:
  /// The first stage: the best `top_k` documents of each query.
  Result<std::vector<std::vector<VectorHit>>> retrieve(const BiEncoder& encoder, std::size_t top_k) {
    std::vector<std::vector<VectorHit>> candidates;
    double encode_ms = 0;
    double retrieve_ms = 0;
    const std::size_t batch_size = batch_rows(encoder.dimensions(), queries_.size());
    while (candidates.size() < queries_.size()) {
      const std::size_t first = candidates.size();
      const auto batch = queries_.subspan(first, std::min(batch_size, queries_.size() - first));
      const Stopwatch encode_stopwatch;
      ASSIGN_OR_RETURN(const Embeddings embeddings,
                       encoder.encode(batch, TextRole::kQuery, progress_from(kEncoding, first, queries_.size())));
      add_truncation(first, embeddings.truncation);
      encode_ms += encode_stopwatch.elapsed_ms();
      const Stopwatch retrieve_stopwatch;
      ASSIGN_OR_RETURN(auto hits, collection_.search(embeddings.vectors, top_k, encoder.compute().threads));
      std::ranges::move(hits, std::back_inserter(candidates));
      retrieve_ms += retrieve_stopwatch.elapsed_ms();
    }
    share_time(encode_ms, &StageTimes::encode_ms);
    share_time(retrieve_ms, &StageTimes::retrieve_ms);
    return candidates;
  }

  /// Scores pairs [0, count) in batches and hands each score to `take`.
  Status score_pairs(const CrossEncoder& cross_encoder, std::size_t count,
                     const std::function<Pair(std::size_t index)>& pair_at,
                     const std::function<void(std::size_t index, float score)>& take) {
    for (std::size_t first = 0; first < count; first += kPairsPerBatch) {
      const std::size_t end = std::min(first + kPairsPerBatch, count);
      std::vector<std::uint32_t> ordinals;
      for (std::size_t index = first; index < end; ++index) ordinals.push_back(pair_at(index).ordinal);
      // Each once: many queries may have the same long documents among their candidates.
      std::ranges::sort(ordinals);
      ordinals.erase(std::unique(ordinals.begin(), ordinals.end()), ordinals.end());
      ASSIGN_OR_RETURN(std::vector<Document> documents, collection_.documents(ordinals));
      std::vector<std::string> texts;
      for (Document& document : documents) {
        texts.push_back(document.full_text());
        document = Document();  // Lest every text is there twice.
      }

      std::vector<TextPair> batch;
      for (std::size_t index = first; index < end; ++index) {
        const Pair pair = pair_at(index);
        const auto text = std::ranges::lower_bound(ordinals, pair.ordinal) - ordinals.begin();
        batch.push_back({queries_[pair.query], texts[static_cast<std::size_t>(text)]});
      }
      ASSIGN_OR_RETURN(const PairScores predicted,
                       cross_encoder.predict(batch, progress_from(kReranking, first, count)));
      for (std::size_t index = first; index < end; ++index) take(index, predicted.scores.row(index - first)[0]);
      add_truncation(pair_at(first).query, predicted.truncation);
    }
    return {};
  }

  /// Reports a batch's progress as that of the whole.
  ProgressCallback progress_from(const Progress& kind, std::size_t first, std::size_t count) const {
    if (!progress_) return {};
    return [this, kind, first, count](const Progress& batch) {
      progress_({.what = kind.what, .unit = kind.unit, .done = first + batch.done, .total = count});
    };
  }

  Status rank_candidates(std::size_t query, std::span<const VectorHit> candidates, std::span<const float> scores) {
    std::vector<float> initial;
    for (const VectorHit& candidate : candidates) initial.push_back(candidate.score);
    const std::vector<float> fused = fuse_scores(scores, initial, options_.alpha);
    // By final score, ties in the order of the first stage.
    TopK best(std::min(options_.final_top_k, candidates.size()));
    for (std::size_t position = 0; position < fused.size(); ++position) {
      best.add({static_cast<std::uint32_t>(position), fused[position]});
    }
    std::vector<VectorHit> ranked;
    for (const VectorHit& winner : best.take()) {
      SearchHit hit = retrieved_hit(candidates, winner.ordinal);
      hit.cross_encoder_score = scores[winner.ordinal];
      hit.final_score = fused[winner.ordinal];
      responses_[query].hits.push_back(std::move(hit));
      ranked.push_back(candidates[winner.ordinal]);
    }
    responses_[query].candidates = candidates.size();
    return read_documents(query, ranked);
  }

  SearchHit retrieved_hit(std::span<const VectorHit> candidates, std::size_t position) const {
    SearchHit hit;
    hit.retrieval_rank = position + 1;
    hit.retrieval_score = candidates[position].score;
    if (collection_.info().metric == Metric::kL2) hit.distance = 0.0F - candidates[position].score;
    return hit;
  }

  /// Fills in rank and document of a query's hits, whose ordinals `ranked` holds in the same order.
  Status read_documents(std::size_t query, std::span<const VectorHit> ranked) {
    std::vector<std::uint32_t> ordinals;
    for (const VectorHit& hit : ranked) ordinals.push_back(hit.ordinal);
    ASSIGN_OR_RETURN(std::vector<Document> documents, collection_.documents(ordinals));
    for (std::size_t position = 0; position < documents.size(); ++position) {
      responses_[query].hits[position].rank = position + 1;
      responses_[query].hits[position].document = std::move(documents[position]);
    }
    return {};
  }

  // The encoders report what a whole batch lost, so it is counted with the first query that the batch serves.
  void add_truncation(std::size_t query, const Truncation& truncation) { responses_[query].truncation += truncation; }

  void share_time(const Stopwatch& stopwatch, double StageTimes::*stage) { share_time(stopwatch.elapsed_ms(), stage); }
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
  const ProgressCallback& progress_;
  std::vector<SearchResponse> responses_;
};

Status check_options(const SearchOptions& options) {
  if (options.final_top_k == 0) return fail(ErrorCode::kInvalidArgument, "final_top_k is 0, want at least 1");
  if (!(options.alpha >= 0 && options.alpha <= 1)) {
    return fail(ErrorCode::kInvalidArgument, "alpha is {}, want 0 to 1", options.alpha);
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

Status check_bi_encoder(const Collection& collection, const BiEncoder* encoder) {
  if (encoder == nullptr) return fail(ErrorCode::kInvalidArgument, "this search mode needs a bi-encoder");
  return collection.check_encoder(*encoder);
}

Status check_cross_encoder(const CrossEncoder* encoder) {
  if (encoder == nullptr) return fail(ErrorCode::kInvalidArgument, "this search mode needs a cross-encoder");
  if (encoder->labels().size() != 1) {
    return fail(ErrorCode::kInvalidArgument, "{}: ranking needs a model with one label, this one has {}",
                encoder->model(), encoder->labels().size());
  }
  return {};
}

}  // namespace

Retriever::Retriever(const Collection& collection, const BiEncoder* bi_encoder, const CrossEncoder* cross_encoder)
    : collection_(collection), bi_encoder_(bi_encoder), cross_encoder_(cross_encoder) {}

Result<SearchResponse> Retriever::search(std::string_view query, const SearchOptions& options) const {
  ASSIGN_OR_RETURN(std::vector<SearchResponse> responses, search_many({&query, 1}, options));
  return std::move(responses.front());
}

Result<std::vector<SearchResponse>> Retriever::search_many(std::span<const std::string_view> queries,
                                                           const SearchOptions& options,
                                                           const ProgressCallback& progress) const {
  RETURN_IF_ERROR(check_options(options));
  RETURN_IF_ERROR(check_queries(queries));
  if (options.mode != SearchMode::kCross) RETURN_IF_ERROR(check_bi_encoder(collection_, bi_encoder_));
  if (options.mode != SearchMode::kBi) RETURN_IF_ERROR(check_cross_encoder(cross_encoder_));
  if (queries.empty()) return std::vector<SearchResponse>();

  Search search(collection_, queries, options, progress);
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
