#include "tandem/bi_encoder.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/finite.h"
#include "engine/text_encoder.h"
#include "model/linear.h"
#include "model/pooling.h"
#include "model/weights.h"

namespace tandem {
namespace {

/// A Dense module: y = activation(W · x + b), to which `residual` adds x or, where the widths differ, another W · x.
struct DenseStep {
  Linear linear;
  Pointwise activation;
  bool has_residual;
  std::optional<Linear> residual;
};

struct NormalizeStep {};

/// What happens to a text's vector after pooling.
using Step = std::variant<DenseStep, NormWeights, NormalizeStep>;

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

Result<DenseStep> load_dense(const DenseModule& module, const TensorSource& tensors, const Kernels& kernels) {
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

std::vector<float> run_dense(const DenseStep& step, std::span<const float> vector) {
  std::vector<float> result = multiply(step.linear, vector, step.activation);
  if (!step.has_residual) return result;
  const std::vector<float> residual = step.residual ? multiply(*step.residual, vector, Pointwise::kNone)
                                                    : std::vector<float>(vector.begin(), vector.end());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] += residual[i];
  return result;
}

}  // namespace

class BiEncoder::Impl {
 public:
  Impl(TextEncoder text_encoder, std::filesystem::path model_folder, BiEncoderOptions encoder_options)
      : encoder(std::move(text_encoder)), folder(std::move(model_folder)), options(std::move(encoder_options)) {}

  TextEncoder encoder;
  std::filesystem::path folder;
  BiEncoderOptions options;
  std::string name;  // An adapter's own.
  std::vector<Pooling> poolings;
  bool pools_prompt = true;  // include_prompt
  std::vector<Step> steps;   // Between pooling and the last normalisation.
  bool normalized = false;
  std::size_t width = 0;       // After the modules.
  std::size_t dimensions = 0;  // What is kept of it.

  Status add_modules() {
    const ModelConfig& config = encoder.config();
    const std::size_t hidden = encoder.spec().hidden_size;
    width = hidden;
    for (std::size_t place = 0; place < config.modules.size(); ++place) {
      const Module& module = config.modules[place];
      if (const auto* pooling = std::get_if<PoolingModule>(&module)) {
        if (pooling->width != 0 && pooling->width != hidden) {
          return fail(ErrorCode::kConflict, "{}: pooling has width {}, hidden_size is {}", folder.string(),
                      pooling->width, hidden);
        }
        poolings = pooling->modes;
        // There is no reference for an adapter on a folder that says nothing of pooling; those for scientific text,
        // which are the ones in use, read the first token.
        if (encoder.has_adapter() && !config.has_modules_file) poolings = {Pooling::kCls};
        pools_prompt = pooling->include_prompt;
        if (options.pooling) poolings = {*options.pooling};
        width = hidden * poolings.size();
      } else if (const auto* linear = std::get_if<DenseModule>(&module)) {
        if (linear->inputs != width) {
          return fail(ErrorCode::kConflict, "{}: in_features is {}, what comes before it has {}",
                      linear->folder.filename().string(), linear->inputs, width);
        }
        ASSIGN_OR_RETURN(DenseStep step, load_dense(*linear, encoder.module_tensors(place), encoder.kernels()));
        width = step.linear.outputs();
        steps.emplace_back(std::move(step));
      } else if (const auto* layer_norm = std::get_if<LayerNormModule>(&module)) {
        ASSIGN_OR_RETURN(NormWeights norm, load_layer_norm(*layer_norm, encoder.module_tensors(place)));
        if (layer_norm->width != width) {
          return fail(ErrorCode::kConflict, "{}: dimension is {}, what comes before it has {}",
                      layer_norm->folder.filename().string(), layer_norm->width, width);
        }
        steps.emplace_back(std::move(norm));
      } else {
        steps.emplace_back(NormalizeStep{});
      }
    }
    normalized = !steps.empty() && std::holds_alternative<NormalizeStep>(steps.back());
    if (normalized) steps.pop_back();
    if (poolings.empty()) return fail(ErrorCode::kUnsupported, "{}: no pooling module", folder.string());

    dimensions = options.dimensions.value_or(config.truncate_dimensions.value_or(width));
    if (dimensions == 0 || dimensions > width) {
      return fail(ErrorCode::kInvalidArgument, "dimensions is {}, want 1 to {}", dimensions, width);
    }
    if (options.prompt_name && !config.prompts.contains(*options.prompt_name)) {
      return fail(ErrorCode::kInvalidArgument, "{}: no prompt is named '{}'", folder.string(), *options.prompt_name);
    }
    return {};
  }

  /// True: the vectors that leave have length 1. Cutting components off undoes a normalisation.
  bool normalizes_last() const { return options.normalize.value_or(normalized && dimensions == width); }

  std::string_view prompt(TextRole role) const {
    const ModelConfig& config = encoder.config();
    const auto find = [&](std::string_view name) {
      const auto found = config.prompts.find(std::string(name));
      return found == config.prompts.end() ? nullptr : &found->second;
    };
    if (options.prompt_name) return *find(*options.prompt_name);
    const std::string* text = nullptr;
    switch (role) {
      case TextRole::kPlain:
        if (config.default_prompt_name) text = find(*config.default_prompt_name);
        break;
      case TextRole::kQuery:
        text = find("query");
        break;
      case TextRole::kDocument:
        text = find("document");
        break;
    }
    return text == nullptr ? std::string_view() : std::string_view(*text);
  }

