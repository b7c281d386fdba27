// Searching a collection as the command line asks for it: what `tandem search` and `tandem eval` share.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "input.h"
#include "options.h"
#include "tandem/collection.h"
#include "tandem/retriever.h"
#include "tandem/search_run.h"
#include "terminal.h"

namespace tandem::cli {

/// The stages and their encoders.
struct StageFlags {
  SearchOptions search;
  std::optional<std::string> model;
  CrossFlags cross;
  ComputeFlags compute;
};

/// --model, --cross-model, --activation, the options of computing, and --max-length. add_search_options() adds those of
/// `search`.
void add_stage_options(CLI::App& command, StageFlags& flags);

/// The queries of a file. Errors: kInvalidArgument, with the query's id, for one that is empty; kConflict for an id
/// that is there twice.
Result<std::vector<Query>> read_queries(const std::string& path, const TextOptions& options = {});

/// Answers are told apart by the ids of their queries. Errors: kConflict.
Status check_ids_differ(std::span<const Query> queries);

/// A collection and the encoders that the mode needs, open.
class CollectionSearch {
 public:
  static Result<CollectionSearch> open(const std::string& folder, const StageFlags& flags);

  /// As search_each(). `bar` shows how far it has come, and is cleared before `take`.
  Status search(std::span<const Query> queries, ProgressBar& bar,
                const std::function<Status(const Query&, const SearchResponse&)>& take) const;

  /// As search_run(). Shows its progress.
  Result<SearchedRun> run(std::span<const Query> queries) const;

  const Collection& collection() const { return collection_; }
  /// How the encoders compute.
  const ComputeInfo& compute() const { return bi_encoder_ ? bi_encoder_->compute() : cross_encoder_->compute(); }

 private:
  CollectionSearch(Collection collection, const SearchOptions& options)
      : collection_(std::move(collection)), options_(options) {}

  Retriever retriever() const { return {collection_, bi_encoder_, cross_encoder_}; }

  Collection collection_;
  SearchOptions options_;
  std::optional<BiEncoder> bi_encoder_;
  std::optional<CrossEncoder> cross_encoder_;
};

}  // namespace tandem::cli
