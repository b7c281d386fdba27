// The documents of a sweep: their texts, and for each bi-encoder their vectors, all of them or as many as time allows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_map.h"
#include "eval/sweep_budget.h"
#include "index/vector_search.h"
#include "tandem/sweep.h"

namespace tandem {

/// What the documents are searched with for one first stage.
struct SearchedVectors {
  Matrix encoded = {};                      ///< Of the documents that were kept, where the collection is not searched.
  const Collection* collection = nullptr;   ///< Null: `search`.
  std::optional<VectorSearch> search = {};  ///< Over `encoded`. Neither of them for a run.
  Executor executor = {};                   ///< The encoder's, for `search`.
};

/// Documents are named by their places in SweepInput::documents.
class SweepDocuments {
 public:
  /// Errors: kInvalidArgument for no documents, or a collection of others; kConflict for two of one id.
  static Result<SweepDocuments> read(const SweepInput& input);

  /// Encodes what the first stages need, in the order given, which has every document once. After `deadline`, the first
  /// `needed` (at least one) are sure to be encoded, and documents that were not reached are not searched.
  Status encode(std::span<const SweepStage> first_stages, std::span<const std::uint32_t> order, std::size_t needed,
                std::optional<SweepClock::time_point> deadline, EncoderCache& cache, const CallOptions& call);

  /// The best documents for queries' vectors by one first stage, as row_of() names them: the interface of
  /// Collection::search().
  Result<std::vector<std::vector<VectorHit>>> search(std::size_t first_stage, MatrixView queries, std::size_t top_k,
                                                     const CallOptions& call) const;

  /// A document where stages speak of rows.
  static RowId row_of(std::uint32_t place) { return {.segment = 0, .row = place}; }

  std::size_t size() const { return texts_.size(); }
  const std::string& text(std::uint32_t place) const { return texts_[place]; }
  std::string_view id(std::uint32_t place) const { return ids_[place]; }
  std::optional<std::uint32_t> find(std::string_view id) const;
  std::optional<RowId> row_of_id(std::string_view id) const {
    const std::optional<std::uint32_t> place = find(id);
    return place ? std::optional(row_of(*place)) : std::nullopt;
  }
  /// The documents that are searched, ascending.
  const std::vector<std::uint32_t>& kept() const { return kept_; }
  bool is_kept(std::uint32_t place) const;
  double encode_ms() const { return encode_ms_; }  ///< Of the first bi-encoder.
  const Truncation& truncation() const { return truncation_; }

 private:
  std::vector<std::string> texts_;
  std::vector<std::string_view> ids_;
  StringMap<std::uint32_t> place_of_id_;
  std::vector<std::uint32_t> kept_;
  std::vector<SearchedVectors> searched_;  // [first stages]
  double encode_ms_ = 0;
  Truncation truncation_;
};

}  // namespace tandem
