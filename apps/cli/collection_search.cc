#include "collection_search.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/string_map.h"

namespace tandem::cli {

void add_stage_options(CLI::App& command, StageFlags& flags) {
  command.add_option("--model", flags.model, "The bi-encoder; default: the one that the collection remembers")
      ->type_name("M");
  add_cross_model_option(command, flags.cross_model);
  add_activation_option(command, flags.activation);
  add_compute_options(command, flags.compute);
  add_fetch_named_option(command, flags.compute.network);
  add_count(command, "--max-length", flags.cross_max_length, 1, 1 << 20,
            "Tokens that the cross-encoder reads of each pair");
}

Result<std::vector<Query>> read_queries(const std::string& path) {
  ASSIGN_OR_RETURN(std::vector<Query> queries, read_all(path, read_query));
  for (const Query& query : queries) {
    if (Status status = check_query(query.text); !status) {
      return fail_in(fmt::format("{}: query {}", path, query.id), status.error());
    }
  }
  if (Status status = check_ids_differ(queries); !status) return fail_in(path, status.error());
  return queries;
}

Status check_ids_differ(std::span<const Query> queries) {
  StringSet seen;
  for (const Query& query : queries) {
    if (!seen.insert(query.id).second) return fail(ErrorCode::kConflict, "query '{}' is there twice", query.id);
  }
  return {};
}

Result<CollectionSearch> CollectionSearch::open(const std::string& folder, const StageFlags& flags) {
  ASSIGN_OR_RETURN(Collection collection, Collection::open(folder));
  CollectionSearch opened(std::move(collection), flags.search);
  if (flags.search.mode != SearchMode::kCross) {
    ASSIGN_OR_RETURN(opened.bi_encoder_, open_encoder_of(opened.collection_, flags.model, flags.compute));
  }
  if (flags.search.mode != SearchMode::kBi) {
    ComputeFlags cross_compute = flags.compute;
    cross_compute.max_length = flags.cross_max_length;
    ASSIGN_OR_RETURN(opened.cross_encoder_, open_cross_encoder(flags.cross_model, cross_compute, flags.activation));
  }
  return opened;
}

Status CollectionSearch::search(std::span<const Query> queries, ProgressBar& bar,
                                const std::function<Status(const Query&, const SearchResponse&)>& take) const {
  // Enough to share batches; the texts of their results may be long.
  constexpr std::size_t kBatch = 64;
  const Retriever retriever(collection_, bi_encoder_ ? &*bi_encoder_ : nullptr,
                            cross_encoder_ ? &*cross_encoder_ : nullptr);
  for (std::size_t begin = 0; begin < queries.size(); begin += kBatch) {
    const std::span<const Query> batch = queries.subspan(begin, std::min(kBatch, queries.size() - begin));
    std::vector<std::string_view> texts;
    for (const Query& query : batch) texts.push_back(query.text);
    // One batch shows its own steps; of several, how many are done.
    ProgressCallback progress;
    if (batch.size() == queries.size()) {
      progress = bar.callback();
    } else {
      bar.update("searching", "queries", begin, static_cast<double>(begin) / static_cast<double>(queries.size()));
    }
    ASSIGN_OR_RETURN(const std::vector<SearchResponse> responses, retriever.search_many(texts, options_, progress));
    bar.clear();
    for (std::size_t i = 0; i < batch.size(); ++i) RETURN_IF_ERROR(take(batch[i], responses[i]));
    RETURN_IF_ERROR(check_interrupt());
  }
  return {};
}

}  // namespace tandem::cli
