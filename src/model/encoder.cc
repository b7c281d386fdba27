#include "model/encoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/call.h"
#include "base/error.h"
#include "base/finite.h"
#include "kernels/denormals.h"
#include "model/weights.h"

namespace tandem {
namespace {

// Rows that the feed-forward layers take at a time: bounds their workspace, [rows, intermediate_size], when a batch is
// one long sequence, and keeps it in the second cache level.
constexpr std::size_t kFeedForwardRows = 128;

// A few inputs of the feed-forward layers are far larger than the others, behind GELU most of all: in slices they spoil
// the scale of their neighbours only (see docs/decisions/int8.md).
constexpr std::size_t kSliceInputs = 384;

GemmType gemm_type(Precision precision) {
  switch (precision) {
    case Precision::kBf16:
      return GemmType::kBf16;
    case Precision::kInt8:
      return GemmType::kInt8;
    case Precision::kAuto:
    case Precision::kF32:
      break;
  }
  return GemmType::kF32;
}

}  // namespace

/// Reads tensors by the spec's names and packs them.
class Encoder::Loader {
 public:
  Loader(const EncoderSpec& spec, const TensorSource& source, const EncoderKernels& kernels, Precision precision)
      : spec_(spec), source_(source), kernels_(kernels), type_(gemm_type(precision)) {}

  Result<std::vector<float>> table(std::string_view name, std::size_t rows) const {
    return read(name, std::array<std::uint64_t, 2>{rows, spec_.embedding_size});
  }

  Result<const TensorView*> mapped_table(std::string_view name, std::size_t rows) const {
    return find_tensor(source_, resolve_name(spec_, source_, name),
                       std::array<std::uint64_t, 2>{rows, spec_.embedding_size});
  }

  /// One layer. `moments` describes the hidden states that enter it, and those that leave it afterwards; int8 only.
  Result<Layer> layer(const LayerNames& names, std::optional<ActivationMoments>& moments) const {
    const std::size_t hidden = spec_.hidden_size;
    const std::size_t intermediate = spec_.intermediate_size;
    ASSIGN_OR_RETURN(DenseWeights qkv, dense(names.query, hidden, hidden));
    ASSIGN_OR_RETURN(const DenseWeights key, dense(names.key, hidden, hidden));
    ASSIGN_OR_RETURN(const DenseWeights value, dense(names.value, hidden, hidden));
    ASSIGN_OR_RETURN(const DenseWeights output, dense(names.attention_output, hidden, hidden));
    ASSIGN_OR_RETURN(const DenseWeights up, dense(names.up, intermediate, hidden));
    ASSIGN_OR_RETURN(const DenseWeights down, dense(names.down, hidden, intermediate));
    // Query, key and value as one matrix: one pass over the rows instead of three.
    for (const DenseWeights* part : {&key, &value}) {
      qkv.weights.insert(qkv.weights.end(), part->weights.begin(), part->weights.end());
      qkv.bias.insert(qkv.bias.end(), part->bias.begin(), part->bias.end());
    }

    Layer layer;
    ASSIGN_OR_RETURN(layer.attention_norm, norm(names.attention_norm, hidden));
    ASSIGN_OR_RETURN(layer.output_norm, norm(names.output_norm, hidden));
    const auto magnitudes = [&] { return moments ? moments->magnitudes() : std::vector<float>(); };
    layer.qkv = pack(qkv, {.input_magnitudes = magnitudes()});
    layer.attention_output = pack(output);
    if (moments) moments->pass_attention(value, output, layer.attention_norm);
    layer.up = pack(up, {.input_magnitudes = magnitudes(), .slice_inputs = kSliceInputs});
    layer.down = pack(down, {.slice_inputs = kSliceInputs});
    if (moments) moments->pass_feed_forward(up, down, layer.output_norm, spec_.activation);
    return layer;
  }

