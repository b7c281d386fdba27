#include "tandem/cross_encoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "engine/text_encoder.h"
#include "model/head.h"

namespace tandem {

std::vector<float> fuse_scores(std::span<const float> scores, std::span<const float> initial, float alpha) {
  CHECK(scores.size() == initial.size());
  std::vector<float> fused(scores.size());
  if (scores.empty()) return fused;
  const auto [lowest, highest] = std::ranges::minmax(initial);
  // In double, where the range of two f32 cannot overflow.
  const double range = static_cast<double>(highest) - lowest;
  for (std::size_t i = 0; i < fused.size(); ++i) {
    const float scaled =
        range > 0 ? static_cast<float>((static_cast<double>(initial[i]) - lowest) / range) : initial[i];
    fused[i] = alpha * scores[i] + (1.0F - alpha) * scaled;
  }
  return fused;
}

void rank_blank_last(std::span<float> final_scores, const std::vector<bool>& blank) {
  CHECK(final_scores.size() == blank.size());
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  float lowest = kInfinity;
  float lowest_blank = kInfinity;
  for (std::size_t i = 0; i < blank.size(); ++i) {
    float& its = blank[i] ? lowest_blank : lowest;
    its = std::min(its, final_scores[i]);
  }
  const float last = std::min(std::nextafter(lowest, -kInfinity), lowest_blank);
  for (std::size_t i = 0; i < blank.size(); ++i) {
    if (blank[i]) final_scores[i] = last;
  }
}

class CrossEncoder::Impl {
 public:
  TextEncoder encoder;
  Activation activation;
};

CrossEncoder::CrossEncoder(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
CrossEncoder::CrossEncoder(const CrossEncoder&) = default;
CrossEncoder& CrossEncoder::operator=(const CrossEncoder&) = default;
CrossEncoder::CrossEncoder(CrossEncoder&&) noexcept = default;
CrossEncoder& CrossEncoder::operator=(CrossEncoder&&) noexcept = default;
CrossEncoder::~CrossEncoder() = default;

Result<CrossEncoder> CrossEncoder::open(const std::filesystem::path& folder, const CrossEncoderOptions& options,
                                        const CallOptions& call) {
  ASSIGN_OR_RETURN(
      ModelParts parts,
      open_model(folder, {.task = ModelTask::kClassify, .compute = options.compute, .max_length = options.max_length},
                 call));
  ASSIGN_OR_RETURN(Head head, Head::load(parts.config, parts.spec, *parts.sources, *parts.kernels, options.activation));
  const Activation activation = head.activation();
  ASSIGN_OR_RETURN(TextEncoder encoder, TextEncoder::load(std::move(parts), std::move(head), call));
  return CrossEncoder(std::unique_ptr<const Impl>(new Impl{std::move(encoder), activation}));
}

Result<PairScores> CrossEncoder::predict(std::span<const TextPair> pairs, const CallOptions& call) const {
  std::string_view prompt;
  const ModelConfig& config = impl_->encoder.config();
  if (config.default_prompt_name) prompt = config.prompts.at(*config.default_prompt_name);
  std::vector<TextInput> inputs(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    inputs[i] = {.first = pairs[i].query, .second = pairs[i].document, .prompt = prompt};
  }
  ASSIGN_OR_RETURN(EncodedTexts encoded, impl_->encoder.encode(inputs, {}, call));
  PairScores result{.scores = std::move(encoded.rows), .truncation = encoded.truncation};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    for (const float score : result.scores.row(i)) {
      if (std::isfinite(score)) continue;
      return fail(ErrorCode::kCorruptData,
                  "pair {}: {} gives the score {}, want a finite one: are its weights damaged?", i + 1, model(), score);
    }
  }
  return result;
}

Result<Ranking> CrossEncoder::rank(std::string_view query, std::span<const std::string_view> documents,
                                   const RankOptions& options, const CallOptions& call) const {
  if (labels().size() != 1) {
    return fail(ErrorCode::kInvalidArgument, "{}: ranking needs a model with one label, this one has {}", model(),
                labels().size());
  }
  const bool fuses = !options.initial_scores.empty();
  if (fuses && options.initial_scores.size() != documents.size()) {
    return fail(ErrorCode::kInvalidArgument, "initial_scores has {} scores for {} documents",
                options.initial_scores.size(), documents.size());
  }
  const auto wrong = std::ranges::find_if(options.initial_scores, [](float score) { return !std::isfinite(score); });
  if (wrong != options.initial_scores.end()) {
    return fail(ErrorCode::kInvalidArgument, "initial_scores: document {} has {}, want a finite number",
                wrong - options.initial_scores.begin() + 1, *wrong);
  }
  if (!(options.alpha >= 0.0F && options.alpha <= 1.0F)) {
    return fail(ErrorCode::kInvalidArgument, "alpha is {}, want 0 to 1", options.alpha);
  }
  std::vector<TextPair> pairs(documents.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {query, documents[i]};
  ASSIGN_OR_RETURN(const PairScores predicted, predict(pairs, call));
  const std::span<const float> scores(predicted.scores.data(), documents.size());
  std::vector<float> fused = fuses ? fuse_scores(scores, options.initial_scores, options.alpha)
                                   : std::vector<float>(scores.begin(), scores.end());
  std::vector<bool> blank;
  for (const std::string_view document : documents) blank.push_back(is_blank(document));
  rank_blank_last(fused, blank);

  Ranking ranking{.documents = {}, .truncation = predicted.truncation};
  std::vector<std::size_t> order(documents.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return fused[a] > fused[b]; });
  order.resize(std::min(order.size(), options.top_k.value_or(order.size())));
  for (const std::size_t index : order) {
    ranking.documents.push_back({.index = index, .cross_encoder_score = scores[index], .final_score = fused[index]});
  }
  return ranking;
}

bool CrossEncoder::is_blank(std::string_view text) const { return impl_->encoder.is_blank(text); }

const std::vector<std::string>& CrossEncoder::labels() const { return impl_->encoder.config().transformer.labels; }
const std::string& CrossEncoder::model() const { return impl_->encoder.config().name; }
Activation CrossEncoder::activation() const { return impl_->activation; }
const Executor& CrossEncoder::executor() const { return impl_->encoder.executor(); }
Result<CrossEncoderIdentity> CrossEncoder::identity(const CallOptions& call) const {
  ASSIGN_OR_RETURN(std::string weights_hash, impl_->encoder.weights_hash(call));
  return CrossEncoderIdentity{.model = model(),
                              .weights_hash = std::move(weights_hash),
                              .settings = impl_->encoder.settings(),
                              .max_length = impl_->encoder.max_length(),
                              .activation = impl_->activation};
}

const ComputeInfo& CrossEncoder::compute() const { return impl_->encoder.compute(); }

}  // namespace tandem