  /// One text's vector from its tokens'. `skipped`: tokens of a prompt that do not count.
  void finish(MatrixView hidden, std::size_t skipped, std::span<float> out) const {
    std::vector<float> vector(poolings.size() * hidden.columns);
    for (std::size_t i = 0; i < poolings.size(); ++i) {
      pool(hidden, skipped, poolings[i], std::span(vector).subspan(i * hidden.columns, hidden.columns));
    }
    for (const Step& step : steps) {
      if (const auto* dense = std::get_if<DenseStep>(&step)) {
        vector = run_dense(*dense, vector);
      } else if (const auto* norm = std::get_if<NormWeights>(&step)) {
        encoder.kernels().add_layer_norm(vector.data(), nullptr, norm->gamma.data(), norm->beta.data(),
                                         kTorchNormEpsilon, vector.size(), vector.data());
      } else {
        tandem::normalize(vector);
      }
    }
    // The folder's own normalisation comes before components are cut off, the caller's after it.
    if (normalized && dimensions < width && options.normalize.value_or(true)) normalize(vector);
    std::copy_n(vector.begin(), out.size(), out.begin());
    if (normalizes_last()) normalize(out);
  }
};

BiEncoder::BiEncoder(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
BiEncoder::BiEncoder(BiEncoder&&) noexcept = default;
BiEncoder& BiEncoder::operator=(BiEncoder&&) noexcept = default;
BiEncoder::~BiEncoder() = default;

Result<BiEncoder> BiEncoder::open(const std::filesystem::path& folder, const BiEncoderOptions& options) {
  if (is_adapter_folder(folder)) {
    ASSIGN_OR_RETURN(const AdapterConfig adapter, read_adapter_config(folder));
    return fail(ErrorCode::kInvalidArgument, "{}: holds an adapter for {}: open that model with this folder as adapter",
                folder.string(), adapter.base_model.empty() ? "another model" : adapter.base_model);
  }
  ASSIGN_OR_RETURN(TextEncoder encoder,
                   TextEncoder::open(folder, {.task = ModelTask::kEmbed,
                                              .compute = options.compute,
                                              .max_length = options.max_length,
                                              .adapter = options.adapter,
                                              .expected_weights_hash = options.expected_weights_hash}));
  auto impl = std::make_unique<Impl>(std::move(encoder), folder, options);
  RETURN_IF_ERROR(impl->add_modules());
  impl->name = impl->encoder.config().name;
  if (options.adapter) {
    ASSIGN_OR_RETURN(impl->name, read_model_name(*options.adapter));
  }
  return BiEncoder(std::move(impl));
}

Result<Embeddings> BiEncoder::encode(std::span<const std::string_view> texts, TextRole role,
                                     const ProgressCallback& progress) const {
  const Impl& impl = *impl_;
  const std::string_view prompt = impl.prompt(role);
  std::vector<TextInput> inputs(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) inputs[i] = {.first = texts[i], .prompt = prompt};

  std::size_t skipped = 0;
  if (!prompt.empty() && !impl.pools_prompt) {
    // The prompt's tokens with the special one before them, without the one after them: as the reference counts.
    const std::size_t tokens = impl.encoder.tokenizer().encode(prompt).ids.size();
    skipped = tokens > 0 ? tokens - 1 : 0;
  }
  const bool first_only =
      skipped == 0 && std::ranges::all_of(impl.poolings, [](Pooling pooling) { return pooling == Pooling::kCls; });
  Embeddings embeddings{.vectors = Matrix(texts.size(), impl.dimensions), .truncation = {}};
  const auto consume = [&](std::size_t index, MatrixView hidden) {
    impl.finish(hidden, skipped, embeddings.vectors.row(index));
  };
  ASSIGN_OR_RETURN(embeddings.truncation,
                   impl.encoder.run(inputs, first_only ? HiddenRows::kFirst : HiddenRows::kAll, consume, progress));
  for (std::size_t row = 0; row < texts.size(); ++row) {
    // One component that is not finite spoils every ranking and average that it takes part in.
    if (is_finite(embeddings.vectors.row(row))) continue;
    return fail(ErrorCode::kCorruptData, "text {}: {} gives a vector that is not finite: are its weights damaged?",
                row + 1, impl.name);
  }
  return embeddings;
}

std::size_t BiEncoder::dimensions() const { return impl_->dimensions; }
const ComputeInfo& BiEncoder::compute() const { return impl_->encoder.compute(); }

std::string_view BiEncoder::prompt(TextRole role) const { return impl_->prompt(role); }

Result<BiEncoderIdentity> BiEncoder::identity() const {
  const Impl& impl = *impl_;
  ASSIGN_OR_RETURN(std::string weights_hash, impl.encoder.weights_hash());
  std::string pooling;
  for (const Pooling mode : impl.poolings) {
    if (!pooling.empty()) pooling += '+';
    pooling += pooling_name(mode);
  }
  return BiEncoderIdentity{
      .model = impl.name,
      .weights_hash = std::move(weights_hash),
      .pooling = pooling,
      .prompt_name = impl.options.prompt_name.value_or(""),
      .dimensions = impl.dimensions,
      .max_length = impl.encoder.max_length(),
      .normalized = impl.normalizes_last(),
  };
}

}  // namespace tandem
