// The cross-encoder: query and document in, one score out. Reads both together, so it ranks better and costs more.
//
//   auto model = tandem::CrossEncoder::open("models/ms-marco-MiniLM-L-12-v2");
//   auto ranking = model->rank("How many people live in Berlin?", documents, {.top_k = 3});
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/compute.h"
#include "tandem/matrix.h"
#include "tandem/progress.h"
#include "tandem/result.h"

namespace tandem {

/// What is applied to the logits, always in f32.
enum class Activation {
  kAuto,  ///< What the folder declares; else sigmoid for one label, none for several.
  kNone,  ///< Raw logits.
  kSigmoid,
  kSoftmax,  ///< Over the labels.
};

struct CrossEncoderOptions {
  ComputeOptions compute = {};
  std::optional<std::size_t> max_length = {};  ///< Tokens per pair; default: what the folder says.
  Activation activation = Activation::kAuto;
};

/// Everything about a cross-encoder but its arithmetic that decides what its scores are.
struct CrossEncoderIdentity {
  std::string model;         ///< The Hugging Face id, or the folder's name where none is recorded.
  std::string weights_hash;  ///< "sha256:…" over the weight files and the tokenizer.
  std::size_t max_length = 0;
  Activation activation = Activation::kNone;  ///< Never kAuto.
};

struct TextPair {
  std::string_view query;
  std::string_view document;
};

struct PairScores {
  Matrix scores;  ///< [pairs, labels], in the order of the pairs.
  Truncation truncation;
};

struct RankOptions {
  std::optional<std::size_t> top_k = {};  ///< Default: all.
  /// One first-stage score per document: the final score is then
  /// alpha · cross_encoder_score + (1 − alpha) · minmax(initial_scores). Equal initial scores are taken as they are.
  std::span<const float> initial_scores = {};
  float alpha = 0.7F;
};

struct RankedDocument {
  std::size_t index = 0;  ///< Into the documents given.
  float cross_encoder_score = 0;
  float final_score = 0;  ///< The cross-encoder score where no initial scores were given.
};

struct Ranking {
  std::vector<RankedDocument> documents;  ///< Best first; ties in the order given.
  Truncation truncation;
};

/// `alpha · scores + (1 − alpha) · minmax(initial)`, element by element, both of one length; see RankOptions.
std::vector<float> fuse_scores(std::span<const float> scores, std::span<const float> initial, float alpha);

/// Immutable: every method may be called from many threads at once; calls share the encoder's threads.
/// Reference: CrossEncoder.predict and CrossEncoder.rank of sentence-transformers.
class CrossEncoder {
 public:
  /// Opens a Hugging Face model folder. Errors: kNotFound, kCorruptData, kUnsupported, kInvalidArgument.
  static Result<CrossEncoder> open(const std::filesystem::path& folder, const CrossEncoderOptions& options = {});

  /// Scores pairs of any queries; pairs of several queries share batches.
  Result<PairScores> predict(std::span<const TextPair> pairs, const ProgressCallback& progress = {}) const;

  /// Ranks documents for one query. Errors: kInvalidArgument for a model with several labels, a wrong number of
  /// initial scores or an alpha outside [0, 1].
  Result<Ranking> rank(std::string_view query, std::span<const std::string_view> documents,
                       const RankOptions& options = {}) const;

  /// Names of the labels, from id2label; one element for a relevance model.
  const std::vector<std::string>& labels() const;
  const std::string& model() const;  ///< The Hugging Face id, or the folder's name.
  /// The first call reads every weight file.
  Result<CrossEncoderIdentity> identity() const;
  const ComputeInfo& compute() const;

  CrossEncoder(CrossEncoder&&) noexcept;
  CrossEncoder& operator=(CrossEncoder&&) noexcept;
  ~CrossEncoder();

 private:
  class Impl;
  explicit CrossEncoder(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace tandem
