#include "index/flat_index.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "index/top_k.h"
#include "kernels/isa.h"

namespace tandem {
namespace {

using Hits = std::vector<VectorHit>;

Matrix random_matrix(std::size_t rows, std::size_t columns, unsigned seed, float offset = 0) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Matrix matrix(rows, columns);
  for (std::size_t row = 0; row < rows; ++row) {
    for (float& value : matrix.row(row)) value = normal(random) + offset;
  }
  return matrix;
}

double inner_product(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0, std::plus<>(),
                            [](float x, float y) { return static_cast<double>(x) * y; });
}

float distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t index = 0; index < a.size(); ++index) {
    sum += (static_cast<double>(a[index]) - b[index]) * (static_cast<double>(a[index]) - b[index]);
  }
  return static_cast<float>(std::sqrt(sum));
}

float cosine(std::span<const float> a, std::span<const float> b) {
  const double lengths = std::sqrt(inner_product(a, a)) * std::sqrt(inner_product(b, b));
  return lengths > 0 ? static_cast<float>(inner_product(a, b) / lengths) : 0.0F;
}

/// The definition: every score, in double precision, sorted.
Hits brute_force(MatrixView vectors, std::span<const float> query, Metric metric, std::size_t top_k) {
  Hits hits;
  for (std::size_t row = 0; row < vectors.rows; ++row) {
    const float score = metric == Metric::kL2 ? 0.0F - distance(query, vectors.row(row))
                                              : static_cast<float>(inner_product(query, vectors.row(row)));
    hits.push_back({{.row = static_cast<std::uint32_t>(row)}, score});
  }
  std::ranges::sort(hits, ranks_before);
  hits.resize(std::min(top_k, hits.size()));
  return hits;
}

const ScanKernels& best_kernels() { return scan_kernels_for(detect_isa()); }

std::vector<Hits> search(MatrixView vectors, MatrixView queries, Metric metric, std::size_t top_k,
                         std::size_t threads = 2, const RowFilter& filter = {},
                         const ScanKernels& kernels = best_kernels()) {
  const Executor executor(threads);
  std::vector<TopK> best(queries.rows, TopK(std::min(top_k, vectors.rows)));
  const Status searched = FlatIndex(kernels, vectors, metric).search(queries, filter, best, executor);
  EXPECT_TRUE(searched);
  std::vector<Hits> hits;
  for (TopK& each : best) hits.push_back(each.take());
  return hits;
}

void expect_brute_force(MatrixView vectors, MatrixView queries, Metric metric, std::size_t top_k,
                        std::size_t threads = 2) {
  const std::vector<Hits> hits = search(vectors, queries, metric, top_k, threads);
  ASSERT_EQ(hits.size(), queries.rows);
  for (std::size_t query = 0; query < queries.rows; ++query) {
    ASSERT_EQ(hits[query], brute_force(vectors, queries.row(query), metric, top_k)) << "query " << query;
  }
}

TEST(TopK, KeepsTheBestAndBreaksTiesBySegmentAndRow) {
  TopK best(3);
  for (const std::uint32_t row : {5U, 1U, 9U, 3U, 7U}) best.add({{.row = row}, 1.0F});
  best.add({{.segment = 1, .row = 0}, 1.0F});
  best.add({{.segment = 1, .row = 8}, 2.0F});
  EXPECT_EQ(best.take(), (Hits{{{1, 8}, 2.0F}, {{0, 1}, 1.0F}, {{0, 3}, 1.0F}}));
  TopK none(0);
  none.add({{.row = 1}, 1.0F});
  EXPECT_TRUE(none.take().empty());
}

TEST(TopK, RanksNanLast) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  TopK best(3);
  for (const auto& hit : Hits{{{0, 0}, kNan}, {{0, 1}, -1e30F}, {{0, 2}, kNan}, {{0, 3}, 1.0F}}) best.add(hit);
  const Hits hits = best.take();
  EXPECT_EQ(hits[0].row.row, 3U);
  EXPECT_EQ(hits[1].row.row, 1U);
  EXPECT_EQ(hits[2], (VectorHit{{0, 0}, -std::numeric_limits<float>::infinity()}));
}

