// Two-stage search: the bi-encoder finds candidates, the cross-encoder ranks them.
//
//   tandem::Retriever retriever(*collection, *bi_encoder, *cross_encoder);
//   auto response = retriever.search("How do I get my money back?", {.final_top_k = 5});
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/bi_encoder.h"
#include "tandem/call.h"
#include "tandem/collection.h"
#include "tandem/cross_encoder.h"
#include "tandem/export.h"
#include "tandem/result.h"

namespace tandem {

enum class SearchMode {
  kBi,      ///< First stage only.
  kCross,   ///< The cross-encoder scores every document of the collection.
  kHybrid,  ///< The first stage's candidates, ranked by the cross-encoder.
};

struct SearchOptions {
  SearchMode mode = SearchMode::kHybrid;
  std::size_t initial_top_k = 100;  ///< kHybrid: candidates of the first stage.
  std::optional<std::size_t> rerank_top_n =
      {};                               ///< Candidates that are reranked, the others are dropped; default: all.
  std::size_t final_top_k = 10;         ///< Results. More than rerank_top_n is an error.
  float alpha = 0.7F;                   ///< Weight of the cross-encoder, see RankOptions.
  std::optional<float> min_score = {};  ///< Results with a lower final score are left out. Finite.
  /// Results that the cross-encoder gives a lower probability are left out, and those without any text: its score where
  /// its activation is sigmoid, the sigmoid of its logit where it has none. From 0 to 1; not for kBi.
  std::optional<float> min_probability = {};
  /// Leave out the document that has the id of the query, where queries are documents themselves: as if it were not in
  /// the collection, so that another takes its place.
  bool drop_self = false;
  std::span<const std::string_view> query_ids = {};  ///< [queries] For drop_self.
};

/// One result. Scores that a mode does not compute are absent.
struct SearchHit {
  std::size_t rank = 0;                       ///< From 1.
  std::shared_ptr<const Document> document;   ///< Never null. The hits of one call share it.
  std::optional<std::size_t> retrieval_rank;  ///< From 1, in the first stage.
  std::optional<float> retrieval_score;       ///< Higher is better.
  std::optional<float> distance;              ///< L2 collections: the retrieval score is its negative.
  std::optional<float> cross_encoder_score;
  float final_score = 0;
};

/// Wall-clock time per stage, in milliseconds. In search_many(), a shared stage's time is divided evenly.
struct StageTimes {
  double encode_ms = 0;    ///< Embedding the query.
  double retrieve_ms = 0;  ///< Scanning the vectors.
  double rerank_ms = 0;    ///< Reading the candidates and cross-encoding them.
  double total_ms = 0;
};

struct SearchResponse {
  std::vector<SearchHit> hits;
  std::size_t candidates = 0;  ///< Documents that reached the last stage: without two stages, all.
  StageTimes times;
  /// Query and pairs together. In search_many(), what a shared batch lost is counted with its first query: the sum over
  /// the responses is exact.
  Truncation truncation;
};

/// Keeps its parts alive; copies are cheap. Every method may be called from many threads at once.
class TANDEM_EXPORT Retriever {
 public:
  /// SearchMode::kBi needs no `cross_encoder`, kCross no `bi_encoder`.
  Retriever(Collection collection, std::optional<BiEncoder> bi_encoder, std::optional<CrossEncoder> cross_encoder = {});

  /// Errors: kInvalidArgument (options that contradict each other, an encoder that the mode needs and is missing, a
  /// probability of an encoder whose scores are none), kConflict (the collection was made by another model).
  Result<SearchResponse> search(std::string_view query, const SearchOptions& options = {}) const;

  /// The same for many queries, in their order; queries share batches in both stages.
  Result<std::vector<SearchResponse>> search_many(std::span<const std::string_view> queries,
                                                  const SearchOptions& options = {},
                                                  const CallOptions& call = {}) const;

 private:
  Collection collection_;
  std::optional<BiEncoder> bi_encoder_;
  std::optional<CrossEncoder> cross_encoder_;
};

}  // namespace tandem
