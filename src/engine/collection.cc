// Joins the encoder, which knows texts, with the store, which knows vectors.
#include "tandem/collection.h"

#include <fmt/ranges.h>

#include <ctime>
#include <utility>

#include "base/error.h"
#include "base/finite.h"
#include "engine/vector_search.h"
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

/// What differs between two encoders, each as "name: expected X, got Y".
std::vector<std::string> differences(const BiEncoderIdentity& expected, const BiEncoderIdentity& got) {
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
  compare("pooling", expected.pooling, got.pooling);
  compare("prompt", prompt(expected), prompt(got));
  compare("dimensions", expected.dimensions, got.dimensions);
  compare("max length", expected.max_length, got.max_length);
  compare("normalised", expected.normalized, got.normalized);
  return result;
}

}  // namespace

class CollectionWriter::Impl {
 public:
  Impl(const BiEncoder& encoder, CollectionStoreWriter store, CollectionInfo info, CollectionWriterOptions options)
      : encoder_(encoder), store_(std::move(store)), info_(std::move(info)), options_(std::move(options)) {}

  Status add(const Document& document) {
    if (committed_) return fail(ErrorCode::kInvalidArgument, "the collection was committed already");
    // A batch that could not be embedded is still waiting; so it neither grows nor is forgotten.
    if (batch_is_full()) RETURN_IF_ERROR(embed_batch());
    RETURN_IF_ERROR(store_.add_document(document));
    batch_.push_back(document.full_text(options_.title_separator));
    if (batch_.size() == 1) batch_first_id_ = document.id;
    batch_bytes_ += batch_.back().size();
    return batch_is_full() ? embed_batch() : Status();
  }

  Status add(const Document& document, std::span<const float> vector) {
    if (committed_) return fail(ErrorCode::kInvalidArgument, "the collection was committed already");
    if (vector.size() != encoder_.dimensions()) {
      return fail(ErrorCode::kInvalidArgument, "document {}: a vector of {} dimensions, {} gives {}", document.id,
                  vector.size(), info_.encoder.model, encoder_.dimensions());
    }
    if (!is_finite(vector)) {
      return fail(ErrorCode::kCorruptData, "document {}: its vector is not finite", document.id);
    }
    // Vectors stand in the order of their documents, so those that wait go first.
    RETURN_IF_ERROR(embed_batch());
    RETURN_IF_ERROR(store_.add_document(document));
    return store_.append_vectors({vector.data(), 1, vector.size()});
  }

  Result<CollectionInfo> commit() {
    if (committed_) return fail(ErrorCode::kInvalidArgument, "the collection was committed already");
    RETURN_IF_ERROR(embed_batch());
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

  Status embed_batch() {
    if (batch_.empty()) return {};
    const std::vector<std::string_view> texts(batch_.begin(), batch_.end());
    const Result<Embeddings> embeddings = encoder_.encode(texts, TextRole::kDocument);
    if (!embeddings) return fail_in(fmt::format("documents from {} on", batch_first_id_), embeddings.error());
    RETURN_IF_ERROR(store_.append_vectors(embeddings->vectors));
    info_.truncation += embeddings->truncation;
    batch_.clear();
    batch_bytes_ = 0;
    return {};
  }

  const BiEncoder& encoder_;
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
                                                  const CollectionWriterOptions& options) {
  if (options.batch_documents == 0) return fail(ErrorCode::kInvalidArgument, "batch_documents is 0, want at least 1");
  // The lock first: it costs nothing, while the identity reads every weight.
  ASSIGN_OR_RETURN(CollectionStoreWriter store, CollectionStoreWriter::create(folder, encoder.dimensions()));
  CollectionInfo info;
  ASSIGN_OR_RETURN(info.encoder, encoder.identity());
  info.metric = options.metric.value_or(info.encoder.normalized ? Metric::kInnerProduct : Metric::kL2);
  return CollectionWriter(std::make_unique<Impl>(encoder, std::move(store), std::move(info), options));
}

Status CollectionWriter::add(Document document) { return impl_->add(document); }
Status CollectionWriter::add(Document document, std::span<const float> vector) { return impl_->add(document, vector); }
Result<CollectionInfo> CollectionWriter::commit() { return impl_->commit(); }
std::size_t CollectionWriter::documents() const { return impl_->documents(); }

class Collection::Impl {
 public:
  Impl(std::filesystem::path folder, StoredCollection stored, VectorSearch search)
      : folder_(std::move(folder)), stored_(std::move(stored)), search_(std::move(search)) {}

  const std::filesystem::path& folder() const { return folder_; }
  const StoredCollection& stored() const { return stored_; }

  Result<std::vector<std::vector<VectorHit>>> search(MatrixView queries, std::size_t top_k, std::size_t threads) const {
    const MatrixView vectors = stored_.vectors.vectors();
    if (queries.columns != vectors.columns) {
      return fail(ErrorCode::kInvalidArgument, "queries of {} dimensions, {} has {}", queries.columns, folder_.string(),
                  vectors.columns);
    }
    Result<std::vector<std::vector<VectorHit>>> hits = search_.search(queries, top_k, threads);
    RETURN_IF_ERROR(stored_.vectors.check_unchanged());
    if (!hits) return fail_in(folder_.string(), hits.error());
    return hits;
  }

 private:
  std::filesystem::path folder_;
  StoredCollection stored_;
  VectorSearch search_;  // Over the mapped vectors, which stay where they are when `stored_` moves.
};

Collection::Collection(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Collection::Collection(Collection&&) noexcept = default;
Collection& Collection::operator=(Collection&&) noexcept = default;
Collection::~Collection() = default;

Result<Collection> Collection::open(const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(StoredCollection stored, StoredCollection::open(folder));
  ASSIGN_OR_RETURN(VectorSearch search, VectorSearch::over(stored.vectors.vectors(), stored.info.metric));
  RETURN_IF_ERROR(stored.vectors.check_unchanged());  // The search has read them all for some metrics.
  return Collection(std::make_unique<const Impl>(folder, std::move(stored), std::move(search)));
}

const CollectionInfo& Collection::info() const { return impl_->stored().info; }
std::size_t Collection::size() const { return info().documents; }
MatrixView Collection::vectors() const { return impl_->stored().vectors.vectors(); }
Status Collection::check_unchanged() const { return impl_->stored().vectors.check_unchanged(); }

Status Collection::check_encoder(const BiEncoder& encoder) const {
  ASSIGN_OR_RETURN(const BiEncoderIdentity identity, encoder.identity());
  const std::vector<std::string> different = differences(info().encoder, identity);
  if (different.empty()) return {};
  return fail(ErrorCode::kConflict, "{}: made by another encoder, {}; {}", impl_->folder().string(),
              info().encoder.model, fmt::join(different, "; "));
}

Result<std::vector<std::vector<VectorHit>>> Collection::search(MatrixView queries, std::size_t top_k,
                                                               std::size_t threads) const {
  return impl_->search(queries, top_k, threads);
}

Result<Document> Collection::document(std::uint32_t ordinal) const {
  ASSIGN_OR_RETURN(std::vector<Document> documents, impl_->stored().documents.read({&ordinal, 1}));
  return std::move(documents.front());
}

Result<std::vector<Document>> Collection::documents(std::span<const std::uint32_t> ordinals) const {
  return impl_->stored().documents.read(ordinals);
}

}  // namespace tandem