// With small integers every product and sum is exact, so results must agree to the bit, and ties abound.
RC_GTEST_PROP(FlatIndex, AgreesWithBruteForceOnIntegers, ()) {
  const auto dimensions = *rc::gen::inRange<std::size_t>(1, 70);
  const auto rows = *rc::gen::inRange<std::size_t>(0, 300);
  const auto queries = *rc::gen::inRange<std::size_t>(0, 70);
  const auto top_k = *rc::gen::inRange<std::size_t>(0, 320);
  const auto metric = *rc::gen::element(Metric::kInnerProduct, Metric::kL2);
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  const auto integers = [&](std::size_t count) {
    Matrix matrix(count, dimensions);
    for (std::size_t row = 0; row < count; ++row) {
      for (float& value : matrix.row(row)) value = static_cast<float>(random() % 3) - 1;
    }
    return matrix;
  };
  const Matrix vectors = integers(rows);
  const Matrix questions = integers(queries);
  const std::vector<Hits> hits = search(vectors, questions, metric, top_k, 1 + random() % 3);
  RC_ASSERT(hits.size() == queries);
  for (std::size_t query = 0; query < queries; ++query) {
    RC_ASSERT(hits[query] == brute_force(vectors, questions.view().row(query), metric, top_k));
  }
}

TEST(FlatIndex, DistancesAreExactWhereTheExpansionCancels) {
  // Far from the origin and close together: ‖q‖² − 2⟨q, d⟩ + ‖d‖² has no correct digit left in f32.
  for (const float offset : {0.0F, 30.0F, 3000.0F}) {
    const Matrix vectors = random_matrix(3000, 48, 1, offset);
    expect_brute_force(vectors, random_matrix(40, 48, 2, offset), Metric::kL2, 10);
    const std::vector<Hits> self = search(vectors, {vectors.data() + 48 * 777, 1, 48}, Metric::kL2, 1);
    EXPECT_EQ(self[0][0], (VectorHit{{0, 777}, 0.0F}));
  }
}

TEST(FlatIndex, DistancesSurviveVeryLargeAndVerySmallNumbers) {
  Matrix vectors = random_matrix(600, 24, 3);
  for (std::size_t row = 0; row < vectors.rows(); ++row) {
    const float scale = std::ldexp(1.0F, static_cast<int>(row % 240) - 130);
    for (float& value : vectors.row(row)) value *= scale;
  }
  expect_brute_force(vectors, vectors, Metric::kL2, 7);
}

TEST(FlatIndex, InnerProductsAreWithinTheRoundingOfTheirSum) {
  const Matrix vectors = random_matrix(5000, 384, 4);
  const Matrix queries = random_matrix(9, 384, 5);
  const std::vector<Hits> hits = search(vectors, queries, Metric::kInnerProduct, 20);
  for (std::size_t query = 0; query < queries.rows(); ++query) {
    const auto length = std::sqrt(inner_product(queries.row(query), queries.row(query)));
    const auto tolerance_of = [&](std::span<const float> row) {
      return 384 * 0x1p-23 * length * std::sqrt(inner_product(row, row));
    };
    ASSERT_EQ(hits[query].size(), 20U);
    std::vector<bool> found(vectors.rows());
    for (const VectorHit& hit : hits[query]) {
      const auto row = vectors.row(hit.row.row);
      EXPECT_NEAR(hit.score, inner_product(queries.row(query), row), tolerance_of(row));
      found[hit.row.row] = true;
    }
    EXPECT_TRUE(std::ranges::is_sorted(hits[query], ranks_before));
    for (std::size_t row = 0; row < vectors.rows(); ++row) {
      if (found[row]) continue;
      EXPECT_LE(inner_product(queries.row(query), vectors.row(row)),
                hits[query].back().score + tolerance_of(vectors.row(row)));
    }
  }
}

