#include "model/text_vector.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "model/pooling.h"

namespace tandem {
namespace {

Result<Pointwise> dense_activation(const DenseModule& module) {
  static constexpr std::pair<std::string_view, Pointwise> kActivations[] = {
      {".Tanh", Pointwise::kTanh}, {".Identity", Pointwise::kNone},   {".ReLU", Pointwise::kRelu},
      {".GELU", Pointwise::kGelu}, {".Sigmoid", Pointwise::kSigmoid}, {".SiLU", Pointwise::kSilu},
  };
  for (const auto& [ending, activation] : kActivations) {
    if (module.activation.ends_with(ending)) return activation;
  }
  return fail(ErrorCode::kUnsupported,
              "{}: activation_function '{}' is not supported, want Tanh, Identity, ReLU, GELU, Sigmoid or SiLU",
              module.folder.filename().string(), module.activation);
}

Result<NormWeights> load_layer_norm(const LayerNormModule& module, const TensorSource& tensors) {
  ASSIGN_OR_RETURN(NormWeights norm, read_norm(tensors, {"norm.weight", "norm.bias"}, module.width));
  RETURN_IF_ERROR(tensors.check_unchanged());
  return norm;
}

std::vector<float> multiply(const Linear& linear, std::span<const float> vector, Pointwise activation) {
  std::vector<float> result(linear.outputs());
  PreparedBuffer unused;
  linear.apply(linear.prepare(vector.data(), vector.size(), 1, unused), {.f32 = result.data(), .stride = result.size()},
               activation);
  return result;
}

}  // namespace

Result<TextVector::DenseStep> TextVector::load_dense(const DenseModule& module, const TensorSource& tensors,
                                                     const EncoderKernels& kernels) {
  ASSIGN_OR_RETURN(const Pointwise activation, dense_activation(module));
  const std::array<std::uint64_t, 2> shape{module.outputs, module.inputs};
  const std::vector<float> zeros(module.outputs, 0.0F);
  std::vector<float> bias = zeros;
  if (module.bias) {
    ASSIGN_OR_RETURN(bias, read_tensor(tensors, "linear.bias", std::array<std::uint64_t, 1>{module.outputs}));
  }
  ASSIGN_OR_RETURN(const std::vector<float> weights, read_tensor(tensors, "linear.weight", shape));
  DenseStep step{Linear(kernels, GemmType::kF32, weights, bias), activation, module.use_residual, {}};
  if (module.use_residual && module.inputs != module.outputs) {
    ASSIGN_OR_RETURN(const std::vector<float> residual, read_tensor(tensors, "residual.weight", shape));
    step.residual.emplace(kernels, GemmType::kF32, residual, zeros);
  }
  RETURN_IF_ERROR(tensors.check_unchanged());
  return step;
}

std::vector<float> TextVector::run_dense(const DenseStep& step, std::span<const float> vector) {
  std::vector<float> result = multiply(step.linear, vector, step.activation);
  if (!step.has_residual) return result;
  const std::vector<float> residual = step.residual ? multiply(*step.residual, vector, Pointwise::kNone)
                                                    : std::vector<float>(vector.begin(), vector.end());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] += residual[i];
  return result;
}

