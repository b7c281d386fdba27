#include "engine/text_encoder.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/thread_pool.h"
#include "formats/tokenizer_folder.h"
#include "kernels/isa.h"

namespace tandem {
namespace {

// Texts that are tokenised before any of them is encoded: bounds the memory for tokens whatever the caller brings.
constexpr std::size_t kWindowTexts = 4096;
// Texts that one worker tokenises at a time.
constexpr std::size_t kTokenizeTexts = 16;
// Rows of a batch. Every batch walks through all weights once, which matters less the more rows it has; many more push
// what lies between the matrix products out of the second cache level (see docs/decisions/kernels.md).
constexpr std::size_t kBatchTokens = 256;
// From this width on a layer has so many weights that walking through them half as often is worth more.
constexpr std::size_t kWideHiddenSize = 768;
constexpr std::size_t kWideBatchTokens = 512;
// A batch smaller than this is not worth a thread of its own.
constexpr std::size_t kBatchTokensMin = 32;

struct Compute {
  const Kernels* kernels;
  ComputeInfo info;
};

Result<Compute> choose_compute(const ComputeOptions& options, std::size_t threads) {
  ASSIGN_OR_RETURN(const Isa isa, choose_isa());
  Compute compute{&kernels_for(isa), {}};
  compute.info.isa = isa_name(isa);
  compute.info.threads = threads;
  compute.info.precision = options.precision;
  if (options.precision == Precision::kAuto) {
    compute.info.precision = bf16_is_fast(isa) ? Precision::kBf16 : Precision::kF32;
  } else if (options.precision == Precision::kBf16 && !compute.kernels->native_bf16) {
    compute.info.precision = Precision::kF32;
    compute.info.note = fmt::format("bf16 runs as f32: {} has no bf16 products", compute.info.isa);
  }
  return compute;
}

/// The tensors of the modules that have some; one element for each module.
using ModuleTensors = std::vector<std::optional<TensorSource>>;

/// Opens the tensors of modules, each file once: it would take its size again for every name that leads to it, and a
/// folder can be full of links to one file.
Result<ModuleTensors> open_modules(const ModelConfig& config) {
  ModuleTensors result;
  std::set<FileIdentity> opened;
  for (const Module& module : config.modules) {
    std::optional<TensorSource>& tensors = result.emplace_back();
    std::filesystem::path folder;
    if (const auto* dense = std::get_if<DenseModule>(&module)) folder = dense->folder;
    if (const auto* layer_norm = std::get_if<LayerNormModule>(&module)) folder = layer_norm->folder;
    if (folder.empty()) continue;
    ASSIGN_OR_RETURN(tensors, TensorSource::open_folder(folder));
    for (const FileIdentity& file : tensors->identities()) {
      if (opened.insert(file).second) continue;
      return fail(ErrorCode::kUnsupported, "{}: another module has these weights", folder.string());
    }
  }
  return result;
}

/// What a folder's settings and modules do to its vectors, but for the poolings and the last normalisation, which
/// BiEncoderIdentity names.
Status hash_modules(const ModelConfig& config, const ModuleTensors& modules, Hasher& hasher) {
  if (config.do_lower_case) hasher.update("do_lower_case");
  for (std::size_t i = 0; i < config.modules.size(); ++i) {
    if (const auto* pooling = std::get_if<PoolingModule>(&config.modules[i])) {
      if (!pooling->include_prompt) hasher.update("without prompt");
    } else if (const auto* dense = std::get_if<DenseModule>(&config.modules[i])) {
      hasher.update(fmt::format("module {}: dense {} {}", i, dense->activation, dense->use_residual));
    } else if (std::holds_alternative<LayerNormModule>(config.modules[i])) {
      hasher.update(fmt::format("module {}: layer norm", i));
    }
    if (modules[i]) RETURN_IF_ERROR(modules[i]->hash(hasher));
  }
  return {};
}

/// What an encoder's weights are read from.
struct WeightSources {
  TensorSource tensors;
  std::optional<AdapterSource> adapter;
  ModuleTensors modules;
};

/// See TextEncoder::weights_hash().
Result<std::string> hash_weights(const ModelConfig& config, const EncoderSpec& spec, const WeightSources& sources) {
  Hasher hasher(HashKind::kSha256);
  RETURN_IF_ERROR(sources.tensors.hash(hasher));
  if (sources.adapter) RETURN_IF_ERROR(sources.adapter->tensors.hash(hasher));
  for (const std::filesystem::path& file : tokenizer_files(config.transformer_folder)) {
    RETURN_IF_ERROR(hash_file(file, hasher));
  }
  // What the weights' shapes do not tell.
  hasher.update(fmt::format("{} {} {} {} {}", spec.layers, spec.heads, static_cast<int>(spec.activation),
                            spec.layer_norm_eps, spec.token_types));
  RETURN_IF_ERROR(hash_modules(config, sources.modules, hasher));
  return "sha256:" + hasher.finish();
}

}  // namespace

struct TextEncoder::State {
  State(ModelConfig model_config, WeightSources weight_sources, Tokenizer text_tokenizer, Encoder token_encoder,
        Compute chosen)
      : config(std::move(model_config)),
        sources(std::move(weight_sources)),
        tokenizer(std::move(text_tokenizer)),
        encoder(std::move(token_encoder)),
        compute(std::move(chosen.info)),
        pad_id(static_cast<std::int32_t>(config.transformer.pad_token_id)),
        pool(compute.threads),
        workers(pool.threads()) {}

