#include "collection_search.h"

#include <utility>

#include "base/error.h"
#include "base/string_map.h"

namespace tandem::cli {

void add_stage_options(CLI::App& command, StageFlags& flags) {
  command.add_option("--model", flags.model, "The bi-encoder; default: the one that the collection remembers")
      ->type_name("M");
  add_cross_model_option(command, flags.cross.model);
  add_activation_option(command, flags.cross.activation);
  add_compute_options(command, flags.compute);
  add_fetch_named_option(command, flags.compute.network);
  add_cross_max_length_option(command, flags.cross.max_length);
}

Result<std::vector<Query>> read_queries(const std::string& path, const TextOptions& options) {
  ASSIGN_OR_RETURN(std::vector<Query> found, read_all(path, queries(), options));
  for (const Query& query : found) {
    if (Status status = check_query(query.text); !status) {
      return fail_in(fmt::format("{}: query {}", path, query.id), status.error());
    }
  }
  if (Status status = check_ids_differ(found); !status) return fail_in(path, status.error());
  return found;
}

Status check_ids_differ(std::span<const Query> queries) {
  StringSet seen;
  for (const Query& query : queries) {
    if (!seen.insert(query.id).second) return fail(ErrorCode::kConflict, "query '{}' is there twice", query.id);
  }
  return {};
}

Result<CollectionSearch> CollectionSearch::open(const std::string& folder, const StageFlags& flags) {
  ASSIGN_OR_RETURN(Collection collection, Collection::open(folder, {.executor = flags.compute.compute.executor}));
  CollectionSearch opened(std::move(collection), flags.search);
  if (flags.search.mode != SearchMode::kCross) {
    ASSIGN_OR_RETURN(opened.bi_encoder_, open_encoder_of(opened.collection_, flags.model, flags.compute));
  }
  if (flags.search.mode != SearchMode::kBi) {
    ASSIGN_OR_RETURN(opened.cross_encoder_, open_cross_encoder(flags.cross, flags.compute));
  }
  return opened;
}

Status CollectionSearch::search(std::span<const Query> queries, ProgressBar& bar,
                                const std::function<Status(const Query&, const SearchResponse&)>& take) const {
  const auto clear_and_take = [&](const Query& query, const SearchResponse& response) {
    bar.clear();
    return take(query, response);
  };
  return search_each(retriever(), queries, options_, clear_and_take, bar.call());
}

Result<SearchedRun> CollectionSearch::run(std::span<const Query> queries) const {
  ProgressBar bar;
  return search_run(retriever(), queries, options_, bar.call());
}

}  // namespace tandem::cli
