#include "tandem/search_run.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/call.h"
#include "base/error.h"

namespace tandem {

Status search_each(const Retriever& retriever, std::span<const SweepQuery> queries, const SearchOptions& options,
                   const std::function<Status(const SweepQuery& query, const SearchResponse& response)>& take,
                   const CallOptions& call) {
  // Enough to share batches; the texts of their results may be long.
  constexpr std::size_t kBatch = 64;
  for (std::size_t begin = 0; begin < queries.size(); begin += kBatch) {
    const std::span<const SweepQuery> batch = queries.subspan(begin, std::min(kBatch, queries.size() - begin));
    std::vector<std::string_view> texts;
    std::vector<std::string_view> ids;
    for (const SweepQuery& query : batch) {
      texts.push_back(query.text);
      ids.push_back(query.id);
    }
    SearchOptions batch_options = options;
    batch_options.query_ids = ids;
    // One batch reports its own steps; of several, how many queries are done: the pairs, which take the time, count as
    // shares of theirs.
    CallOptions batch_call = call;
    if (batch.size() < queries.size() && call.progress) {
      const auto report = [&](std::size_t done) {
        call.progress({.what = "searching", .unit = "queries", .done = begin + done, .total = queries.size()});
      };
      report(0);
      batch_call.progress = [&, report](const Progress& step) {
        if (step.what == "reranking") report(step.done * batch.size() / step.total);
      };
    }
    ASSIGN_OR_RETURN(const std::vector<SearchResponse> responses,
                     retriever.search_many(texts, batch_options, batch_call));
    for (std::size_t i = 0; i < batch.size(); ++i) RETURN_IF_ERROR(take(batch[i], responses[i]));
    RETURN_IF_ERROR(check_call(call));
  }
  return {};
}

Result<SearchedRun> search_run(const Retriever& retriever, std::span<const SweepQuery> queries,
                               const SearchOptions& options, const CallOptions& call) {
  SearchedRun searched{.run = Run(RunOrder::kAsAdded), .truncation = {}};
  const auto add = [&searched](const SweepQuery& query, const SearchResponse& response) -> Status {
    searched.truncation += response.truncation;
    for (const SearchHit& hit : response.hits) {
      RETURN_IF_ERROR(searched.run.add(query.id, hit.document->id, hit.final_score));
    }
    return {};
  };
  RETURN_IF_ERROR(search_each(retriever, queries, options, add, call));
  return searched;
}

}  // namespace tandem