TEST(FlatIndex, CosinesAreThoseOfVectorsOfAnyLength) {
  Matrix vectors = random_matrix(700, 24, 8);
  Matrix queries = random_matrix(5, 24, 9);
  for (std::size_t row = 0; row < vectors.rows(); ++row) {
    const float scale = std::pow(10.0F, static_cast<float>(row % 9) - 4.0F);
    for (float& value : vectors.row(row)) value *= scale;
  }
  for (float& value : vectors.row(3)) value = 0;
  for (float& value : vectors.row(4)) value *= 1e-30F;  // Whose squares are 0 in f32,
  for (float& value : vectors.row(5)) value *= 1e25F;   // and infinite.
  for (float& value : queries.row(1)) value *= 1e-30F;
  for (float& value : queries.row(2)) value = 0;
  const std::vector<Hits> hits = search(vectors, queries, Metric::kCosine, 700);
  for (std::size_t query = 0; query < queries.rows(); ++query) {
    ASSERT_EQ(hits[query].size(), 700U);
    for (std::size_t rank = 0; rank < hits[query].size(); ++rank) {
      const VectorHit& hit = hits[query][rank];
      EXPECT_NEAR(hit.score, cosine(queries.row(query), vectors.row(hit.row.row)), 2e-6) << query << " " << hit.row.row;
      EXPECT_LE(hit.score, hits[query][rank > 0 ? rank - 1 : 0].score);
    }
  }
}

TEST(FlatIndex, AQueryHasTheSameBitsAloneAndAmongOthersOnAnyNumberOfThreads) {
  // More rows than a part and more queries than a pass, with ragged ends.
  const Matrix vectors = random_matrix(9001, 130, 6);
  const Matrix queries = random_matrix(263, 130, 7);
  for (const Metric metric : {Metric::kInnerProduct, Metric::kL2}) {
    const std::vector<Hits> together = search(vectors, queries, metric, 11, 3);
    EXPECT_EQ(search(vectors, queries, metric, 11, 1), together);
    for (const std::size_t query : {0U, 31U, 32U, 33U, 255U, 256U, 262U}) {
      const MatrixView alone{queries.data() + query * 130, 1, 130};
      EXPECT_EQ(search(vectors, alone, metric, 11, 2)[0], together[query]) << query;
    }
  }
}

TEST(FlatIndex, EqualVectorsRankByRowWhereverTheyLie) {
  const Matrix one = random_matrix(1, 100, 8);
  Matrix vectors(4001, 100);
  for (std::size_t row = 0; row < vectors.rows(); ++row) std::ranges::copy(one.row(0), vectors.row(row).begin());
  for (const Metric metric : {Metric::kInnerProduct, Metric::kL2}) {
    const Hits hits = search(vectors, random_matrix(1, 100, 9), metric, 4001, 2)[0];
    for (std::size_t rank = 0; rank < hits.size(); ++rank) ASSERT_EQ(hits[rank].row.row, rank);
  }
}

TEST(FlatIndex, NanVectorsRankLastAndNanQueriesKeepTheOrder) {
  Matrix vectors = random_matrix(50, 20, 10);
  for (const std::size_t row : {0U, 7U, 49U}) vectors.row(row)[3] = std::numeric_limits<float>::quiet_NaN();
  Matrix queries = random_matrix(2, 20, 11);
  queries.row(1)[0] = std::numeric_limits<float>::quiet_NaN();
  for (const Metric metric : {Metric::kInnerProduct, Metric::kL2}) {
    const std::vector<Hits> hits = search(vectors, queries, metric, 50);
    EXPECT_EQ(hits[0][47].row.row, 0U);
    EXPECT_EQ(hits[0][48].row.row, 7U);
    EXPECT_EQ(hits[0][49].row.row, 49U);
    EXPECT_TRUE(std::isfinite(hits[0][46].score));
    for (std::size_t rank = 0; rank < 50; ++rank) EXPECT_EQ(hits[1][rank].row.row, rank);
    EXPECT_EQ(search(vectors, queries, metric, 5)[0], Hits(hits[0].begin(), hits[0].begin() + 5));
  }
}

