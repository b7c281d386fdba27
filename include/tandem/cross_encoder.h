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

#include "tandem/call.h"
#include "tandem/choices.h"
#include "tandem/compute.h"
#include "tandem/export.h"
#include "tandem/matrix.h"
#include "tandem/model_identity.h"
#include "tandem/result.h"

namespace tandem {

struct CrossEncoderOptions {
  ComputeOptions compute = {};
  std::optional<std::size_t> max_length = {};  ///< Tokens per pair; default: what the folder says.
  Activation activation = Activation::kAuto;
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
TANDEM_EXPORT std::vector<float> fuse_scores(std::span<const float> scores, std::span<const float> initial,
                                             float alpha);

/// Gives blank texts one final score below all others, so that they stand last however they were scored: what a model
/// says of a text that has nothing in it is as good as chance, and often high for short queries. `blank`: one for each
/// score.
TANDEM_EXPORT void rank_blank_last(std::span<float> final_scores, const std::vector<bool>& blank);

/// Immutable; copies are cheap and share it. Every method may be called from many threads at once; their batches take
/// turns on the executor. Reference: CrossEncoder.predict and CrossEncoder.rank of sentence-transformers.
class TANDEM_EXPORT CrossEncoder {
 public:
  /// Opens a Hugging Face model folder. Errors: kNotFound, kCorruptData, kUnsupported, kInvalidArgument.
  /// Errors, here and below, also those of `call`.
  static Result<CrossEncoder> open(const std::filesystem::path& folder, const CrossEncoderOptions& options = {},
                                   const CallOptions& call = {});

  /// Scores pairs of any queries; pairs of several queries share batches.
  Result<PairScores> predict(std::span<const TextPair> pairs, const CallOptions& call = {}) const;

  /// Whether the tokenizer leaves nothing of a text: white space, control characters.
  bool is_blank(std::string_view text) const;

  /// Ranks documents for one query, blank ones last: see rank_blank_last(). Errors: kInvalidArgument for a model with
  /// several labels, a wrong number of initial scores or an alpha outside [0, 1].
  Result<Ranking> rank(std::string_view query, std::span<const std::string_view> documents,
                       const RankOptions& options = {}, const CallOptions& call = {}) const;

  /// Names of the labels, from id2label; one element for a relevance model.
  const std::vector<std::string>& labels() const;
  const std::string& model() const;  ///< The Hugging Face id, or the folder's name.
  Activation activation() const;     ///< Of its scores; never kAuto.
  /// The first call reads every weight file.
  Result<CrossEncoderIdentity> identity(const CallOptions& call = {}) const;
  const ComputeInfo& compute() const;
  const Executor& executor() const;

  CrossEncoder(const CrossEncoder&);
  CrossEncoder& operator=(const CrossEncoder&);
  CrossEncoder(CrossEncoder&&) noexcept;
  CrossEncoder& operator=(CrossEncoder&&) noexcept;
  ~CrossEncoder();

 private:
  class Impl;
  explicit CrossEncoder(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace tandem
