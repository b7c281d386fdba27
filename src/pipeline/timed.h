// What encoders compute, and the time it took: computed now, or when a cache computed it.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "tandem/bi_encoder.h"
#include "tandem/call.h"
#include "tandem/cross_encoder.h"
#include "tandem/encoder_cache.h"
#include "tandem/result.h"

namespace tandem {

/// The vectors of queries. Errors: those of BiEncoder::encode(), and of a cache.
using EncodeQueries =
    std::function<Result<CachedEmbeddings>(std::span<const std::string_view> queries, const CallOptions& call)>;
/// The scores of pairs. Errors: those of CrossEncoder::predict(), and of a cache.
using ScorePairs = std::function<Result<CachedScores>(std::span<const TextPair> pairs, const CallOptions& call)>;

/// With the encoder itself: each of the texts took its share of the time of the call.
EncodeQueries encode_with(BiEncoder encoder);
ScorePairs score_with(CrossEncoder encoder);
/// By way of a cache, which must outlive the function; its calls come one after another.
EncodeQueries encode_with(BiEncoder encoder, EncoderCache& cache);
ScorePairs score_with(CrossEncoder encoder, EncoderCache& cache);

}  // namespace tandem