Result<TextVector> TextVector::load(const std::filesystem::path& folder, const ModelConfig& config,
                                    std::size_t hidden_size, const WeightSources& sources,
                                    const EncoderKernels& kernels, const TextVectorOptions& options) {
  TextVector vector;
  vector.kernels_ = &kernels;
  vector.options_ = options;
  vector.width_ = hidden_size;
  for (std::size_t place = 0; place < config.modules.size(); ++place) {
    const Module& module = config.modules[place];
    if (const auto* pooling = std::get_if<PoolingModule>(&module)) {
      if (pooling->width != 0 && pooling->width != hidden_size) {
        return fail(ErrorCode::kConflict, "{}: pooling has width {}, hidden_size is {}", folder.string(),
                    pooling->width, hidden_size);
      }
      vector.poolings_ = pooling->modes;
      // There is no reference for an adapter on a folder that says nothing of pooling; those for scientific text,
      // which are the ones in use, read the first token.
      if (sources.adapter && !config.has_modules_file) vector.poolings_ = {Pooling::kCls};
      vector.pools_prompt_ = pooling->include_prompt;
      if (options.pooling) vector.poolings_ = {*options.pooling};
      vector.width_ = hidden_size * vector.poolings_.size();
    } else if (const auto* linear = std::get_if<DenseModule>(&module)) {
      if (linear->inputs != vector.width_) {
        return fail(ErrorCode::kConflict, "{}: in_features is {}, what comes before it has {}",
                    linear->folder.filename().string(), linear->inputs, vector.width_);
      }
      ASSIGN_OR_RETURN(DenseStep step, load_dense(*linear, *sources.modules[place], kernels));
      vector.width_ = step.linear.outputs();
      vector.steps_.emplace_back(std::move(step));
    } else if (const auto* layer_norm = std::get_if<LayerNormModule>(&module)) {
      ASSIGN_OR_RETURN(NormWeights norm, load_layer_norm(*layer_norm, *sources.modules[place]));
      if (layer_norm->width != vector.width_) {
        return fail(ErrorCode::kConflict, "{}: dimension is {}, what comes before it has {}",
                    layer_norm->folder.filename().string(), layer_norm->width, vector.width_);
      }
      vector.steps_.emplace_back(std::move(norm));
    } else {
      vector.steps_.emplace_back(NormalizeStep{});
    }
  }
  vector.normalized_ = !vector.steps_.empty() && std::holds_alternative<NormalizeStep>(vector.steps_.back());
  if (vector.normalized_) vector.steps_.pop_back();
  if (vector.poolings_.empty()) return fail(ErrorCode::kUnsupported, "{}/modules.json: no Pooling", folder.string());

  vector.dimensions_ = options.dimensions.value_or(config.truncate_dimensions.value_or(vector.width_));
  if (vector.dimensions_ == 0 || vector.dimensions_ > vector.width_) {
    return fail(ErrorCode::kInvalidArgument, "{}{} is {}, want 1 to {}",
                options.dimensions ? "" : "config_sentence_transformers.json: ",
                options.dimensions ? "dimensions" : "truncate_dim", vector.dimensions_, vector.width_);
  }
  return vector;
}

void TextVector::read(MatrixView hidden, std::size_t skipped, std::span<float> out) const {
  std::vector<float> vector(poolings_.size() * hidden.columns);
  for (std::size_t i = 0; i < poolings_.size(); ++i) {
    pool(hidden, skipped, poolings_[i], std::span(vector).subspan(i * hidden.columns, hidden.columns));
  }
  for (const Step& step : steps_) {
    if (const auto* dense = std::get_if<DenseStep>(&step)) {
      vector = run_dense(*dense, vector);
    } else if (const auto* norm = std::get_if<NormWeights>(&step)) {
      kernels_->add_layer_norm(vector.data(), nullptr, norm->gamma.data(), norm->beta.data(), kTorchNormEpsilon,
                               vector.size(), vector.data());
    } else {
      normalize(vector);
    }
  }
  if (normalized_ && dimensions_ < width_ && options_.normalize.value_or(true)) normalize(vector);
  std::copy_n(vector.begin(), out.size(), out.begin());
  if (normalization() == Normalization::kAtEnd) normalize(out);
}

Normalization TextVector::normalization() const {
  if (options_.normalize) return *options_.normalize ? Normalization::kAtEnd : Normalization::kNone;
  if (!normalized_) return Normalization::kNone;
  return dimensions_ == width_ ? Normalization::kAtEnd : Normalization::kBeforeCut;
}

bool TextVector::reads_first_token() const {
  return std::ranges::all_of(poolings_, [](Pooling pooling) { return pooling == Pooling::kCls; });
}

}  // namespace tandem