  /// What an adapter has for a layer. It comes after the layer's moments are taken: what it adds to them is little.
  Status add_adapter(const AdapterSource& adapter, const LayerNames& names, std::size_t index, Layer& layer) const {
    const AdapterConfig& config = adapter.config;
    if (config.hidden_size != spec_.hidden_size) {
      return fail(ErrorCode::kConflict,
                  "adapter_config.json: hidden_size is {}, the model's is {}: adapter '{}' was made for another model",
                  config.hidden_size, spec_.hidden_size, config.name);
    }
    const auto load = [&](const std::string& place) -> Result<BottleneckAdapter> {
      if (place.empty()) return fail(ErrorCode::kUnsupported, "adapters are not run in models of this family");
      std::string full = place;
      for (const std::string& prefix : spec_.prefixes) {
        const std::string begin = prefix + place + config.name + ".";
        const auto first = adapter.tensors.tensors().lower_bound(begin);
        if (first != adapter.tensors.tensors().end() && first->first.starts_with(begin)) full = prefix + place;
      }
      return BottleneckAdapter::load(adapter, full, index, kernels_);
    };
    if (config.layers_left_out.contains(index)) return {};
    if (config.after_attention) {
      ASSIGN_OR_RETURN(layer.attention_adapter, load(names.attention_adapters));
    }
    if (config.after_feed_forward) {
      ASSIGN_OR_RETURN(layer.output_adapter, load(names.output_adapters));
    }
    return {};
  }

  Result<NormWeights> norm(const LinearNames& names, std::size_t width) const {
    return read_norm(source_, {resolve_name(spec_, source_, names.weight), resolve_name(spec_, source_, names.bias)},
                     width);
  }

  /// Runs in f32 whatever the precision: a thousandth of the work, and all that follows rests on it.
  Result<Linear> embedding_projection(const LinearNames& names) const {
    ASSIGN_OR_RETURN(const DenseWeights projection, dense(names, spec_.hidden_size, spec_.embedding_size));
    return Linear(kernels_, GemmType::kF32, projection.weights, projection.bias);
  }

  /// What attention adds to the scores of each head by distance, from the farthest key before the query to the farthest
  /// after it, [heads, 2 · usable_positions - 1]; in units of unscaled scores, as the kernel wants it.
  Result<std::vector<float>> position_bias(const RelativeBias& bias) const {
    ASSIGN_OR_RETURN(const std::vector<float> buckets,
                     read(bias.table, std::array<std::uint64_t, 2>{bias.buckets, spec_.heads}));
    const auto farthest = static_cast<std::int64_t>(spec_.usable_positions()) - 1;
    const float unscale = std::sqrt(static_cast<float>(spec_.hidden_size / spec_.heads));
    std::vector<float> by_distance;
    for (std::size_t head = 0; head < spec_.heads; ++head) {
      for (std::int64_t distance = -farthest; distance <= farthest; ++distance) {
        by_distance.push_back(buckets[bias.bucket(distance) * spec_.heads + head] * unscale);
      }
    }
    return by_distance;
  }

  /// The same for attention that looks back only: of later keys nothing is left by the softmax.
  std::vector<float> causal_bias() const {
    constexpr float kNothing = -1e30F;
    const std::size_t positions = spec_.usable_positions();
    std::vector<float> row(2 * positions - 1, kNothing);
    std::fill_n(row.begin(), positions, 0.0F);
    std::vector<float> by_distance;
    for (std::size_t head = 0; head < spec_.heads; ++head) {
      by_distance.insert(by_distance.end(), row.begin(), row.end());
    }
    return by_distance;
  }

 private:
  Result<std::vector<float>> read(std::string_view name, std::span<const std::uint64_t> shape) const {
    return read_tensor(source_, resolve_name(spec_, source_, name), shape);
  }

  Result<DenseWeights> dense(const LinearNames& names, std::size_t outputs, std::size_t inputs) const {
    DenseWeights dense;
    ASSIGN_OR_RETURN(dense.weights, read(names.weight, std::array<std::uint64_t, 2>{outputs, inputs}));
    ASSIGN_OR_RETURN(dense.bias, read(names.bias, std::array<std::uint64_t, 1>{outputs}));
    return dense;
  }

  Linear pack(const DenseWeights& dense, const QuantizationHints& hints = {}) const {
    return Linear(kernels_, type_, dense.weights, dense.bias, hints);
  }

