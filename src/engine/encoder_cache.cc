#include "tandem/encoder_cache.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/stopwatch.h"
#include "base/string_map.h"
#include "store/value_store.h"

namespace tandem {
namespace {

// What is computed between two writes, and lost by an interrupt: a second or two of work. The threads wait for each
// other only in between.
constexpr std::size_t kBatch = 256;

constexpr std::size_t kScoreColumns = 1;  // A cache keeps the scores of models with one label.

/// The hash of a list of texts. Each is preceded by its length, so that no two lists look alike.
class KeyHasher {
 public:
  KeyHasher& add(std::string_view text) {
    hasher_.update(std::to_string(text.size()) + ':');
    hasher_.update(text);
    return *this;
  }
  KeyHasher& add(std::size_t number) { return add(std::to_string(number)); }
  KeyHasher& add(const ComputeInfo& compute) {
    return add(name_of(compute.precision)).add(compute.isa).add(compute.threads);
  }
  std::string finish() { return hasher_.finish(); }

 private:
  Hasher hasher_{HashKind::kSha256};
};

Result<std::string> key_of(const BiEncoder& encoder, TextRole role, const CallOptions& call) {
  ASSIGN_OR_RETURN(const BiEncoderIdentity identity, encoder.identity(call));
  return KeyHasher()
      .add("bi-encoder")
      .add(identity.weights_hash)
      .add(identity.settings)
      .add(identity.pooling)
      .add(encoder.prompt(role))
      .add(identity.dimensions)
      .add(identity.max_length)
      .add(name_of(*identity.normalization))
      .add(encoder.compute())
      .finish();
}

Result<std::string> key_of(const CrossEncoder& encoder, const CallOptions& call) {
  ASSIGN_OR_RETURN(const CrossEncoderIdentity identity, encoder.identity(call));
  return KeyHasher()
      .add("cross-encoder")
      .add(identity.weights_hash)
      .add(identity.settings)
      .add(identity.max_length)
      .add(name_of(identity.activation))
      .add(encoder.compute())
      .finish();
}

Result<std::vector<std::string>> keys_of(const CrossEncoder& encoder, std::span<const TextPair> pairs,
                                         const CallOptions& call) {
  ASSIGN_OR_RETURN(const std::string encoder_key, key_of(encoder, call));
  std::vector<std::string> keys;
  for (const TextPair& pair : pairs) {
    keys.push_back(KeyHasher().add(encoder_key).add(pair.query).add(pair.document).finish());
  }
  return keys;
}

/// What a batch of computing gave.
struct Computed {
  Matrix rows;
  Truncation truncation;
};

}  // namespace

class EncoderCache::Impl {
 public:
  explicit Impl(ValueStore store) : store_(std::move(store)) {}

  /// What is asked for, and how to compute what the store lacks.
  struct Request {
    std::vector<std::string> keys;  ///< [inputs]
    std::size_t columns = 0;        ///< Numbers of a value.
    /// Computes the inputs with these places.
    std::function<Result<Computed>(std::span<const std::size_t> places, const CallOptions& call)> compute;
    std::uint64_t CacheCounts::*computed = nullptr;
    std::uint64_t CacheCounts::*reused = nullptr;
    Progress progress;  ///< What is being done, in which unit.
  };
  struct Answer {
    Matrix rows;  ///< [inputs, columns]
    std::vector<double> cost_ms;
    Truncation truncation;
  };

  Result<Answer> answer(const Request& request, const CallOptions& call) {
    // Equal inputs have equal keys: the first of them stands for all.
    StringMap<std::size_t> number_of_key;
    std::vector<std::string> keys;
    std::vector<std::size_t> places;   // [keys] where the first such input is.
    std::vector<std::size_t> numbers;  // [inputs] into `keys`.
    for (std::size_t place = 0; place < request.keys.size(); ++place) {
      const auto [found, is_new] = number_of_key.try_emplace(request.keys[place], keys.size());
      numbers.push_back(found->second);
      if (!is_new) continue;
      keys.push_back(request.keys[place]);
      places.push_back(place);
    }
    ASSIGN_OR_RETURN(std::vector<std::optional<StoredValue>> values, store_.find(keys, request.columns));
    std::vector<std::size_t> missing;
    for (std::size_t number = 0; number < keys.size(); ++number) {
      if (!values[number]) missing.push_back(number);
    }
    Answer result{.rows = Matrix(numbers.size(), request.columns), .cost_ms = {}, .truncation = {}};
    const std::size_t batch_size = batch_rows(request.columns, kBatch);
    for (std::size_t begin = 0; begin < missing.size(); begin += batch_size) {
      const std::span<const std::size_t> batch =
          std::span(missing).subspan(begin, std::min(batch_size, missing.size() - begin));
      RETURN_IF_ERROR(compute(request, batch, places, keys, values, result.truncation,
                              call_from(request.progress, begin, missing.size(), call)));
    }
    counts_.*request.computed += missing.size();
    counts_.*request.reused += numbers.size() - missing.size();
    for (std::size_t place = 0; place < numbers.size(); ++place) {
      const StoredValue& value = *values[numbers[place]];
      std::ranges::copy(value.numbers, result.rows.row(place).begin());
      result.cost_ms.push_back(value.cost_ms);
    }
    return result;
  }

  Result<std::size_t> count_missing(std::span<const std::string> keys, std::size_t columns) const {
    ASSIGN_OR_RETURN(const auto values, store_.find(keys, columns));
    return static_cast<std::size_t>(std::ranges::count_if(values, [](const auto& value) { return !value; }));
  }

  const CacheCounts& counts() const { return counts_; }

