// The three forms in which search results are printed.
#pragma once

#include <string>
#include <string_view>

#include "input.h"
#include "tandem/result.h"
#include "tandem/retriever.h"

namespace tandem::cli {

/// For people: one line per result with its scores, and one for candidates and stage times.
std::string to_table(std::string_view query, const SearchResponse& response);

/// One JSON object and a line feed: query, results with all their scores, candidates, times, truncation.
std::string to_json_line(const Query& query, const SearchResponse& response);

/// The lines of a TREC run. Errors: as append_run_line().
Result<std::string> to_trec(const std::string& query_id, const SearchResponse& response, const std::string& tag);

/// "id: title text" on one line of at most `columns` code points, without a title that repeats the id.
std::string summary_of(const Document& document, std::size_t columns);

}  // namespace tandem::cli
