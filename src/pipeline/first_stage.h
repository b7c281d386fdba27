// Where candidates come from. Search, evaluation and advice retrieve with the same stages.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "pipeline/timed.h"
#include "tandem/matrix.h"
#include "tandem/result.h"
#include "tandem/retriever.h"
#include "tandem/vector_hit.h"

namespace tandem {

struct StageQuery {
  std::string_view id = {};  ///< For stages that know queries by name.
  std::string_view text;
};

/// What a first stage found for one query.
struct Candidates {
  std::vector<VectorHit> hits;  ///< Best first.
  double encode_ms = 0;
  double retrieve_ms = 0;
  Truncation truncation;  ///< What a shared batch lost is counted with its first query.
};

/// Takes the document of `row`, if there is one, out of a query's hits, which are one more than the `top_k` that stay.
void leave_out(std::optional<RowId> row, std::size_t top_k, std::vector<VectorHit>& hits);

/// Thread-safe where what it is made of is.
class FirstStage {
 public:
  virtual ~FirstStage() = default;

  /// The best `top_k` for each query, in the order of the queries. Queries share batches; the time of a shared step is
  /// divided evenly. Progress counts queries that are encoded.
  virtual Result<std::vector<Candidates>> retrieve(std::span<const StageQuery> queries, std::size_t top_k,
                                                   const CallOptions& call) const = 0;
};

/// By the vectors of a bi-encoder.
class DenseStage : public FirstStage {
 public:
  /// The nearest vectors of each query: the interface of Collection::search().
  using Search = std::function<Result<std::vector<std::vector<VectorHit>>>(MatrixView queries, std::size_t top_k,
                                                                           const CallOptions& call)>;

  /// `dimensions`: of the vectors that `encode` gives.
  DenseStage(EncodeQueries encode, std::size_t dimensions, Search search);

  Result<std::vector<Candidates>> retrieve(std::span<const StageQuery> queries, std::size_t top_k,
                                           const CallOptions& call) const override;

 private:
  EncodeQueries encode_;
  std::size_t dimensions_;
  Search search_;
};

}  // namespace tandem
