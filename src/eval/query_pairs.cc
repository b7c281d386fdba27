#include "eval/query_pairs.h"

#include <vector>

#include "base/error.h"

namespace tandem {

QueryPairs::QueryPairs(const SweepQuery& query, const SweepDocuments& documents, const CrossEncoder& encoder,
                       EncoderCache& cache)
    : query_(query), documents_(documents), encoder_(encoder), cache_(cache), score_(score_with(encoder, cache)) {}

Status QueryPairs::score(std::span<const std::uint32_t> places, const CallOptions& call) {
  std::vector<std::uint32_t> missing;
  std::vector<TextPair> pairs;
  for (const std::uint32_t place : places) {
    if (scores_.contains(place)) continue;
    missing.push_back(place);
    pairs.push_back({.query = query_.text, .document = documents_.text(place)});
  }
  if (missing.empty()) return {};
  ASSIGN_OR_RETURN(const CachedScores scored, score_(pairs, call));
  for (std::size_t i = 0; i < missing.size(); ++i) {
    scores_.emplace(missing[i], Pair{.score = scored.scores[i],
                                     .cost_ms = scored.cost_ms[i],
                                     .blank = encoder_.is_blank(documents_.text(missing[i]))});
    cost_ms_ += scored.cost_ms[i];
  }
  truncation_ += scored.truncation;
  return {};
}

Result<std::size_t> QueryPairs::count_missing(std::span<const std::uint32_t> places) const {
  std::vector<TextPair> pairs;
  for (const std::uint32_t place : places) {
    if (!scores_.contains(place)) pairs.push_back({.query = query_.text, .document = documents_.text(place)});
  }
  return cache_.count_missing(encoder_, pairs);
}

}  // namespace tandem