  struct Worker {
    TokenBatch batch;
    EncoderWorkspace workspace;
  };
  struct TokenizedText {
    std::size_t index;
    Encoding encoding;
  };

  ModelConfig config;
  WeightSources sources;
  Tokenizer tokenizer;
  Encoder encoder;  // Reads from `sources`.
  ComputeInfo compute;
  std::size_t batch_tokens = 0;
  std::size_t max_length = 0;
  std::int32_t pad_id;

  std::mutex run_mutex;  // One run at a time: it owns the workers' memory.
  ThreadPool pool;
  std::vector<Worker> workers;

  std::mutex hash_mutex;
  std::optional<std::string> weights_hash;

  void encode(std::span<const TokenizedText> texts, HiddenRows rows, const HiddenConsumer& consume, Worker& worker) {
    worker.batch.clear();
    const TokenTables tables = encoder.spec().tables();
    for (const TokenizedText& text : texts) {
      worker.batch.append(text.encoding.ids, text.encoding.type_ids, tables);
    }
    const MatrixView hidden = encoder.forward(worker.batch, rows, worker.workspace);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::size_t first = rows == HiddenRows::kAll ? worker.batch.offsets[i] : i;
      const std::size_t count = rows == HiddenRows::kAll ? worker.batch.offsets[i + 1] - first : 1;
      consume(texts[i].index, {hidden.data + first * hidden.columns, count, hidden.columns});
    }
  }
};

TextEncoder::TextEncoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
TextEncoder::TextEncoder(TextEncoder&&) noexcept = default;
TextEncoder& TextEncoder::operator=(TextEncoder&&) noexcept = default;
TextEncoder::~TextEncoder() = default;

