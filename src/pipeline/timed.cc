#include "pipeline/timed.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/stopwatch.h"

namespace tandem {
namespace {

std::vector<double> shares(double elapsed_ms, std::size_t count) {
  return std::vector<double>(count, elapsed_ms / static_cast<double>(std::max<std::size_t>(count, 1)));
}

}  // namespace

EncodeQueries encode_with(BiEncoder encoder) {
  return [encoder = std::move(encoder)](std::span<const std::string_view> queries,
                                        const CallOptions& call) -> Result<CachedEmbeddings> {
    const Stopwatch stopwatch;
    ASSIGN_OR_RETURN(Embeddings embeddings, encoder.encode(queries, TextRole::kQuery, call));
    return CachedEmbeddings{.vectors = std::move(embeddings.vectors),
                            .cost_ms = shares(stopwatch.milliseconds(), queries.size()),
                            .truncation = embeddings.truncation};
  };
}

ScorePairs score_with(CrossEncoder encoder) {
  return
      [encoder = std::move(encoder)](std::span<const TextPair> pairs, const CallOptions& call) -> Result<CachedScores> {
        const Stopwatch stopwatch;
        ASSIGN_OR_RETURN(const PairScores predicted, encoder.predict(pairs, call));
        const std::span<const float> scores(predicted.scores.data(), predicted.scores.rows());
        return CachedScores{.scores = {scores.begin(), scores.end()},
                            .cost_ms = shares(stopwatch.milliseconds(), pairs.size()),
                            .truncation = predicted.truncation};
      };
}

EncodeQueries encode_with(BiEncoder encoder, EncoderCache& cache) {
  return [encoder = std::move(encoder), &cache](std::span<const std::string_view> queries, const CallOptions& call) {
    return cache.encode(encoder, queries, TextRole::kQuery, call);
  };
}

ScorePairs score_with(CrossEncoder encoder, EncoderCache& cache) {
  return [encoder = std::move(encoder), &cache](std::span<const TextPair> pairs, const CallOptions& call) {
    return cache.predict(encoder, pairs, call);
  };
}

}  // namespace tandem