  const EncoderSpec& spec_;
  const TensorSource& source_;
  const EncoderKernels& kernels_;
  GemmType type_;
};

Result<Encoder> Encoder::load(const EncoderSpec& spec, const TensorSource& source, const EncoderKernels& kernels,
                              const LoadOptions& options) {
  const Precision precision = options.precision;
  CHECK(precision != Precision::kAuto && (precision != Precision::kBf16 || kernels.native_bf16));
  Encoder encoder;
  encoder.spec_ = spec;
  encoder.kernels_ = &kernels;
  encoder.precision_ = precision;
  const Loader loader(spec, source, kernels, precision);
  ASSIGN_OR_RETURN(encoder.word_embeddings_, loader.mapped_table(spec.word_embeddings, spec.vocabulary_size));
  ASSIGN_OR_RETURN(encoder.position_embeddings_, loader.table(spec.position_embeddings, spec.positions));
  if (spec.token_types > 0) {
    ASSIGN_OR_RETURN(encoder.token_type_embeddings_, loader.table(spec.token_type_embeddings, spec.token_types));
  }
  ASSIGN_OR_RETURN(encoder.embeddings_norm_, loader.norm(spec.embeddings_norm, spec.embedding_size));
  if (spec.embedding_projection) {
    ASSIGN_OR_RETURN(encoder.embedding_projection_, loader.embedding_projection(*spec.embedding_projection));
  }
  if (spec.relative_bias) {
    ASSIGN_OR_RETURN(encoder.position_bias_, loader.position_bias(*spec.relative_bias));
  } else if (spec.is_causal) {
    encoder.position_bias_ = loader.causal_bias();
  }
  std::optional<ActivationMoments> moments;
  if (precision == Precision::kInt8) {
    const std::vector<float> sample = encoder.sample_embeddings();
    // One that is not finite would spoil the scales of all layers.
    if (!is_finite(sample)) {
      return fail(ErrorCode::kCorruptData, "{}: {} has words whose embeddings are not finite",
                  source.files().front().string(), resolve_name(spec, source, spec.word_embeddings));
    }
    moments.emplace(sample, spec.hidden_size);
  }
  for (const LayerNames& names : spec.layer_names) {
    RETURN_IF_ERROR(check_call(options.call));
    ASSIGN_OR_RETURN(Layer layer, loader.layer(names, moments));
    if (options.adapter != nullptr) {
      RETURN_IF_ERROR(loader.add_adapter(*options.adapter, names, encoder.layers_.size(), layer));
    }
    encoder.layers_.push_back(std::move(layer));
  }
  return encoder;
}

// What enters the first layer for words taken evenly from the vocabulary. The first pieces of a vocabulary are special
// tokens, unused places and single characters, which are not like words.
std::vector<float> Encoder::sample_embeddings() const {
  constexpr std::size_t kSamples = 128;
  const std::size_t first = std::min<std::size_t>(1000, spec_.vocabulary_size / 2);
  const std::size_t words = spec_.vocabulary_size - first;
  TokenBatch batch;
  TokenTables tables = spec_.tables();
  for (std::size_t i = 0; i < kSamples; ++i) {
    const std::array<std::int32_t, 1> id{static_cast<std::int32_t>(first + i * words / kSamples)};
    const std::array<std::int32_t, 1> type{0};
    tables.position_rule = {.first = spec_.position_rule.first + i % spec_.usable_positions()};
    batch.append(id, type, tables);
  }
  EncoderWorkspace workspace;
  embed(batch, workspace);
  return {workspace.hidden.data(), workspace.hidden.data() + kSamples * spec_.hidden_size};
}

void Encoder::embed(const TokenBatch& batch, EncoderWorkspace& workspace) const {
  const std::size_t width = spec_.embedding_size;
  const std::size_t tokens = batch.tokens();
  workspace.hidden.reserve(tokens * spec_.hidden_size);
  if (embedding_projection_) workspace.embedded.reserve(tokens * width);
  float* const rows = embedding_projection_ ? workspace.embedded.data() : workspace.hidden.data();
  for (std::size_t token = 0; token < tokens; ++token) {
    float* row = rows + token * width;
    copy_as_f32(*word_embeddings_, static_cast<std::uint64_t>(batch.ids[token]) * width, {row, width});
    const float* position = position_embeddings_.data() + static_cast<std::size_t>(batch.position_ids[token]) * width;
    if (token_type_embeddings_.empty()) {
      for (std::size_t i = 0; i < width; ++i) row[i] += position[i];
    } else {
      const auto type_id = spec_.token_types == 1 ? 0 : static_cast<std::size_t>(batch.type_ids[token]);
      const float* type = token_type_embeddings_.data() + type_id * width;
      // Word and type first, then position: the order in which the reference rounds.
      for (std::size_t i = 0; i < width; ++i) row[i] = (row[i] + type[i]) + position[i];
    }
    kernels_->add_layer_norm(row, nullptr, embeddings_norm_.gamma.data(), embeddings_norm_.beta.data(),
                             spec_.layer_norm_eps, width, row);
  }
  if (embedding_projection_) {
    embedding_projection_->apply(embedding_projection_->prepare(rows, width, tokens, workspace.prepared),
                                 {.f32 = workspace.hidden.data(), .stride = spec_.hidden_size});
  }
  // Quantisation would make numbers of one row that is not finite, which other rows then read: so that it shows
  // whatever is read of a sequence, all of it is spoiled.
  for (std::size_t sequence = 0; sequence < batch.sequences(); ++sequence) {
    const std::size_t first = batch.offsets[sequence] * spec_.hidden_size;
    const std::span<float> own(workspace.hidden.data() + first,
                               batch.offsets[sequence + 1] * spec_.hidden_size - first);
    if (!is_finite(own)) std::ranges::fill(own, std::numeric_limits<float>::quiet_NaN());
  }
}

// hidden ← LayerNorm(hidden + W · attention(hidden)). With first_rows_only, `hidden` has one row per sequence
// afterwards.
void Encoder::attend(const Layer& layer, const TokenBatch& batch, bool first_rows_only,
                     EncoderWorkspace& workspace) const {
  const std::size_t width = spec_.hidden_size;
  const std::size_t stride = 3 * width;
  const std::size_t tokens = batch.tokens();
  const std::size_t sequences = batch.sequences();
  const bool in_bf16 = precision_ != Precision::kF32 && kernels_->native_bf16;
  float* hidden = workspace.hidden.data();

  LinearOutput qkv{.stride = stride};
  if (in_bf16) {
    workspace.qkv_bf16.reserve(tokens * stride);
    qkv.bf16 = workspace.qkv_bf16.data();
  } else {
    workspace.qkv.reserve(tokens * stride);
    qkv.f32 = workspace.qkv.data();
  }
  const PreparedRows rows = layer.qkv.prepare(hidden, width, tokens, workspace.prepared);
  if (first_rows_only && width % layer.qkv.split_granularity() == 0) {
    // Keys and values of every token, queries of the first ones.
    const LinearOutput keys_and_values{
        .f32 = in_bf16 ? nullptr : qkv.f32 + width, .bf16 = in_bf16 ? qkv.bf16 + width : nullptr, .stride = stride};
    layer.qkv.apply_columns(rows, width, 2 * width, keys_and_values);
    for (std::size_t sequence = 0; sequence < sequences; ++sequence) {
      const std::size_t first = batch.offsets[sequence];
      const LinearOutput query{.f32 = in_bf16 ? nullptr : qkv.f32 + first * stride,
                               .bf16 = in_bf16 ? qkv.bf16 + first * stride : nullptr,
                               .stride = stride};
      layer.qkv.apply_columns(rows.from(first, 1, layer.qkv.element_bytes()), 0, width, query);
    }
  } else {
    layer.qkv.apply(rows, qkv);
  }

  const std::size_t out_rows = first_rows_only ? sequences : tokens;
  workspace.context.reserve(out_rows * width);
  for (std::size_t sequence = 0; sequence < sequences; ++sequence) {
    const std::size_t first = batch.offsets[sequence];
    const std::size_t length = batch.offsets[sequence + 1] - first;
    const std::size_t head_size = width / spec_.heads;
    workspace.attention.reserve(kernels_->attention_workspace_bytes(length, head_size));
    kernels_->attention({
        .qkv = in_bf16 ? nullptr : qkv.f32 + first * stride,
        .qkv_bf16 = in_bf16 ? qkv.bf16 + first * stride : nullptr,
        .qkv_stride = stride,
        .tokens = length,
        .query_rows = first_rows_only ? 1 : length,
        .heads = spec_.heads,
        .head_size = head_size,
        .scale = 1.0F / std::sqrt(static_cast<float>(head_size)),
        .position_bias = position_bias_.empty() ? nullptr : position_bias_.data() + spec_.usable_positions() - 1,
        .position_bias_stride = 2 * spec_.usable_positions() - 1,
        .out = workspace.context.data() + (first_rows_only ? sequence : first) * width,
        .out_stride = width,
        .workspace = workspace.attention.data(),
    });
    if (first_rows_only && sequence != first)
      std::memcpy(hidden + sequence * width, hidden + first * width, width * sizeof(float));
  }

  workspace.projected.reserve(out_rows * width);
  layer.attention_output.apply(
      layer.attention_output.prepare(workspace.context.data(), width, out_rows, workspace.prepared),
      {.f32 = workspace.projected.data(), .stride = width});
  add_and_normalize(hidden, out_rows, layer.attention_norm, layer.attention_adapter, workspace);
}

// hidden ← LayerNorm(hidden + projected), by way of an adapter where there is one.
void Encoder::add_and_normalize(float* hidden, std::size_t rows, const NormWeights& norm,
                                const std::optional<BottleneckAdapter>& adapter, EncoderWorkspace& workspace) const {
  float* const update = workspace.projected.data();
  const std::size_t width = spec_.hidden_size;
  if (adapter) {
    return adapter->apply(update, hidden, rows, {norm, spec_.layer_norm_eps}, workspace.adapter);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    kernels_->add_layer_norm(update + row * width, hidden + row * width, norm.gamma.data(), norm.beta.data(),
                             spec_.layer_norm_eps, width, hidden + row * width);
  }
}

// hidden ← LayerNorm(hidden + W₂ · activation(W₁ · hidden)).
void Encoder::feed_forward(const Layer& layer, float* hidden, std::size_t rows, EncoderWorkspace& workspace) const {
  const std::size_t width = spec_.hidden_size;
  const std::size_t expanded_width = spec_.intermediate_size;
  // What follows is rounded to bf16 or int8 anyway.
  const bool coarse = precision_ != Precision::kF32 && spec_.activation == Pointwise::kGelu;
  const Pointwise activation = coarse ? Pointwise::kGeluFast : spec_.activation;
  const std::size_t rows_max = batch_rows(expanded_width, kFeedForwardRows);
  for (std::size_t begin = 0; begin < rows; begin += rows_max) {
    const std::size_t count = std::min(rows_max, rows - begin);
    float* chunk = hidden + begin * width;
    const PreparedRows in = layer.up.prepare(chunk, width, count, workspace.prepared);
    PreparedRows expanded;
    if (precision_ == Precision::kBf16) {
      workspace.expanded_bf16.reserve(count * expanded_width);
      layer.up.apply(in, {.bf16 = workspace.expanded_bf16.data(), .stride = expanded_width}, activation);
      expanded = {workspace.expanded_bf16.data(), expanded_width, count, nullptr};
    } else {
      workspace.expanded.reserve(count * expanded_width);
      layer.up.apply(in, {.f32 = workspace.expanded.data(), .stride = expanded_width}, activation);
      expanded = layer.down.prepare(workspace.expanded.data(), expanded_width, count, workspace.prepared_expanded);
    }
    workspace.projected.reserve(count * width);
    layer.down.apply(expanded, {.f32 = workspace.projected.data(), .stride = width});
    add_and_normalize(chunk, count, layer.output_norm, layer.output_adapter, workspace);
  }
}

Result<MatrixView> Encoder::forward(const TokenBatch& batch, HiddenRows rows, EncoderWorkspace& workspace,
                                    const CallOptions& call) const {
  const DenormalsAreZero denormals_are_zero;
  embed(batch, workspace);
  std::size_t row_count = batch.tokens();
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    RETURN_IF_ERROR(check_call(call));
    const bool first_rows_only = rows == HiddenRows::kFirst && index + 1 == layers_.size();
    attend(layers_[index], batch, first_rows_only, workspace);
    if (first_rows_only) row_count = batch.sequences();
    feed_forward(layers_[index], workspace.hidden.data(), row_count, workspace);
  }
  return MatrixView{workspace.hidden.data(), row_count, spec_.hidden_size};
}

}  // namespace tandem
