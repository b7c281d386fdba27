#include "index/flat_index.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "base/cosine.h"
#include "base/error.h"
#include "index/top_k.h"
#include "kernels/isa.h"

namespace tandem {
namespace {

// One pass over the vectors serves this many queries; the best hits of each are held per thread meanwhile.
constexpr std::size_t kQueriesPerPass = 256;
// Of these, so many are multiplied with a block of vectors at a time, so that their scores stay in the L1 cache.
constexpr std::size_t kQueriesPerTile = 32;
// A block of vectors is read from memory once and then, for each tile, from the L2 cache: 256 KiB.
constexpr std::size_t kFloatsPerBlock = std::size_t{64} << 10;
// What one thread takes at a time: 2 MiB of vectors, some 80 µs of reading for one query.
constexpr std::size_t kFloatsPerPart = std::size_t{512} << 10;

double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t index = 0; index < a.size(); ++index) {
    const double difference = static_cast<double>(a[index]) - b[index];
    sum += difference * difference;
  }
  return sum;
}

MatrixView rows_of(MatrixView matrix, std::size_t first, std::size_t count) {
  return {matrix.data + first * matrix.columns, std::min(count, matrix.rows - first), matrix.columns};
}

/// Consecutive vectors of a segment, and which of them are searched.
struct Block {
  MatrixView vectors;
  RowId first;
  const RowFilter& filter;

  RowId id(std::size_t row) const { return {first.segment, first.row + static_cast<std::uint32_t>(row)}; }
  bool holds(std::size_t row) const { return filter.holds(first.row + row); }
};

/// A query and, where distances are asked for, its squared length.
struct Query {
  std::span<const float> vector;
  float squared_length;
};

// Most scores are below the worst that is kept, so they are compared sixteen at a time, which vectorises.
void offer_inner_products(const float* scores, const Block& block, TopK& best) {
  constexpr std::size_t kStep = 16;
  for (std::size_t start = 0; start < block.vectors.rows; start += kStep) {
    const std::size_t end = std::min(start + kStep, block.vectors.rows);
    if (best.full()) {
      const float worst = best.worst_score();
      unsigned better = 0;
      for (std::size_t row = start; row < end; ++row) better |= scores[row] > worst ? 1U : 0U;
      if (better == 0) continue;
    }
    for (std::size_t row = start; row < end; ++row) {
      if (block.holds(row)) best.add({block.id(row), scores[row]});
    }
  }
}

// An inner product of n terms in f32, summed in any order, is off by at most γ Σ|qᵢ dᵢ| ≤ γ (‖q‖² + ‖d‖²) / 2 with
// γ = n u / (1 − n u), u = 2⁻²⁴ (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), and by what
// underflow takes from each term; a squared length, which is one too, by at most γ times itself. A vector whose
// expansion ‖q‖² − 2⟨q, d⟩ + ‖d‖² is out of reach by more than all of that is out of reach. One more term in γ pays for
// rounding here.
void offer_distances(const Query& query, const float* inner_products, std::span<const float> squared_lengths,
                     const Block& block, TopK& best) {
  const auto terms = static_cast<double>(query.vector.size() + 1);
  const double gamma = terms * 0x1p-24 / (1 - terms * 0x1p-24);
  for (std::size_t row = 0; row < block.vectors.rows; ++row) {
    if (!block.holds(row)) continue;
    if (best.full()) {
      const double lengths = static_cast<double>(query.squared_length) + squared_lengths[row];
      const double least = lengths - 2.0 * inner_products[row] - 2 * gamma * lengths - 8 * terms * FLT_MIN;
      const double worst = best.worst_score();
      // What overflowed, or is NaN, rules nothing out.
      if (std::isfinite(least) && least >= worst * worst) continue;
    }
    const double distance = std::sqrt(squared_distance(query.vector, block.vectors.row(row)));
    best.add({block.id(row), 0.0F - static_cast<float>(distance)});
  }
}

/// Turns inner products with one query into cosines.
void divide_by_lengths(const Query& query, std::span<const float> squared_lengths, const Block& block,
                       float* inner_products) {
  for (std::size_t row = 0; row < block.vectors.rows; ++row) {
    if (std::isnan(squared_lengths[row]) || std::isnan(query.squared_length)) {
      inner_products[row] = std::numeric_limits<float>::quiet_NaN();
    } else if (std::isnormal(query.squared_length) && std::isnormal(squared_lengths[row])) {
      const double lengths = std::sqrt(static_cast<double>(query.squared_length) * squared_lengths[row]);
      inner_products[row] = static_cast<float>(inner_products[row] / lengths);
    } else {  // Of vectors whose squared length f32 does not hold.
      inner_products[row] = static_cast<float>(cosine_of(query.vector, block.vectors.row(row)));
    }
  }
}

