#include "engine/text_encoder.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/encoder_identity.h"
#include "model/batch_plan.h"
#include "model/cpu_backend.h"

namespace tandem {
namespace {

// Texts that are tokenised before any of them is encoded: bounds the memory for tokens whatever the caller brings.
constexpr std::size_t kWindowTexts = 4096;
// Texts that one worker tokenises at a time.
constexpr std::size_t kTokenizeTexts = 16;

}  // namespace

struct TextEncoder::State {
  State(ModelParts model, std::unique_ptr<EncoderBackend> encoder_backend)
      : parts(std::move(model)),
        backend(std::move(encoder_backend)),
        batch_tokens(parts.options.batch_tokens > 0 ? parts.options.batch_tokens : backend->batch_tokens()),
        workers(executor().threads()),
        weights_hash(parts.weights_hash) {
    for (Worker& worker : workers) worker.session = backend->make_session();
  }

  struct Worker {
    TokenBatch batch;
    std::unique_ptr<EncoderSession> session;
  };
  struct TokenizedText {
    std::size_t index;
    Encoding encoding;
  };

  const ModelParts parts;
  const std::unique_ptr<EncoderBackend> backend;  // Reads from the parts' sources.
  const std::size_t batch_tokens;
  std::vector<Worker> workers;  // [slots of the executor]

  std::mutex hash_mutex;
  std::optional<std::string> weights_hash;

  const Executor& executor() const { return parts.options.executor; }