 private:
  /// Computes and stores the values with the numbers of `batch`.
  Status compute(const Request& request, std::span<const std::size_t> batch, std::span<const std::size_t> places,
                 std::span<const std::string> keys, std::span<std::optional<StoredValue>> values,
                 Truncation& truncation, const CallOptions& call) {
    std::vector<std::size_t> batch_places;
    for (const std::size_t number : batch) batch_places.push_back(places[number]);
    const Stopwatch stopwatch;
    ASSIGN_OR_RETURN(const Computed computed, request.compute(batch_places, call));
    const double elapsed_ms = stopwatch.milliseconds();
    truncation += computed.truncation;
    std::vector<std::string> new_keys;
    std::vector<StoredValue> new_values;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::span<const float> row = computed.rows.row(i);
      new_keys.push_back(keys[batch[i]]);
      new_values.push_back(
          {.numbers = {row.begin(), row.end()}, .cost_ms = elapsed_ms / static_cast<double>(batch.size())});
    }
    RETURN_IF_ERROR(store_.add(new_keys, new_values));
    for (std::size_t i = 0; i < batch.size(); ++i) values[batch[i]] = std::move(new_values[i]);
    return {};
  }

  /// The call, to which a batch's progress is that of the whole.
  static CallOptions call_from(const Progress& kind, std::size_t begin, std::size_t total, const CallOptions& whole) {
    CallOptions call = whole;
    if (call.progress) {
      call.progress = [kind, begin, total, &whole](const Progress& batch) {
        whole.progress({.what = kind.what, .unit = kind.unit, .done = begin + batch.done, .total = total});
      };
    }
    return call;
  }

  ValueStore store_;
  CacheCounts counts_;
};

EncoderCache::EncoderCache(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EncoderCache::EncoderCache(EncoderCache&&) noexcept = default;
EncoderCache& EncoderCache::operator=(EncoderCache&&) noexcept = default;
EncoderCache::~EncoderCache() = default;

Result<EncoderCache> EncoderCache::open(const std::filesystem::path& file) {
  ASSIGN_OR_RETURN(ValueStore store, ValueStore::open(file));
  return EncoderCache(std::make_unique<Impl>(std::move(store)));
}

Result<EncoderCache> EncoderCache::in_memory() {
  ASSIGN_OR_RETURN(ValueStore store, ValueStore::in_memory());
  return EncoderCache(std::make_unique<Impl>(std::move(store)));
}

Result<CachedEmbeddings> EncoderCache::encode(const BiEncoder& encoder, std::span<const std::string_view> texts,
                                              TextRole role, const CallOptions& call) {
  ASSIGN_OR_RETURN(const std::string encoder_key, key_of(encoder, role, call));
  Impl::Request request{.keys = {},
                        .columns = encoder.dimensions(),
                        .compute = {},
                        .computed = &CacheCounts::texts_computed,
                        .reused = &CacheCounts::texts_reused,
                        .progress = {.what = "encoding", .unit = "texts"}};
  for (const std::string_view text : texts) request.keys.push_back(KeyHasher().add(encoder_key).add(text).finish());
  request.compute = [&](std::span<const std::size_t> places, const CallOptions& batch_call) -> Result<Computed> {
    std::vector<std::string_view> batch;
    for (const std::size_t place : places) batch.push_back(texts[place]);
    ASSIGN_OR_RETURN(Embeddings embeddings, encoder.encode(batch, role, batch_call));
    return Computed{.rows = std::move(embeddings.vectors), .truncation = embeddings.truncation};
  };
  ASSIGN_OR_RETURN(Impl::Answer answer, impl_->answer(request, call));
  return CachedEmbeddings{
      .vectors = std::move(answer.rows), .cost_ms = std::move(answer.cost_ms), .truncation = answer.truncation};
}

Result<CachedScores> EncoderCache::predict(const CrossEncoder& encoder, std::span<const TextPair> pairs,
                                           const CallOptions& call) {
  if (encoder.labels().size() != 1) {
    return fail(ErrorCode::kInvalidArgument, "{}: a cache keeps the scores of models with one label, this one has {}",
                encoder.model(), encoder.labels().size());
  }
  ASSIGN_OR_RETURN(std::vector<std::string> keys, keys_of(encoder, pairs, call));
  Impl::Request request{.keys = std::move(keys),
                        .columns = kScoreColumns,
                        .compute = {},
                        .computed = &CacheCounts::pairs_computed,
                        .reused = &CacheCounts::pairs_reused,
                        .progress = {.what = "scoring", .unit = "pairs"}};
  request.compute = [&](std::span<const std::size_t> places, const CallOptions& batch_call) -> Result<Computed> {
    std::vector<TextPair> batch;
    for (const std::size_t place : places) batch.push_back(pairs[place]);
    ASSIGN_OR_RETURN(PairScores predicted, encoder.predict(batch, batch_call));
    return Computed{.rows = std::move(predicted.scores), .truncation = predicted.truncation};
  };
  ASSIGN_OR_RETURN(Impl::Answer answer, impl_->answer(request, call));
  const std::span<const float> scores(answer.rows.data(), answer.rows.rows());
  return CachedScores{
      .scores = {scores.begin(), scores.end()}, .cost_ms = std::move(answer.cost_ms), .truncation = answer.truncation};
}

Result<std::size_t> EncoderCache::count_missing(const CrossEncoder& encoder, std::span<const TextPair> pairs,
                                                const CallOptions& call) const {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys, keys_of(encoder, pairs, call));
  return impl_->count_missing(keys, kScoreColumns);
}

CacheCounts EncoderCache::counts() const { return impl_->counts(); }

}  // namespace tandem
