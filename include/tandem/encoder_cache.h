// What encoders have computed, kept so that no text is encoded and no pair is scored twice.
//
//   auto cache = tandem::EncoderCache::open("scores.cache");        // or in_memory()
//   auto embeddings = cache->encode(*bi_encoder, texts, tandem::TextRole::kDocument);
//   cache->counts().texts_computed;
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tandem/bi_encoder.h"
#include "tandem/call.h"
#include "tandem/cross_encoder.h"
#include "tandem/export.h"
#include "tandem/matrix.h"
#include "tandem/result.h"

namespace tandem {

struct CachedEmbeddings {
  Matrix vectors;               ///< [texts, dimensions], in the order of the texts.
  std::vector<double> cost_ms;  ///< [texts]: wall-clock time of the batch that computed it, divided by its texts.
  Truncation truncation;        ///< Of what was computed by this call.
};

struct CachedScores {
  std::vector<float> scores;    ///< [pairs], in the order of the pairs.
  std::vector<double> cost_ms;  ///< [pairs]: wall-clock time of the batch that computed it, divided by its pairs.
  Truncation truncation;        ///< Of what was computed by this call.
};

/// How much was computed since the cache was opened, and how much was there already. A text that a call names twice is
/// computed once and reused once.
struct CacheCounts {
  std::uint64_t texts_computed = 0;
  std::uint64_t texts_reused = 0;
  std::uint64_t pairs_computed = 0;
  std::uint64_t pairs_reused = 0;
};

/// Values are kept under everything that decides them: the weights, lengths, pooling, prompts and role, or the
/// activation; the precision, the instruction set and, for their cost's sake, the number of threads; then the texts
/// themselves. They are written batch by batch as they come, so that interrupted work goes on where it stopped, and
/// even a crash leaves a file that can be used. Not thread-safe. Several processes may share a file; what one has
/// written, the others find.
class TANDEM_EXPORT EncoderCache {
 public:
  /// Opens a cache file, made where there is none. Errors: kCorruptData for a file that is something else, kPermission,
  /// kNoSpace, kIo; here and below, kConflict when another process has kept the file locked for ten seconds.
  static Result<EncoderCache> open(const std::filesystem::path& file);
  /// One that ends with the process.
  static Result<EncoderCache> in_memory();

  /// As BiEncoder::encode(), with the same bits; equal texts are encoded once. Errors: those of encoding, of reading
  /// and of writing; kCorruptData for a vector in the file that has another length.
  Result<CachedEmbeddings> encode(const BiEncoder& encoder, std::span<const std::string_view> texts, TextRole role,
                                  const CallOptions& call = {});

  /// As CrossEncoder::predict() for a model with one label, with the same bits; equal pairs are scored once. Errors:
  /// kInvalidArgument for several labels, else as encode().
  Result<CachedScores> predict(const CrossEncoder& encoder, std::span<const TextPair> pairs,
                               const CallOptions& call = {});

  /// How many of the pairs predict() would have to score. Errors: those of reading.
  Result<std::size_t> count_missing(const CrossEncoder& encoder, std::span<const TextPair> pairs,
                                    const CallOptions& call = {}) const;

  CacheCounts counts() const;

  EncoderCache(EncoderCache&&) noexcept;
  EncoderCache& operator=(EncoderCache&&) noexcept;
  ~EncoderCache();

 private:
  class Impl;
  explicit EncoderCache(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem
