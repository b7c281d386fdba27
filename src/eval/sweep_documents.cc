#include "eval/sweep_documents.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/memory.h"

namespace tandem {
namespace {

// Documents that each thread encodes between two looks at the clock.
constexpr std::size_t kDocumentsPerThread = 32;

// Documents whose vectors the cache holds beside those that are kept.
constexpr std::size_t kDocumentsAtOnce = 4096;

/// Moves the rows of `places`, which ascend, to the front.
void compact(Matrix& matrix, const std::vector<std::uint32_t>& places) {
  for (std::size_t row = 0; row < places.size(); ++row) {
    if (places[row] != row) std::ranges::copy(std::as_const(matrix).row(places[row]), matrix.row(row).begin());
  }
}

/// The vectors of the documents with these places, which ascend.
Result<Matrix> vectors_of(const Collection& collection, const std::vector<std::uint32_t>& places) {
  Matrix result(places.size(), collection.info().recipe.encoder.dimensions);
  for (std::size_t row = 0; row < places.size(); ++row) {
    const RowId id = collection.row_at(places[row]);
    ASSIGN_OR_RETURN(const MatrixView vectors, collection.vectors(id.segment));
    std::ranges::copy(vectors.row(id.row), result.row(row).begin());
  }
  RETURN_IF_ERROR(collection.check_unchanged());
  return result;
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
    documents.texts_.push_back(document.full_text(input.title_separator));
  }
  for (const SweepStage& stage : input.first_stages) {
    if (stage.collection == nullptr) continue;
    const std::size_t dimensions = stage.bi_encoder == nullptr ? 0 : stage.bi_encoder->dimensions();
    const CollectionInfo& info = stage.collection->info();
    if (info.documents != documents.size() || info.recipe.encoder.dimensions != dimensions) {
      return fail(ErrorCode::kInvalidArgument, "{}: the collection has {} vectors of {} dimensions, want {} of {}",
                  stage.name, info.documents, info.recipe.encoder.dimensions, documents.size(), dimensions);
    }
    if (stage.metric && *stage.metric != info.metric) {
      return fail(ErrorCode::kInvalidArgument, "{}: the collection compares by {}, not by {}", stage.name,
                  name_of(info.metric), name_of(*stage.metric));
    }
  }
  return documents;
}

Status SweepDocuments::encode(std::span<const SweepStage> first_stages, std::span<const std::uint32_t> order,
                              std::size_t needed, std::optional<SweepClock::time_point> deadline, EncoderCache& cache,
                              const CallOptions& call) {
  std::vector<std::size_t> to_encode;
  std::size_t chunk = 0;
  searched_.resize(first_stages.size());
  for (std::size_t stage = 0; stage < first_stages.size(); ++stage) {
    if (first_stages[stage].bi_encoder == nullptr || first_stages[stage].collection != nullptr) continue;
    const std::size_t dimensions = first_stages[stage].bi_encoder->dimensions();
    const std::uint64_t bytes = sizeof(float) * size() * dimensions;
    if (const std::uint64_t memory = physical_memory_bytes(); memory > 0 && bytes > memory) {
      return fail(ErrorCode::kResourceExhausted,
                  "{}: {} vectors of {} dimensions take {} MB, more than this machine's memory",
                  first_stages[stage].name, size(), dimensions, bytes >> 20);
    }
    searched_[stage].encoded = Matrix(size(), dimensions);
    to_encode.push_back(stage);
    chunk = std::max(chunk, kDocumentsPerThread * first_stages[stage].bi_encoder->compute().threads);
  }

  std::size_t done = to_encode.empty() ? size() : 0;
  std::size_t reported = 0;  // Texts of all first stages.
  const auto begin = SweepClock::now();
  const auto report = [&](const Progress& batch) {
    const std::size_t texts = reported + batch.done;
    const std::size_t total =
        expected_until(deadline, begin, texts, needed * to_encode.size(), size() * to_encode.size());
    call.progress({.what = batch.what, .unit = batch.unit, .done = texts, .total = total});
  };
  CallOptions batch_call = call;
  if (call.progress) batch_call.progress = report;
  while (done < size()) {
    if (deadline && done >= needed && SweepClock::now() >= *deadline) break;
    // So many at a time, lest all vectors are there twice.
    std::size_t end = std::min(done + kDocumentsAtOnce, size());
    if (deadline) end = std::min(end, done < needed ? needed : done + chunk);
    const std::span<const std::uint32_t> places = order.subspan(done, end - done);
    std::vector<std::string_view> texts;
    for (const std::uint32_t place : places) texts.push_back(texts_[place]);
    for (const std::size_t stage : to_encode) {
      ASSIGN_OR_RETURN(const CachedEmbeddings embeddings,
                       cache.encode(*first_stages[stage].bi_encoder, texts, TextRole::kDocument, batch_call));
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
    const SweepStage& first_stage = first_stages[stage];
    if (first_stage.bi_encoder == nullptr) continue;
    SearchedVectors& searched = searched_[stage];
    if (first_stage.collection == nullptr) {
      compact(searched.encoded, kept_);
    } else if (kept_.size() == size()) {
      searched.collection = first_stage.collection;
      continue;
    } else {
      ASSIGN_OR_RETURN(searched.encoded, vectors_of(*first_stage.collection, kept_));
    }
    Result<Metric> metric = first_stage.metric.value_or(Metric::kInnerProduct);
    if (first_stage.collection != nullptr) {
      metric = first_stage.collection->info().metric;
    } else if (!first_stage.metric) {
      metric = first_stage.bi_encoder->metric();
    }
    if (!metric) return tl::unexpected(metric.error());
    const MatrixView vectors{searched.encoded.data(), kept_.size(), searched.encoded.columns()};
    ASSIGN_OR_RETURN(VectorSearch search, VectorSearch::over(vectors, *metric));
    searched.search.emplace(std::move(search));
    searched.executor = first_stage.bi_encoder->executor();
  }
  return {};
}

Result<std::vector<std::vector<VectorHit>>> SweepDocuments::search(std::size_t first_stage, MatrixView queries,
                                                                   std::size_t top_k, const CallOptions& call) const {
  const SearchedVectors& searched = searched_[first_stage];
  ASSIGN_OR_RETURN(auto hits, searched.collection != nullptr
                                  ? searched.collection->search(queries, top_k, call)
                                  : searched.search->search(queries, top_k, searched.executor, call));
  for (std::vector<VectorHit>& found : hits) {
    for (VectorHit& hit : found) {
      // Kept documents ascend, so that ties stay in the order of their places.
      const std::size_t row = searched.collection != nullptr ? searched.collection->place_of(hit.row) : hit.row.row;
      hit.row = row_of(kept_[row]);
    }
  }
  return hits;
}

std::optional<std::uint32_t> SweepDocuments::find(std::string_view id) const {
  const auto found = place_of_id_.find(id);
  if (found == place_of_id_.end()) return std::nullopt;
  return found->second;
}

bool SweepDocuments::is_kept(std::uint32_t place) const { return std::ranges::binary_search(kept_, place); }

}  // namespace tandem
