#include "model/adapter.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "model/encoder_spec.h"
#include "model/weights.h"

namespace tandem {
namespace {

Result<NormWeights> load_norm(const TensorSource& tensors, const std::string& name, std::size_t width) {
  return read_norm(tensors, {name + ".weight", name + ".bias"}, width);
}

Result<Linear> load_linear(const TensorSource& tensors, const std::string& name,
                           const std::array<std::uint64_t, 2>& shape, const EncoderKernels& kernels) {
  ASSIGN_OR_RETURN(const std::vector<float> weights, read_tensor(tensors, name + ".weight", shape));
  ASSIGN_OR_RETURN(const std::vector<float> bias,
                   read_tensor(tensors, name + ".bias", std::array<std::uint64_t, 1>{shape[0]}));
  return Linear(kernels, GemmType::kF32, weights, bias);
}

}  // namespace

Result<AdapterSource> AdapterSource::open(const std::filesystem::path& folder) {
  AdapterSource source;
  ASSIGN_OR_RETURN(source.config, read_adapter_config(folder));
  const std::filesystem::path safe = folder / "adapter.safetensors";
  ASSIGN_OR_RETURN(source.tensors, TensorSource::open_file(has_entry(safe) ? safe : folder / "pytorch_adapter.bin"));
  return source;
}

Result<BottleneckAdapter> BottleneckAdapter::load(const AdapterSource& source, const std::string& place,
                                                  std::size_t layer, const EncoderKernels& kernels) {
  const AdapterConfig& config = source.config;
  const std::optional<Pointwise> activation = activation_by_name(config.activation);
  if (!activation) {
    return fail(ErrorCode::kUnsupported, "adapter_config.json: non_linearity '{}' is not supported, want {}",
                config.activation, activation_names());
  }
  BottleneckAdapter adapter;
  adapter.kernels_ = &kernels;
  adapter.config_ = config;
  adapter.activation_ = *activation;
  const std::string name = place + config.name;
  const std::uint64_t wide = config.hidden_size;
  const std::uint64_t narrow = config.width(layer);
  if (narrow == 0) {
    return fail(ErrorCode::kCorruptData, "adapter_config.json: reduction_factor has no number for layer {}", layer);
  }
  // The reference puts norm, linear layer and activation into one sequence, whose members have numbers.
  if (config.has_norm_before) {
    ASSIGN_OR_RETURN(adapter.norm_before_, load_norm(source.tensors, name + ".adapter_down.0", wide));
  }
  const std::string down = name + (config.has_norm_before ? ".adapter_down.1" : ".adapter_down.0");
  ASSIGN_OR_RETURN(adapter.down_, load_linear(source.tensors, down, {narrow, wide}, kernels));
  ASSIGN_OR_RETURN(adapter.up_, load_linear(source.tensors, name + ".adapter_up", {wide, narrow}, kernels));
  if (config.has_norm_after) {
    ASSIGN_OR_RETURN(adapter.norm_after_, load_norm(source.tensors, name + ".adapter_norm_after", wide));
  }
  return adapter;
}

void BottleneckAdapter::apply(float* update, float* hidden, std::size_t rows, const ModelNorm& norm,
                              AdapterWorkspace& workspace) const {
  const std::size_t width = up_.outputs();
  const std::size_t narrow = up_.inputs();
  workspace.input.reserve(rows * width);
  workspace.narrow.reserve(rows * narrow);
  workspace.output.reserve(rows * width);
  const auto normalize = [&](const float* a, const float* b, const NormWeights& weights, float epsilon, float* out) {
    kernels_->add_layer_norm(a, b, weights.gamma.data(), weights.beta.data(), epsilon, width, out);
  };

  for (std::size_t row = 0; row < rows; ++row) {
    float* const input = workspace.input.data() + row * width;
    float* const sublayer = update + row * width;
    const float* const own = hidden + row * width;
    if (config_.norms_before) {
      normalize(sublayer, own, norm.weights, norm.epsilon, input);
    } else {
      std::memcpy(input, sublayer, width * sizeof(float));
    }
    // From here on `update` holds the residual.
    switch (config_.residual) {
      case AdapterResidual::kSublayer:
        break;
      case AdapterResidual::kSum:
        for (std::size_t i = 0; i < width; ++i) sublayer[i] += own[i];
        break;
      case AdapterResidual::kInput:
        std::memcpy(sublayer, input, width * sizeof(float));
        break;
    }
    if (norm_before_) normalize(input, nullptr, *norm_before_, kTorchNormEpsilon, input);
  }

  down_.apply(down_.prepare(workspace.input.data(), width, rows, workspace.unused),
              {.f32 = workspace.narrow.data(), .stride = narrow}, activation_);
  up_.apply(up_.prepare(workspace.narrow.data(), narrow, rows, workspace.unused),
            {.f32 = workspace.output.data(), .stride = width});

  const auto scaling = static_cast<float>(config_.scaling);
  for (std::size_t row = 0; row < rows; ++row) {
    float* const output = workspace.output.data() + row * width;
    const float* const residual = update + row * width;
    float* const own = hidden + row * width;
    for (std::size_t i = 0; i < width; ++i) output[i] *= scaling;
    const auto add_residual = [&] {
      for (std::size_t i = 0; i < width; ++i) output[i] += residual[i];
    };
    if (config_.adds_before_norm) add_residual();
    if (norm_after_) normalize(output, nullptr, *norm_after_, kTorchNormEpsilon, output);
    if (!config_.adds_before_norm) add_residual();
    if (config_.norms_after) {
      normalize(output, own, norm.weights, norm.epsilon, own);
    } else {
      std::memcpy(own, output, width * sizeof(float));
    }
  }
}

}  // namespace tandem
