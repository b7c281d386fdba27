// Joins the encoder, which knows texts, with the store, which knows vectors.
#include "tandem/collection.h"

#include <fmt/ranges.h>

#include <ctime>
#include <iterator>
#include <numeric>
#include <utility>

#include "base/call.h"
#include "base/error.h"
#include "base/finite.h"
#include "base/utf8.h"
#include "index/background_check.h"
#include "index/vector_search.h"
#include "store/collection_store.h"

namespace tandem {
namespace {

// Texts held for one call of the encoder, whatever batch_documents says: enough for any batch of passages.
constexpr std::size_t kBatchBytesMax = std::size_t{32} << 20;

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[sizeof("9999-12-31T23:59:59Z")];
  return std::string(text, std::strftime(text, sizeof(text), "%FT%TZ", &parts));
}

/// What differs between an encoder and that of a recipe, each as "name: expected X, got Y".
Result<std::vector<std::string>> differences(const EmbeddingRecipe& recipe, const BiEncoder& encoder,
                                             const CallOptions& call) {
  const BiEncoderIdentity& expected = recipe.encoder;
  ASSIGN_OR_RETURN(const BiEncoderIdentity got, encoder.identity(call));
  std::vector<std::string> result;
  const auto compare = [&](std::string_view name, const auto& want, const auto& have) {
    if (want != have) result.push_back(fmt::format("{}: expected {}, got {}", name, want, have));
  };
  const auto prompt = [](const BiEncoderIdentity& identity) {
    return identity.prompt_name.empty() ? "the one of each text's role" : fmt::format("{:?}", identity.prompt_name);
  };
  // The same weights are the same model, whatever the folder is called.
  if (expected.weights_hash != got.weights_hash) compare("model", expected.model, got.model);
  compare("weights", expected.weights_hash, got.weights_hash);
  if (!expected.settings.empty()) compare("settings", expected.settings, got.settings);
  compare("pooling", expected.pooling, got.pooling);
  compare("prompt", prompt(expected), prompt(got));
  compare("dimensions", expected.dimensions, got.dimensions);
  compare("max length", expected.max_length, got.max_length);
  if (expected.normalization) {
    compare("normalisation", name_of(*expected.normalization), name_of(*got.normalization));
  } else if (got.normalized()) {
    result.emplace_back("normalisation: expected vectors that do not have length 1");
  }
  const auto compare_prompts = [&](std::string_view name, const std::optional<std::string>& want, TextRole role) {
    if (want) compare(name, fmt::format("{:?}", *want), fmt::format("{:?}", encoder.prompt(role)));
  };
  compare_prompts("query prompt", recipe.query_prompt, TextRole::kQuery);
  compare_prompts("document prompt", recipe.document_prompt, TextRole::kDocument);
  return result;
}

}  // namespace

class CollectionWriter::Impl {
 public:
  Impl(const BiEncoder& encoder, CollectionStoreWriter store, CollectionInfo info, CollectionWriterOptions options)
      : encoder_(encoder), store_(std::move(store)), info_(std::move(info)), options_(std::move(options)) {}

  Status add(const Document& document, const CallOptions& call) {
    if (committed_) return fail(ErrorCode::kInvalidArgument, "the collection was committed already");
    // A batch that could not be embedded is still waiting; so it neither grows nor is forgotten.
    if (batch_is_full()) RETURN_IF_ERROR(embed_batch(call));
    RETURN_IF_ERROR(store_.add_document(document));
    batch_.push_back(info_.recipe.text_of(document));
    if (batch_.size() == 1) batch_first_id_ = document.id;
    batch_bytes_ += batch_.back().size();
    return batch_is_full() ? embed_batch(call) : Status();
  }

  Status add(const Document& document, std::span<const float> vector, const CallOptions& call) {
    if (committed_) return fail(ErrorCode::kInvalidArgument, "the collection was committed already");
    if (vector.size() != encoder_.dimensions()) {
      return fail(ErrorCode::kInvalidArgument, "document {}: a vector of {} dimensions, {} gives {}", document.id,
                  vector.size(), info_.recipe.encoder.model, encoder_.dimensions());
    }
    if (!is_finite(vector)) {
      return fail(ErrorCode::kCorruptData, "document {}: its vector is not finite", document.id);
    }
    // Vectors stand in the order of their documents, so those that wait go first.
    RETURN_IF_ERROR(embed_batch(call));
    RETURN_IF_ERROR(store_.add_document(document));
    return store_.append_vectors({vector.data(), 1, vector.size()});
  }