Result<TextEncoder> TextEncoder::open(const std::filesystem::path& folder, const TextEncoderOptions& options) {
  const ModelTask task = options.task;
  const std::size_t threads = options.compute.threads == 0 ? available_processors() : options.compute.threads;
  constexpr std::size_t kThreadsMax = 1024;
  if (threads > kThreadsMax) {
    return fail(ErrorCode::kInvalidArgument, "threads is {}, want at most {}", threads, kThreadsMax);
  }
  ASSIGN_OR_RETURN(Compute compute, choose_compute(options.compute, threads));
  ASSIGN_OR_RETURN(ModelConfig config, read_model_config(folder));
  if (task == ModelTask::kClassify) config.modules.clear();  // They make vectors of texts, which nobody asks for.
  const Result<EncoderSpec> made_spec = make_encoder_spec(config.transformer, task);
  if (!made_spec) return fail_in((config.transformer_folder / "config.json").string(), made_spec.error());
  const EncoderSpec& spec = *made_spec;
  ASSIGN_OR_RETURN(Tokenizer tokenizer,
                   Tokenizer::open(config.transformer_folder, {.lower_case = config.do_lower_case}));
  if (tokenizer.vocabulary_size() > spec.vocabulary_size) {
    return fail(ErrorCode::kConflict, "{}: the tokenizer has ids up to {}, the embedding has {} rows", folder.string(),
                tokenizer.vocabulary_size() - 1, spec.vocabulary_size);
  }
  const bool pairs = task == ModelTask::kClassify;
  const SequenceLayout layout = tokenizer.layout(pairs);
  if (spec.token_types > 1 && layout.token_types > spec.token_types) {
    return fail(ErrorCode::kConflict, "{}: the tokenizer gives {} the token type {}, the model has {} types",
                folder.string(), pairs ? "pairs" : "texts", layout.token_types - 1, spec.token_types);
  }
  ASSIGN_OR_RETURN(TensorSource tensors, TensorSource::open_folder(config.transformer_folder));
  WeightSources sources{.tensors = std::move(tensors), .adapter = {}, .modules = {}};
  if (options.adapter) {
    ASSIGN_OR_RETURN(sources.adapter, AdapterSource::open(*options.adapter));
  }
  ASSIGN_OR_RETURN(sources.modules, open_modules(config));
  std::optional<std::string> weights_hash;
  if (options.expected_weights_hash) {
    ASSIGN_OR_RETURN(weights_hash, hash_weights(config, spec, sources));
    if (*weights_hash != *options.expected_weights_hash) {
      return fail(ErrorCode::kConflict, "{}: holds another encoder: weights: expected {}, got {}", folder.string(),
                  *options.expected_weights_hash, *weights_hash);
    }
  }
  const AdapterSource* adapter = sources.adapter ? &*sources.adapter : nullptr;
  const LoadOptions load{.precision = compute.info.precision, .adapter = adapter};
  ASSIGN_OR_RETURN(Encoder encoder, Encoder::load(spec, sources.tensors, *compute.kernels, load));
  RETURN_IF_ERROR(sources.tensors.check_unchanged());
  if (adapter != nullptr) RETURN_IF_ERROR(adapter->tensors.check_unchanged());

  const std::size_t usable = spec.usable_positions();
  const std::size_t length = options.max_length.value_or(max_tokens(config, usable));
  if (length > usable || length <= layout.special_tokens) {
    return fail(ErrorCode::kInvalidArgument, "{}: max_length is {}, want more than {} (special tokens) and at most {}",
                folder.string(), length, layout.special_tokens, usable);
  }
  auto state = std::make_unique<State>(std::move(config), std::move(sources), std::move(tokenizer), std::move(encoder),
                                       std::move(compute));
  state->batch_tokens = options.compute.batch_tokens;
  if (state->batch_tokens == 0) {
    state->batch_tokens = spec.hidden_size < kWideHiddenSize ? kBatchTokens : kWideBatchTokens;
    state->batch_tokens = batch_rows(std::max(spec.hidden_size, spec.embedding_size), state->batch_tokens);
  }
  state->max_length = length;
  state->weights_hash = std::move(weights_hash);
  return TextEncoder(std::move(state));
}

