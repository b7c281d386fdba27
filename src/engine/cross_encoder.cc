#include "tandem/cross_encoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "engine/text_encoder.h"
#include "model/linear.h"
#include "model/weights.h"

namespace tandem {
namespace {

/// kAuto resolved: the caller's wish, else what the folder declares, else the rule of sentence-transformers.
Result<Activation> choose_activation(Activation wanted, const TransformerConfig& config) {
  if (wanted != Activation::kAuto) return wanted;
  if (!config.cross_encoder_activation) return config.labels.size() == 1 ? Activation::kSigmoid : Activation::kNone;
  const std::string& declared = *config.cross_encoder_activation;
  if (declared.ends_with(".Identity")) return Activation::kNone;
  if (declared.ends_with(".Sigmoid")) return Activation::kSigmoid;
  if (declared.ends_with(".Softmax")) return Activation::kSoftmax;
  return fail(ErrorCode::kUnsupported,
              "config.json: activation '{}' is not supported, want Identity, Sigmoid or Softmax", declared);
}

void activate(Activation activation, std::span<float> logits) {
  switch (activation) {
    case Activation::kAuto:
    case Activation::kNone:
      return;
    case Activation::kSigmoid:
      for (float& logit : logits) logit = 1.0F / (1.0F + std::exp(-logit));
      return;
    case Activation::kSoftmax: {
      const float largest = std::ranges::max(logits);
      float sum = 0;
      for (float& logit : logits) {
        logit = std::exp(logit - largest);
        sum += logit;
      }
      for (float& logit : logits) logit /= sum;
      return;
    }
  }
}

}  // namespace

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

class CrossEncoder::Impl {
 public:
  TextEncoder encoder;
  Activation activation;
  Linear dense;
  Linear output;

  void score(std::span<const float> hidden, std::span<float> out) const {
    std::vector<float> pooled(dense.outputs());
    PreparedBuffer unused;
    dense.apply(dense.prepare(hidden.data(), hidden.size(), 1, unused), {.f32 = pooled.data(), .stride = pooled.size()},
                encoder.spec().head->activation);
    output.apply(output.prepare(pooled.data(), pooled.size(), 1, unused), {.f32 = out.data(), .stride = out.size()});
    activate(activation, out);
  }
};

CrossEncoder::CrossEncoder(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
CrossEncoder::CrossEncoder(CrossEncoder&&) noexcept = default;
CrossEncoder& CrossEncoder::operator=(CrossEncoder&&) noexcept = default;
CrossEncoder::~CrossEncoder() = default;

Result<CrossEncoder> CrossEncoder::open(const std::filesystem::path& folder, const CrossEncoderOptions& options) {
  ASSIGN_OR_RETURN(TextEncoder encoder, TextEncoder::open(folder, {.task = ModelTask::kClassify,
                                                                   .compute = options.compute,
                                                                   .max_length = options.max_length}));
  ASSIGN_OR_RETURN(const Activation activation, choose_activation(options.activation, encoder.config().transformer));
  const EncoderSpec& spec = encoder.spec();
  // The head is a ten-thousandth of the work and decides the score: it stays in f32.
  const auto load = [&](const LinearNames& names, std::size_t outputs) -> Result<Linear> {
    const auto read = [&](const std::string& name, std::span<const std::uint64_t> shape) {
      return read_tensor(encoder.tensors(), resolve_name(spec, encoder.tensors(), name), shape);
    };
    ASSIGN_OR_RETURN(const auto weights, read(names.weight, std::array<std::uint64_t, 2>{outputs, spec.hidden_size}));
    ASSIGN_OR_RETURN(const auto bias, read(names.bias, std::array<std::uint64_t, 1>{outputs}));
    return Linear(encoder.kernels(), GemmType::kF32, weights, bias);
  };
  ASSIGN_OR_RETURN(Linear dense, load(spec.head->dense, spec.hidden_size));
  ASSIGN_OR_RETURN(Linear output, load(spec.head->output, spec.labels));
  RETURN_IF_ERROR(encoder.tensors().check_unchanged());
  return CrossEncoder(
      std::unique_ptr<const Impl>(new Impl{std::move(encoder), activation, std::move(dense), std::move(output)}));
}

Result<PairScores> CrossEncoder::predict(std::span<const TextPair> pairs, const ProgressCallback& progress) const {
  std::vector<TextInput> inputs(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) inputs[i] = {.first = pairs[i].query, .second = pairs[i].document};
  PairScores result{.scores = Matrix(pairs.size(), impl_->output.outputs()), .truncation = {}};
  const auto consume = [&](std::size_t index, MatrixView hidden) {
    impl_->score(hidden.row(0), result.scores.row(index));
  };
  ASSIGN_OR_RETURN(result.truncation, impl_->encoder.run(inputs, HiddenRows::kFirst, consume, progress));
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
                                   const RankOptions& options) const {
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
  ASSIGN_OR_RETURN(const PairScores predicted, predict(pairs));
  const std::span<const float> scores(predicted.scores.data(), documents.size());
  const std::vector<float> fused = fuses ? fuse_scores(scores, options.initial_scores, options.alpha)
                                         : std::vector<float>(scores.begin(), scores.end());

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

const std::vector<std::string>& CrossEncoder::labels() const { return impl_->encoder.config().transformer.labels; }
const std::string& CrossEncoder::model() const { return impl_->encoder.config().name; }
Result<CrossEncoderIdentity> CrossEncoder::identity() const {
  ASSIGN_OR_RETURN(std::string weights_hash, impl_->encoder.weights_hash());
  return CrossEncoderIdentity{.model = model(),
                              .weights_hash = std::move(weights_hash),
                              .max_length = impl_->encoder.max_length(),
                              .activation = impl_->activation};
}

const ComputeInfo& CrossEncoder::compute() const { return impl_->encoder.compute(); }

}  // namespace tandem