  Result<CollectionInfo> commit(const CallOptions& call) {
    if (committed_) return fail(ErrorCode::kInvalidArgument, "the collection was committed already");
    RETURN_IF_ERROR(embed_batch(call));
    info_.created = utc_now();
    ASSIGN_OR_RETURN(CollectionInfo info, store_.publish(info_));
    committed_ = true;
    return info;
  }

  std::size_t documents() const { return store_.documents(); }

 private:
  bool batch_is_full() const {
    return batch_.size() >= batch_rows(encoder_.dimensions(), options_.batch_documents) ||
           batch_bytes_ >= kBatchBytesMax;
  }

  Status embed_batch(const CallOptions& call) {
    if (batch_.empty()) return {};
    const std::vector<std::string_view> texts(batch_.begin(), batch_.end());
    const Result<Embeddings> embeddings = encoder_.encode(texts, TextRole::kDocument, without_progress(call));
    if (!embeddings) return fail_in(fmt::format("documents from {} on", batch_first_id_), embeddings.error());
    RETURN_IF_ERROR(store_.append_vectors(embeddings->vectors));
    info_.truncation += embeddings->truncation;
    batch_.clear();
    batch_bytes_ = 0;
    return {};
  }

  BiEncoder encoder_;
  CollectionStoreWriter store_;
  CollectionInfo info_;
  CollectionWriterOptions options_;
  std::vector<std::string> batch_;  // Texts of documents that are stored but not embedded yet.
  std::string batch_first_id_;
  std::size_t batch_bytes_ = 0;
  bool committed_ = false;
};

CollectionWriter::CollectionWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CollectionWriter::CollectionWriter(CollectionWriter&&) noexcept = default;
CollectionWriter& CollectionWriter::operator=(CollectionWriter&&) noexcept = default;
CollectionWriter::~CollectionWriter() = default;

Result<CollectionWriter> CollectionWriter::create(const std::filesystem::path& folder, const BiEncoder& encoder,
                                                  const CollectionWriterOptions& options, const CallOptions& call) {
  if (options.title_separator.size() > kTitleSeparatorBytesMax) {
    return fail(ErrorCode::kInvalidArgument, "the title separator has {} bytes, want at most {}",
                options.title_separator.size(), kTitleSeparatorBytesMax);
  }
  if (!is_utf8(options.title_separator)) {
    return fail(ErrorCode::kInvalidArgument, "the title separator is not UTF-8");
  }
  if (options.batch_documents == 0) return fail(ErrorCode::kInvalidArgument, "batch_documents is 0, want at least 1");
  // The lock first: it costs nothing, while the identity reads every weight.
  ASSIGN_OR_RETURN(CollectionStoreWriter store, CollectionStoreWriter::create(folder, encoder.dimensions()));
  CollectionInfo info;
  ASSIGN_OR_RETURN(info.recipe.encoder, encoder.identity(call));
  info.recipe.precision = encoder.compute().precision;
  info.recipe.title_separator = options.title_separator;
  info.recipe.query_prompt = encoder.prompt(TextRole::kQuery);
  info.recipe.document_prompt = encoder.prompt(TextRole::kDocument);
  const Result<Metric> metric = options.metric ? Result<Metric>(*options.metric) : encoder.metric();
  if (!metric) return tl::unexpected(metric.error());
  info.metric = *metric;
  return CollectionWriter(std::make_unique<Impl>(encoder, std::move(store), std::move(info), options));
}

Status CollectionWriter::add(Document document, const CallOptions& call) { return impl_->add(document, call); }
Status CollectionWriter::add(Document document, std::span<const float> vector, const CallOptions& call) {
  return impl_->add(document, vector, call);
}
Result<CollectionInfo> CollectionWriter::commit(const CallOptions& call) { return impl_->commit(call); }
std::size_t CollectionWriter::documents() const { return impl_->documents(); }

