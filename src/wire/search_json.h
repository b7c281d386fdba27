// What a search or a ranking found, and what it took, as JSON.
//
//   JsonWriter json;
//   json.begin_object().key("query").value(query);
//   std::string line = write_members(json, response).end_object().take();
#pragma once

#include <span>
#include <string_view>

#include "base/json.h"
#include "tandem/cross_encoder.h"
#include "tandem/retriever.h"

namespace tandem {

/// {"encode_ms": …, "retrieve_ms": …, "rerank_ms": …, "total_ms": …}
JsonWriter& write_json(JsonWriter& json, const StageTimes& times);

/// {"rank", "id", "title", "text", "metadata", "retrieval_rank", "retrieval_score", "distance", "cross_encoder_score",
/// "final_score"}: without an empty title or metadata, and without scores that the mode does not compute.
JsonWriter& write_json(JsonWriter& json, const SearchHit& hit);

/// The members "results" (the hits, best first), "candidates", "times" and "truncation" of an object that is begun.
JsonWriter& write_members(JsonWriter& json, const SearchResponse& response);

/// What was ranked, in the order in which it was given.
struct RankedTexts {
  std::span<const std::string_view> documents;
  std::span<const float> initial_scores = {};  ///< Empty: there were none.
};

/// [{"rank", "index", "cross_encoder_score", "initial_score", "final_score", "text"}], best first; initial scores only
/// where there were some.
JsonWriter& write_json(JsonWriter& json, const Ranking& ranking, const RankedTexts& texts);

}  // namespace tandem