/// The queries that share one pass over the vectors, and what each thread has found for them so far.
class Pass {
 public:
  Pass(const ScanKernels& kernels, Metric metric, MatrixView queries, std::span<const TopK> best, std::size_t workers)
      : kernels_(kernels), metric_(metric), queries_(queries), best_(best), workers_(workers) {
    squared_lengths_.resize(queries.rows);
    if (metric != Metric::kInnerProduct) measure(queries, squared_lengths_);
  }

  /// Compares a block with every query. The blocks of one worker must come in the order of their rows.
  void scan(std::size_t worker_index, const Block& block) {
    Worker& worker = workers_[worker_index];
    if (worker.best.empty()) {
      for (const TopK& best : best_) worker.best.emplace_back(best.capacity());
    }
    worker.scores.resize(std::min(queries_.rows, kQueriesPerTile) * block.vectors.rows);
    worker.squared_lengths.resize(block.vectors.rows);
    if (metric_ != Metric::kInnerProduct) measure(block.vectors, worker.squared_lengths);
    for (std::size_t first = 0; first < queries_.rows; first += kQueriesPerTile) {
      const MatrixView tile = rows_of(queries_, first, kQueriesPerTile);
      kernels_.inner_products_f32(tile.data, tile.rows, block.vectors.data, block.vectors.rows, tile.columns,
                                  worker.scores.data());
      for (std::size_t row = 0; row < tile.rows; ++row) {
        float* scores = worker.scores.data() + row * block.vectors.rows;
        TopK& best = worker.best[first + row];
        switch (metric_) {
          case Metric::kInnerProduct:
            offer_inner_products(scores, block, best);
            break;
          case Metric::kCosine:
            divide_by_lengths({tile.row(row), squared_lengths_[first + row]}, worker.squared_lengths, block, scores);
            offer_inner_products(scores, block, best);
            break;
          case Metric::kL2:
            offer_distances({tile.row(row), squared_lengths_[first + row]}, scores, worker.squared_lengths, block,
                            best);
            break;
        }
      }
    }
  }

  /// Adds what all workers together found for a query.
  void collect(std::size_t query, TopK& best) {
    for (Worker& worker : workers_) {
      if (worker.best.empty()) continue;
      for (const VectorHit& hit : worker.best[query].take()) best.add(hit);
    }
  }

 private:
  struct Worker {
    std::vector<TopK> best;              // [queries], empty until the worker gets a block.
    std::vector<float> scores;           // [queries of a tile, rows of a block]
    std::vector<float> squared_lengths;  // [rows of a block]
  };

  void measure(MatrixView vectors, std::span<float> squared_lengths) const {
    for (std::size_t row = 0; row < vectors.rows; ++row) {
      const float* vector = vectors.row(row).data();
      kernels_.inner_products_f32(vector, 1, vector, 1, vectors.columns, &squared_lengths[row]);
    }
  }

  const ScanKernels& kernels_;
  Metric metric_;
  MatrixView queries_;
  std::vector<float> squared_lengths_;  // [queries]
  std::span<const TopK> best_;          // [queries]
  std::vector<Worker> workers_;
};

}  // namespace

Result<FlatIndex> FlatIndex::over(VectorRows rows, Metric metric, std::uint32_t segment) {
  if (rows.element() != ElementType::kF32) {
    return fail(ErrorCode::kUnsupported, "vectors of {}, this index searches f32", name_of(rows.element()));
  }
  ASSIGN_OR_RETURN(const Isa isa, choose_isa());
  return FlatIndex(scan_kernels_for(isa), rows, metric, segment);
}

Status FlatIndex::search(MatrixView queries, const RowFilter& filter, std::span<TopK> best, const Executor& executor,
                         const CallOptions& call) const {
  CHECK(best.size() == queries.rows);
  if (rows_.count() == 0) return {};
  const std::size_t block_rows = std::max<std::size_t>(kFloatsPerBlock / rows_.dimensions(), 1);
  const std::size_t part_rows = std::max(kFloatsPerPart / rows_.dimensions(), block_rows);
  const std::size_t parts = (rows_.count() + part_rows - 1) / part_rows;

  for (std::size_t first_query = 0; first_query < queries.rows; first_query += kQueriesPerPass) {
    const MatrixView tile = rows_of(queries, first_query, kQueriesPerPass);
    const std::span<TopK> collectors = best.subspan(first_query, tile.rows);
    Pass pass(kernels_, metric_, tile, collectors, executor.threads());
    const auto scan = [&](std::size_t part, std::size_t slot) -> Status {
      const std::size_t end = std::min((part + 1) * part_rows, rows_.count());
      for (std::size_t first = part * part_rows; first < end; first += block_rows) {
        ASSIGN_OR_RETURN(const VectorBlock block, rows_.read(first, std::min(block_rows, end - first)));
        pass.scan(slot, {block.f32(), {segment_, static_cast<std::uint32_t>(first)}, filter});
      }
      return {};
    };
    RETURN_IF_ERROR(executor.run(parts, scan, call));
    for (std::size_t query = 0; query < tile.rows; ++query) pass.collect(query, collectors[query]);
  }
  return {};
}

}  // namespace tandem
