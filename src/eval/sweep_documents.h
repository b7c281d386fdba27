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
#include "engine/vector_search.h"
#include "eval/sweep_clock.h"
#include "tandem/sweep.h"

namespace tandem {

/// What the documents are searched with for one first stage.
struct SearchedVectors {
  Matrix encoded = {};  ///< Of the documents that were kept; empty where the vectors were given.
  MatrixView vectors = {};
  std::optional<VectorSearch> search = {};  ///< None for a run.
};

/// Documents are named by their places in SweepInput::documents.
class SweepDocuments {
 public:
  /// Errors: kInvalidArgument for no documents, or vectors of another shape; kConflict for two of one id.
  static Result<SweepDocuments> read(const SweepInput& input);

  /// Encodes what the first stages need, in the order given, which has every document once. After `deadline`, the first
  /// `needed` (at least one) are sure to be encoded, and documents that were not reached are not searched.
  Status encode(std::span<const FirstStage> first_stages, std::span<const std::uint32_t> order, std::size_t needed,
                std::optional<SweepClock::time_point> deadline, EncoderCache& cache, const ProgressCallback& progress);

  /// The best documents for a query's vector, [1, dimensions], by one first stage. Errors: kCorruptData for vectors
  /// that give no finite score.
  Result<std::vector<VectorHit>> search(std::size_t first_stage, MatrixView query, std::size_t top_k,
                                        std::size_t threads) const;

  std::size_t size() const { return texts_.size(); }
  const std::string& text(std::uint32_t place) const { return texts_[place]; }
  std::string_view id(std::uint32_t place) const { return ids_[place]; }
  std::optional<std::uint32_t> find(std::string_view id) const;
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
