#include "eval/sweep_documents.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"

namespace tandem {
namespace {

// Documents that each thread encodes between two looks at the clock.
constexpr std::size_t kDocumentsPerThread = 32;

/// Moves the rows of `places`, which ascend, to the front.
void compact(Matrix& matrix, const std::vector<std::uint32_t>& places) {
  for (std::size_t row = 0; row < places.size(); ++row) {
    if (places[row] != row) std::ranges::copy(std::as_const(matrix).row(places[row]), matrix.row(row).begin());
  }
}

}  // namespace

Result<SweepDocuments> SweepDocuments::read(const SweepInput& input) {
  if (input.documents.empty()) return fail(ErrorCode::kInvalidArgument, "there are no documents to search");
  if (input.documents.size() > std::numeric_limits<std::uint32_t>::max()) {
    return fail(ErrorCode::kInvalidArgument, "there are {} documents, want fewer than 2^32", input.documents.size());
  }
  SweepDocuments documents;
  for (const Document& document : input.documents) {
    const auto place = static_cast<std::uint32_t>(documents.ids_.size());
    if (!documents.place_of_id_.try_emplace(document.id, place).second) {
      return fail(ErrorCode::kConflict, "two documents have the id '{}'", document.id);
    }
    documents.ids_.push_back(document.id);
    documents.texts_.push_back(document.full_text());
  }
  for (const FirstStage& stage : input.first_stages) {
    if (stage.vectors.data == nullptr) continue;
    const std::size_t dimensions = stage.bi_encoder == nullptr ? 0 : stage.bi_encoder->dimensions();
    if (stage.vectors.rows != documents.size() || stage.vectors.columns != dimensions) {
      return fail(ErrorCode::kInvalidArgument, "{}: the vectors have shape [{}, {}], want [{}, {}]", stage.name,
                  stage.vectors.rows, stage.vectors.columns, documents.size(), dimensions);
    }
  }
  return documents;
}

Status SweepDocuments::encode(std::span<const FirstStage> first_stages, std::span<const std::uint32_t> order,
                              std::size_t needed, std::optional<SweepClock::time_point> deadline, EncoderCache& cache,
                              const ProgressCallback& progress) {
  std::vector<std::size_t> to_encode;
  std::size_t chunk = 0;
  searched_.resize(first_stages.size());
  for (std::size_t stage = 0; stage < first_stages.size(); ++stage) {
    if (first_stages[stage].bi_encoder == nullptr || first_stages[stage].vectors.data != nullptr) continue;
    searched_[stage].encoded = Matrix(size(), first_stages[stage].bi_encoder->dimensions());
    to_encode.push_back(stage);
    chunk = std::max(chunk, kDocumentsPerThread * first_stages[stage].bi_encoder->compute().threads);
  }

  std::size_t done = to_encode.empty() ? size() : 0;
  std::size_t reported = 0;  // Texts of all first stages.
  const auto begin = SweepClock::now();
  const auto report = [&](const Progress& batch) {
    if (!progress) return;
    const std::size_t texts = reported + batch.done;
    const std::size_t total =
        expected_until(deadline, begin, texts, needed * to_encode.size(), size() * to_encode.size());
    progress({.what = batch.what, .unit = batch.unit, .done = texts, .total = total});
  };
  while (done < size()) {
    if (deadline && done >= needed && SweepClock::now() >= *deadline) break;
    std::size_t end = size();
    if (deadline) end = done < needed ? needed : std::min(done + chunk, size());
    const std::span<const std::uint32_t> places = order.subspan(done, end - done);
    std::vector<std::string_view> texts;
    for (const std::uint32_t place : places) texts.push_back(texts_[place]);
    for (const std::size_t stage : to_encode) {
      ASSIGN_OR_RETURN(const CachedEmbeddings embeddings,
                       cache.encode(*first_stages[stage].bi_encoder, texts, TextRole::kDocument, report));
      for (std::size_t i = 0; i < places.size(); ++i) {
        std::ranges::copy(embeddings.vectors.row(i), searched_[stage].encoded.row(places[i]).begin());
        if (stage == to_encode.front()) encode_ms_ += embeddings.cost_ms[i];
      }
      truncation_ += embeddings.truncation;
      reported += texts.size();
    }
    done = end;
  }
  kept_.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(done));
  std::ranges::sort(kept_);

  for (std::size_t stage = 0; stage < first_stages.size(); ++stage) {
    const FirstStage& first_stage = first_stages[stage];
    if (first_stage.bi_encoder == nullptr) continue;
    SearchedVectors& searched = searched_[stage];
    if (first_stage.vectors.data == nullptr) {
      compact(searched.encoded, kept_);
      searched.vectors = {searched.encoded.data(), kept_.size(), searched.encoded.columns()};
    } else if (kept_.size() == size()) {
      searched.vectors = first_stage.vectors;
    } else {
      searched.encoded = Matrix(kept_.size(), first_stage.vectors.columns);
      for (std::size_t row = 0; row < kept_.size(); ++row) {
        std::ranges::copy(first_stage.vectors.row(kept_[row]), searched.encoded.row(row).begin());
      }
      searched.vectors = searched.encoded;
    }
    ASSIGN_OR_RETURN(const BiEncoderIdentity identity, first_stage.bi_encoder->identity());
    const Metric metric = first_stage.metric.value_or(identity.normalized ? Metric::kInnerProduct : Metric::kL2);
    ASSIGN_OR_RETURN(VectorSearch search, VectorSearch::over(searched.vectors, metric));
    searched.search.emplace(std::move(search));
  }
  return {};
}

Result<std::vector<VectorHit>> SweepDocuments::search(std::size_t first_stage, MatrixView query, std::size_t top_k,
                                                      std::size_t threads) const {
  ASSIGN_OR_RETURN(auto results, searched_[first_stage].search->search(query, top_k, threads));
  std::vector<VectorHit> hits = std::move(results.front());
  // Kept documents ascend, so that ties stay in the order of their places.
  for (VectorHit& hit : hits) hit.ordinal = kept_[hit.ordinal];
  return hits;
}

std::optional<std::uint32_t> SweepDocuments::find(std::string_view id) const {
  const auto found = place_of_id_.find(id);
  if (found == place_of_id_.end()) return std::nullopt;
  return found->second;
}

bool SweepDocuments::is_kept(std::uint32_t place) const { return std::ranges::binary_search(kept_, place); }

}  // namespace tandem