class Collection::Impl {
 public:
  Impl(std::filesystem::path folder, StoredCollection stored, VectorSearch search, const CollectionOptions& options)
      : folder_(std::move(folder)),
        stored_(std::move(stored)),
        search_(std::move(search)),
        executor_(options.executor) {
    std::size_t ordinal = 0;
    for (const VectorFile& segment : stored_.segments) {
      first_ordinals_.push_back(static_cast<std::uint32_t>(ordinal));
      ordinal += segment.rows().count();
    }
    if (options.check_in_background) check_.emplace(rows_of(stored_));
  }

  static std::vector<VectorRows> rows_of(const StoredCollection& stored) {
    std::vector<VectorRows> segments;
    for (const VectorFile& segment : stored.segments) segments.push_back(segment.rows());
    return segments;
  }

  const std::filesystem::path& folder() const { return folder_; }
  const StoredCollection& stored() const { return stored_; }

  Result<std::vector<std::vector<VectorHit>>> search(MatrixView queries, std::size_t top_k,
                                                     const CallOptions& call) const {
    if (const std::size_t dimensions = stored_.info.recipe.encoder.dimensions; queries.columns != dimensions) {
      return fail(ErrorCode::kInvalidArgument, "queries of {} dimensions, {} has {}", queries.columns, folder_.string(),
                  dimensions);
    }
    if (check_) RETURN_IF_ERROR(check_->found());
    Result<std::vector<std::vector<VectorHit>>> hits = search_.search(queries, top_k, executor_, call);
    RETURN_IF_ERROR(check_unchanged());
    if (!hits) return fail_in(folder_.string(), hits.error());
    return hits;
  }

  Status check_unchanged() const {
    for (const VectorFile& segment : stored_.segments) RETURN_IF_ERROR(segment.check_unchanged());
    return {};
  }

  RowId row_of(std::uint32_t ordinal) const {
    const auto after = std::ranges::upper_bound(first_ordinals_, ordinal);
    return {static_cast<std::uint32_t>(after - first_ordinals_.begin() - 1), ordinal - *std::prev(after)};
  }

  std::uint32_t ordinal_of(RowId row) const { return first_ordinals_[row.segment] + row.row; }

  Result<std::vector<Document>> documents(std::span<const RowId> rows) const {
    std::vector<std::uint32_t> ordinals;
    for (const RowId& row : rows) {
      if (row.segment >= stored_.segments.size() || row.row >= stored_.segments[row.segment].rows().count()) {
        return fail(ErrorCode::kNotFound, "{}: there is no row {} of segment {}", folder_.string(), row.row,
                    row.segment);
      }
      ordinals.push_back(ordinal_of(row));
    }
    return stored_.documents.read(ordinals);
  }

 private:
  std::filesystem::path folder_;
  StoredCollection stored_;
  VectorSearch search_;  // Over the mapped vectors, which stay where they are when `stored_` moves.
  Executor executor_;
  std::vector<std::uint32_t> first_ordinals_;  // [segments] Of the first row's document.
  std::optional<BackgroundCheck> check_;
};

