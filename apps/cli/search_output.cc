#include "search_output.h"

#include <fmt/format.h>

#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/trec.h"
#include "descriptions.h"
#include "terminal.h"
#include "wire/search_json.h"

namespace tandem::cli {

namespace {

constexpr std::size_t kIdColumnsMin = 16;

std::string cell(const std::optional<float>& score) { return score ? fmt::format("{:.4f}", *score) : "-"; }

}  // namespace

std::string to_table(std::string_view query, const SearchResponse& response) {
  constexpr std::size_t kScoreColumns = 41;
  const std::size_t text_columns = std::max<std::size_t>(terminal_columns(), kScoreColumns + 30) - kScoreColumns;
  std::string table = fmt::format("{}\n{:>4}  {:>9} {:>9} {:>9} {:>4}  {}\n", one_line(query, query.size()), "#",
                                  "final", "cross", "first", "was", "document");
  for (const SearchHit& hit : response.hits) {
    table +=
        fmt::format("{:>4}  {:>9.4f} {:>9} {:>9} {:>4}  {}\n", hit.rank, hit.final_score, cell(hit.cross_encoder_score),
                    cell(hit.retrieval_score), hit.retrieval_rank ? fmt::format("{}", *hit.retrieval_rank) : "-",
                    summary_of(*hit.document, text_columns));
  }
  return table + fmt::format("      {}; {}\n\n", count_of(response.candidates, "candidate"), describe(response.times));
}

std::string to_json_line(const Query& query, const SearchResponse& response) {
  JsonWriter json;
  json.begin_object().key("query_id").value(query.id).key("query").value(query.text);
  return write_members(json, response).end_object().take() + "\n";
}

Result<std::string> to_trec(const std::string& query_id, const SearchResponse& response, const std::string& tag) {
  std::string lines;
  for (const SearchHit& hit : response.hits) {
    const Status status = append_run_line(lines, {.query_id = query_id,
                                                  .document_id = hit.document->id,
                                                  .rank = hit.rank,
                                                  .score = hit.final_score,
                                                  .tag = tag});
    if (!status) return fail(status.error().code, "{}: --format json can", status.error().message);
  }
  return lines;
}

std::string summary_of(const Document& document, std::size_t columns) {
  const std::string text = document.title == document.id ? document.text : document.full_text();
  // The text is what people look for, however long the id is.
  const std::string id = without_middle(document.id, std::max<std::size_t>(columns / 3, kIdColumnsMin));
  return one_line(fmt::format("{}: {}", id, text), columns);
}

}  // namespace tandem::cli
