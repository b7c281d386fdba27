#include "wire/search_json.h"

#include "wire/compute_json.h"
#include "wire/json_parts.h"

namespace tandem {

JsonWriter& write_json(JsonWriter& json, const StageTimes& times) {
  json.begin_object().key("encode_ms").value(times.encode_ms).key("retrieve_ms").value(times.retrieve_ms);
  return json.key("rerank_ms").value(times.rerank_ms).key("total_ms").value(times.total_ms).end_object();
}

JsonWriter& write_json(JsonWriter& json, const SearchHit& hit) {
  json.begin_object().key("rank").value(hit.rank).key("id").value(hit.document->id);
  if (!hit.document->title.empty()) json.key("title").value(hit.document->title);
  json.key("text").value(hit.document->text);
  if (!hit.document->metadata.empty()) json.key("metadata").raw(hit.document->metadata);
  write_if_set(json, "retrieval_rank", hit.retrieval_rank);
  write_if_set(json, "retrieval_score", hit.retrieval_score);
  write_if_set(json, "distance", hit.distance);
  write_if_set(json, "cross_encoder_score", hit.cross_encoder_score);
  return json.key("final_score").value(hit.final_score).end_object();
}

JsonWriter& write_members(JsonWriter& json, const SearchResponse& response) {
  json.key("results").begin_array();
  for (const SearchHit& hit : response.hits) write_json(json, hit);
  json.end_array().key("candidates").value(response.candidates);
  write_json(json.key("times"), response.times);
  return write_json(json.key("truncation"), response.truncation);
}

JsonWriter& write_json(JsonWriter& json, const Ranking& ranking, const RankedTexts& texts) {
  json.begin_array();
  for (std::size_t place = 0; place < ranking.documents.size(); ++place) {
    const RankedDocument& ranked = ranking.documents[place];
    json.begin_object().key("rank").value(place + 1).key("index").value(ranked.index);
    json.key("cross_encoder_score").value(ranked.cross_encoder_score);
    if (!texts.initial_scores.empty()) json.key("initial_score").value(texts.initial_scores[ranked.index]);
    json.key("final_score").value(ranked.final_score).key("text").value(texts.documents[ranked.index]).end_object();
  }
  return json.end_array();
}

}  // namespace tandem