Collection::Collection(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Collection::Collection(const Collection&) = default;
Collection& Collection::operator=(const Collection&) = default;
Collection::Collection(Collection&&) noexcept = default;
Collection& Collection::operator=(Collection&&) noexcept = default;
Collection::~Collection() = default;

Result<Collection> Collection::open(const std::filesystem::path& folder, const CollectionOptions& options) {
  ASSIGN_OR_RETURN(StoredCollection stored, StoredCollection::open(folder));
  ASSIGN_OR_RETURN(VectorSearch search, VectorSearch::over(Impl::rows_of(stored), stored.info.metric));
  return Collection(std::make_unique<const Impl>(folder, std::move(stored), std::move(search), options));
}

const CollectionInfo& Collection::info() const { return impl_->stored().info; }
std::size_t Collection::size() const { return info().documents; }
std::size_t Collection::segments() const { return impl_->stored().segments.size(); }
Status Collection::check_unchanged() const { return impl_->check_unchanged(); }

Result<MatrixView> Collection::vectors(std::uint32_t segment) const {
  CHECK(segment < segments());
  const VectorRows rows = impl_->stored().segments[segment].rows();
  ASSIGN_OR_RETURN(const VectorBlock block, rows.read(0, rows.count()));
  return block.f32();
}

Status Collection::check_encoder(const BiEncoder& encoder, const CallOptions& call) const {
  ASSIGN_OR_RETURN(const std::vector<std::string> different, differences(info().recipe, encoder, call));
  if (different.empty()) return {};
  return fail(ErrorCode::kConflict, "{}: made by another encoder, {}; {}", impl_->folder().string(),
              info().recipe.encoder.model, fmt::join(different, "; "));
}

Result<std::vector<std::vector<VectorHit>>> Collection::search(MatrixView queries, std::size_t top_k,
                                                               const CallOptions& call) const {
  return impl_->search(queries, top_k, call);
}

bool Collection::has_checksums() const {
  return std::ranges::all_of(impl_->stored().segments, &VectorFile::has_checksums);
}

RowId Collection::row_at(std::size_t place) const {
  CHECK(place < size());
  return impl_->row_of(static_cast<std::uint32_t>(place));
}

std::size_t Collection::place_of(RowId row) const {
  CHECK(row.segment < segments());
  return impl_->ordinal_of(row);
}

Result<std::optional<RowId>> Collection::find(std::string_view id) const {
  ASSIGN_OR_RETURN(const std::optional<std::uint32_t> ordinal, impl_->stored().documents.find(id));
  return ordinal ? std::optional(impl_->row_of(*ordinal)) : std::nullopt;
}

Result<Document> Collection::document(std::string_view id) const {
  ASSIGN_OR_RETURN(const std::optional<RowId> row, find(id));
  if (!row) return fail(ErrorCode::kNotFound, "{}: no document has the id {:?}", impl_->folder().string(), id);
  ASSIGN_OR_RETURN(std::vector<Document> documents, impl_->documents({&*row, 1}));
  return std::move(documents.front());
}

Result<std::vector<Document>> Collection::documents(std::span<const RowId> rows) const {
  return impl_->documents(rows);
}

Result<std::vector<Document>> Collection::all_documents() const {
  constexpr std::size_t kBatch = 4096;  // Others read documents in between.
  std::vector<Document> all;
  all.reserve(size());
  while (all.size() < size()) {
    std::vector<std::uint32_t> ordinals(std::min(kBatch, size() - all.size()));
    std::iota(ordinals.begin(), ordinals.end(), static_cast<std::uint32_t>(all.size()));
    ASSIGN_OR_RETURN(std::vector<Document> batch, impl_->stored().documents.read(ordinals));
    std::ranges::move(batch, std::back_inserter(all));
  }
  return all;
}

Status Collection::verify(const CallOptions& call) const {
  // So many rows and documents at once: a few MiB of both.
  constexpr std::size_t kBatch = 1024;
  std::size_t done = 0;
  for (std::uint32_t segment = 0; segment < segments(); ++segment) {
    const VectorRows rows = impl_->stored().segments[segment].rows();
    for (std::size_t first = 0; first < rows.count(); first += kBatch) {
      const std::size_t count = std::min(kBatch, rows.count() - first);
      ASSIGN_OR_RETURN(const VectorBlock block, rows.read(first, count));
      for (std::size_t row = 0; row < count; ++row) {
        if (is_finite(block.f32().row(row))) continue;
        return fail(ErrorCode::kCorruptData, "{}: the vector of row {} of segment {} is not finite",
                    impl_->folder().string(), first + row, segment);
      }
      std::vector<std::uint32_t> ordinals(count);
      std::iota(ordinals.begin(), ordinals.end(), impl_->ordinal_of({segment, static_cast<std::uint32_t>(first)}));
      RETURN_IF_ERROR(impl_->stored().documents.verify(ordinals));
      done += count;
      if (call.progress) call.progress({.what = "verifying", .unit = "documents", .done = done, .total = size()});
      RETURN_IF_ERROR(check_call(call));
    }
  }
  return check_unchanged();
}

}  // namespace tandem
