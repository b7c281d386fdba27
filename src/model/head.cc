#include "model/head.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/weights.h"

namespace tandem {
namespace {

/// kAuto resolved: the caller's wish, else what the folder declares, else the rule of sentence-transformers.
Result<Activation> choose_activation(Activation wanted, const TransformerConfig& config) {
  if (wanted == Activation::kSoftmax && config.labels.size() == 1) {
    return fail(ErrorCode::kInvalidArgument, "softmax over one label is 1 for every pair: want sigmoid, none or auto");
  }
  if (wanted != Activation::kAuto) return wanted;
  if (!config.cross_encoder_activation) return config.labels.size() == 1 ? Activation::kSigmoid : Activation::kNone;
  const std::string& declared = *config.cross_encoder_activation;
  const bool is_torchs = declared.starts_with("torch.");  // The reference does not trust a folder's own classes.
  if (is_torchs && declared.ends_with(".Identity")) return Activation::kNone;
  if (is_torchs && declared.ends_with(".Sigmoid")) return Activation::kSigmoid;
  if (is_torchs && declared.ends_with(".Softmax")) return Activation::kSoftmax;
  return fail(ErrorCode::kUnsupported,
              "config.json: activation '{}' is not supported, want torch's Identity, Sigmoid or Softmax", declared);
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

Result<Head> Head::load(const ModelConfig& config, const EncoderSpec& spec, const WeightSources& sources,
                        const EncoderKernels& kernels, Activation activation) {
  Head head;
  ASSIGN_OR_RETURN(head.activation_, choose_activation(activation, config.transformer));
  head.dense_activation_ = spec.head->activation;
  // A ten-thousandth of the work, and it decides the score: it stays in f32.
  const auto load = [&](const LinearNames& names, std::size_t outputs) -> Result<Linear> {
    const auto read = [&](const std::string& name, std::span<const std::uint64_t> shape) {
      return read_tensor(sources.tensors, resolve_name(spec, sources.tensors, name), shape);
    };
    ASSIGN_OR_RETURN(const auto weights, read(names.weight, std::array<std::uint64_t, 2>{outputs, spec.hidden_size}));
    ASSIGN_OR_RETURN(const auto bias, read(names.bias, std::array<std::uint64_t, 1>{outputs}));
    return Linear(kernels, GemmType::kF32, weights, bias);
  };
  ASSIGN_OR_RETURN(head.dense_, load(spec.head->dense, spec.hidden_size));
  ASSIGN_OR_RETURN(head.output_, load(spec.head->output, spec.labels));
  RETURN_IF_ERROR(sources.tensors.check_unchanged());
  return head;
}

void Head::read(std::span<const float> first_token, std::span<float> out) const {
  std::vector<float> pooled(dense_.outputs());
  PreparedBuffer unused;
  dense_.apply(dense_.prepare(first_token.data(), first_token.size(), 1, unused),
               {.f32 = pooled.data(), .stride = pooled.size()}, dense_activation_);
  output_.apply(output_.prepare(pooled.data(), pooled.size(), 1, unused), {.f32 = out.data(), .stride = out.size()});
  activate(activation_, out);
}

}  // namespace tandem
