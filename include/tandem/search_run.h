// Many searches one after another, and the run that they make.
//
//   auto searched = tandem::search_run(retriever, queries, {.final_top_k = 100});
//   searched->run.write("two_stages.trec", "tandem");
#pragma once

#include <functional>
#include <span>

#include "tandem/call.h"
#include "tandem/compute.h"
#include "tandem/evaluation.h"
#include "tandem/export.h"
#include "tandem/result.h"
#include "tandem/retriever.h"
#include "tandem/sweep.h"

namespace tandem {

/// Searches for every query and hands each with its response to `take`, in their order, from the calling thread: a few
/// queries are answered together, and the texts of no more results than theirs are held at a time. Ends at the first
/// error of `take`. The ids of the queries are those of SearchOptions::query_ids. Errors: also those of
/// Retriever::search_many(), and of `call`.
TANDEM_EXPORT Status
search_each(const Retriever& retriever, std::span<const SweepQuery> queries, const SearchOptions& options,
            const std::function<Status(const SweepQuery& query, const SearchResponse& response)>& take,
            const CallOptions& call = {});

struct SearchedRun {
  Run run;  ///< Each hit with its final score, in the order of the search: RunOrder::kAsAdded.
  Truncation truncation;
};

/// The run of what is found for every query. Errors: those of search_each(), and of Run::add() for an id that is there
/// twice.
TANDEM_EXPORT Result<SearchedRun> search_run(const Retriever& retriever, std::span<const SweepQuery> queries,
                                             const SearchOptions& options = {}, const CallOptions& call = {});

}  // namespace tandem