  Status encode(std::span<const TokenizedText> texts, std::size_t skipped, const CallOptions& call, Worker& worker,
                Matrix& rows) const {
    worker.batch.clear();
    const TokenTables tables = backend->tables();
    for (const TokenizedText& text : texts) {
      worker.batch.append(text.encoding.ids, text.encoding.type_ids, tables);
    }
    ASSIGN_OR_RETURN(const MatrixView read, worker.session->run(worker.batch, {.skipped = skipped, .call = call}));
    for (std::size_t i = 0; i < texts.size(); ++i) std::ranges::copy(read.row(i), rows.row(texts[i].index).begin());
    return {};
  }
};

TextEncoder::TextEncoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
TextEncoder::TextEncoder(TextEncoder&&) noexcept = default;
TextEncoder& TextEncoder::operator=(TextEncoder&&) noexcept = default;
TextEncoder::~TextEncoder() = default;

Result<TextEncoder> TextEncoder::load(ModelParts parts, std::variant<TextVector, Head> read_out,
                                      const CallOptions& call) {
  const WeightSources& sources = *parts.sources;
  const AdapterSource* adapter = sources.adapter ? &*sources.adapter : nullptr;
  ASSIGN_OR_RETURN(Encoder encoder,
                   Encoder::load(parts.spec, sources.tensors, *parts.kernels,
                                 {.precision = parts.compute.precision, .adapter = adapter, .call = call}));
  RETURN_IF_ERROR(sources.tensors.check_unchanged());
  if (adapter != nullptr) RETURN_IF_ERROR(adapter->tensors.check_unchanged());
  auto backend = make_cpu_backend(std::move(encoder), std::move(read_out));
  return TextEncoder(std::make_unique<State>(std::move(parts), std::move(backend)));
}

Result<EncodedTexts> TextEncoder::encode(std::span<const TextInput> texts, std::size_t skipped,
                                         const CallOptions& call) const {
  State& state = *state_;
  const Executor& executor = state.executor();
  const Tokenizer& tokenizer = state.parts.tokenizer;
  const auto pad_id = static_cast<std::int32_t>(state.parts.config.transformer.pad_token_id);
  EncodeOptions options = tokenizer.declared_options();
  options.tokens_max = state.parts.max_length;
  EncodedTexts result{.rows = Matrix(texts.size(), columns()), .truncation = {.texts = texts.size()}};
  std::vector<State::TokenizedText> window;
  std::vector<std::size_t> lengths;

  for (std::size_t begin = 0; begin < texts.size(); begin += kWindowTexts) {
    const std::size_t count = std::min(kWindowTexts, texts.size() - begin);
    window.resize(count);
    const auto tokenize = [&](std::size_t part, std::size_t) -> Status {
      const std::size_t last = std::min((part + 1) * kTokenizeTexts, count);
      for (std::size_t i = part * kTokenizeTexts; i < last; ++i) {
        const TextInput& text = texts[begin + i];
        std::string prompted;  // Texts are copied only where something is put before them.
        if (!text.prompt.empty()) prompted.append(text.prompt).append(text.first);
        const std::string_view first = text.prompt.empty() ? text.first : std::string_view(prompted);
        window[i] = {begin + i,
                     text.second ? tokenizer.encode(first, *text.second, options) : tokenizer.encode(first, options)};
        if (Encoding& encoding = window[i].encoding; encoding.ids.empty()) {
          // Only a tokenizer without special tokens leaves nothing of an empty text.
          encoding.ids.push_back(pad_id);
          encoding.type_ids.push_back(0);
        }
      }
      return {};
    };
    RETURN_IF_ERROR(executor.run((count + kTokenizeTexts - 1) / kTokenizeTexts, tokenize, call));

    lengths.clear();
    for (const auto& text : window) {
      lengths.push_back(text.encoding.ids.size());
      result.truncation.texts_truncated += text.encoding.tokens_dropped > 0 ? 1 : 0;
      result.truncation.tokens_dropped += text.encoding.tokens_dropped;
    }
    const std::vector<std::size_t> ends =
        plan_batches(lengths, {.tokens_max = state.batch_tokens, .sessions = executor.threads()});
    const auto encode = [&](std::size_t part, std::size_t slot) {
      const std::size_t first = part == 0 ? 0 : ends[part - 1];
      return state.encode(std::span(window).subspan(first, ends[part] - first), skipped, call, state.workers[slot],
                          result.rows);
    };
    const auto report = [&](std::size_t done) {
      call.progress({.what = "encoding", .unit = "texts", .done = begin + ends[done - 1], .total = texts.size()});
    };
    RETURN_IF_ERROR(
        executor.run(ends.size(), encode, call, call.progress ? report : std::function<void(std::size_t)>()));
  }
  RETURN_IF_ERROR(state.parts.sources->tensors.check_unchanged());
  return result;
}

bool TextEncoder::is_blank(std::string_view text) const {
  // Nearly every text says within its first words that it has some.
  constexpr std::size_t kBeginningBytes = 64;
  const EncodeOptions options{.add_special_tokens = false};
  const auto has_tokens = [&](std::string_view part) { return !tokenizer().encode(part, options).ids.empty(); };
  return !has_tokens(text.substr(0, kBeginningBytes)) && (text.size() <= kBeginningBytes || !has_tokens(text));
}

std::size_t TextEncoder::columns() const { return state_->backend->columns(); }
const ModelConfig& TextEncoder::config() const { return state_->parts.config; }
const Tokenizer& TextEncoder::tokenizer() const { return state_->parts.tokenizer; }
const ComputeInfo& TextEncoder::compute() const { return state_->parts.compute; }
const Executor& TextEncoder::executor() const { return state_->executor(); }
std::size_t TextEncoder::max_length() const { return state_->parts.max_length; }
const std::string& TextEncoder::settings() const { return state_->parts.settings; }

Result<std::string> TextEncoder::weights_hash(const CallOptions& call) const {
  State& state = *state_;
  const std::lock_guard lock(state.hash_mutex);
  if (!state.weights_hash) {
    ASSIGN_OR_RETURN(state.weights_hash,
                     hash_weights(state.parts.config, state.parts.spec, *state.parts.sources, call));
  }
  return *state.weights_hash;
}

}  // namespace tandem