Result<Truncation> TextEncoder::run(std::span<const TextInput> texts, HiddenRows rows, const HiddenConsumer& consume,
                                    const ProgressCallback& progress) const {
  State& state = *state_;
  const std::lock_guard lock(state.run_mutex);
  const EncodeOptions options{.tokens_max = state.max_length};
  Truncation truncation{.texts = texts.size()};
  std::vector<State::TokenizedText> window;
  std::vector<std::size_t> batch_ends;

  for (std::size_t begin = 0; begin < texts.size(); begin += kWindowTexts) {
    const std::size_t count = std::min(kWindowTexts, texts.size() - begin);
    window.resize(count);
    state.pool.run((count + kTokenizeTexts - 1) / kTokenizeTexts, [&](std::size_t part, std::size_t) {
      const std::size_t last = std::min((part + 1) * kTokenizeTexts, count);
      for (std::size_t i = part * kTokenizeTexts; i < last; ++i) {
        const TextInput& text = texts[begin + i];
        std::string prompted;  // Texts are copied only where something is put before them.
        if (!text.prompt.empty()) prompted.append(text.prompt).append(text.first);
        const std::string_view first = text.prompt.empty() ? text.first : std::string_view(prompted);
        window[i] = {begin + i, text.second ? state.tokenizer.encode(first, *text.second, options)
                                            : state.tokenizer.encode(first, options)};
        if (Encoding& encoding = window[i].encoding; encoding.ids.empty()) {
          // Only a tokenizer without special tokens leaves nothing of an empty text.
          encoding.ids.push_back(state.pad_id);
          encoding.type_ids.push_back(0);
        }
      }
    });

    std::size_t tokens = 0;
    for (const auto& text : window) {
      tokens += text.encoding.ids.size();
      truncation.texts_truncated += text.encoding.tokens_dropped > 0 ? 1 : 0;
      truncation.tokens_dropped += text.encoding.tokens_dropped;
    }
    // Few tokens are shared out evenly, so that a short job uses every thread.
    const std::size_t share = (tokens + state.pool.threads() - 1) / state.pool.threads();
    const std::size_t batch_tokens = std::min(state.batch_tokens, std::max(share, kBatchTokensMin));
    batch_ends.clear();
    std::size_t batch = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t length = window[i].encoding.ids.size();
      if (batch > 0 && batch + length > batch_tokens) {
        batch_ends.push_back(i);
        batch = 0;
      }
      batch += length;
    }
    batch_ends.push_back(count);

    const auto report = [&](std::size_t done) {
      const std::size_t texts_done = done == 0 ? 0 : batch_ends[done - 1];
      progress({.what = "encoding", .unit = "texts", .done = begin + texts_done, .total = texts.size()});
    };
    state.pool.run(
        batch_ends.size(),
        [&](std::size_t part, std::size_t worker) {
          const std::size_t first = part == 0 ? 0 : batch_ends[part - 1];
          state.encode(std::span(window).subspan(first, batch_ends[part] - first), rows, consume,
                       state.workers[worker]);
        },
        progress ? report : std::function<void(std::size_t)>());
  }
  RETURN_IF_ERROR(state.sources.tensors.check_unchanged());
  return truncation;
}

const ModelConfig& TextEncoder::config() const { return state_->config; }
const EncoderSpec& TextEncoder::spec() const { return state_->encoder.spec(); }
const TensorSource& TextEncoder::tensors() const { return state_->sources.tensors; }
const TensorSource& TextEncoder::module_tensors(std::size_t module) const {
  CHECK(state_->sources.modules[module].has_value());
  return *state_->sources.modules[module];
}
bool TextEncoder::has_adapter() const { return state_->sources.adapter.has_value(); }
const Kernels& TextEncoder::kernels() const { return state_->encoder.kernels(); }
const Tokenizer& TextEncoder::tokenizer() const { return state_->tokenizer; }
const ComputeInfo& TextEncoder::compute() const { return state_->compute; }
std::size_t TextEncoder::max_length() const { return state_->max_length; }

Result<std::string> TextEncoder::weights_hash() const {
  State& state = *state_;
  const std::lock_guard lock(state.hash_mutex);
  if (!state.weights_hash) {
    ASSIGN_OR_RETURN(state.weights_hash, hash_weights(state.config, state.encoder.spec(), state.sources));
  }
  return *state.weights_hash;
}

}  // namespace tandem