TEST(FlatIndex, AFilterLeavesRowsOutAsIfTheyWereNotThere) {
  const Matrix vectors = random_matrix(3001, 40, 14);
  const Matrix queries = random_matrix(9, 40, 15);
  std::mt19937_64 random(16);
  for (const Metric metric : {Metric::kInnerProduct, Metric::kL2}) {
    for (const std::size_t share : {1U, 2U, 700U}) {
      std::vector<std::uint64_t> bits((vectors.rows() + 63) / 64);
      std::vector<Hits> expected(queries.rows());
      for (std::size_t row = 0; row < vectors.rows(); ++row) {
        if (random() % share == 0) bits[row / 64] |= std::uint64_t{1} << (row % 64);
      }
      const RowFilter filter(bits);
      const std::vector<Hits> all = search(vectors, queries, metric, vectors.rows(), 1);
      for (std::size_t query = 0; query < queries.rows(); ++query) {
        for (const VectorHit& hit : all[query]) {
          if (filter.holds(hit.row.row) && expected[query].size() < 12) expected[query].push_back(hit);
        }
      }
      EXPECT_EQ(search(vectors, queries, metric, 12, 2, filter), expected) << share;
    }
  }
}

TEST(FlatIndex, SegmentsTogetherFindWhatOneWould) {
  const Matrix vectors = random_matrix(2500, 40, 17);
  const Matrix queries = random_matrix(7, 40, 18);
  const std::vector<Hits> one = search(vectors, queries, Metric::kL2, 25);
  const std::size_t ends[] = {0, 1, 1500, 2500};
  const Executor executor(2);
  std::vector<TopK> best(queries.rows(), TopK(25));
  std::size_t first = 0;
  for (std::uint32_t segment = 0; segment < std::size(ends); ++segment) {
    const MatrixView rows{vectors.data() + first * 40, ends[segment] - first, 40};
    const auto index = FlatIndex::over(rows, Metric::kL2, segment);
    ASSERT_TRUE(index && index->search(queries, {}, best, executor));
    first = ends[segment];
  }
  for (std::size_t query = 0; query < queries.rows(); ++query) {
    const Hits hits = best[query].take();
    ASSERT_EQ(hits.size(), 25U);
    for (std::size_t rank = 0; rank < hits.size(); ++rank) {
      const RowId row = hits[rank].row;
      EXPECT_EQ((row.segment == 0 ? 0 : ends[row.segment - 1]) + row.row, one[query][rank].row.row);
      EXPECT_EQ(hits[rank].score, one[query][rank].score);
    }
  }
}

TEST(FlatIndex, RefusesElementsThatItCannotSearch) {
  const std::array<std::byte, 6> bytes{};
  const auto index = FlatIndex::over(VectorBlock(ElementType::kInt8, bytes.data(), 2, 3), Metric::kL2);
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(index.error().message, "vectors of int8, this index searches f32");
}

TEST(FlatIndex, EveryInstructionSetFindsTheSame) {
  const Matrix vectors = random_matrix(2000, 90, 12);
  const Matrix queries = random_matrix(12, 90, 13);
  for (const Isa isa : kIsas) {
    if (!supports_isa(isa)) continue;
    const ScanKernels& kernels = scan_kernels_for(isa);
    const std::vector<Hits> distances = search(vectors, queries, Metric::kL2, 5, 1, {}, kernels);
    for (std::size_t query = 0; query < queries.rows(); ++query) {
      EXPECT_EQ(distances[query], brute_force(vectors, queries.row(query), Metric::kL2, 5));
    }
    EXPECT_EQ(search(vectors, queries, Metric::kInnerProduct, 5, 1, {}, kernels)[0][0].row.row,
              brute_force(vectors, queries.row(0), Metric::kInnerProduct, 1)[0].row.row);
  }
}

}  // namespace
}  // namespace tandem
