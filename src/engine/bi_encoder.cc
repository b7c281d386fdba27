#include "tandem/bi_encoder.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/finite.h"
#include "engine/text_encoder.h"
#include "index/vector_file.h"
#include "model/text_vector.h"

namespace tandem {

class BiEncoder::Impl {
 public:
  TextEncoder encoder;
  BiEncoderOptions options;
  std::string name;  // An adapter's own.
  std::vector<Pooling> poolings;
  bool pools_prompt;
  Normalization normalization;
  std::array<std::size_t, 3> prompt_tokens = {};  // [roles] With the special ones; 0: no prompt.

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
};

BiEncoder::BiEncoder(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
BiEncoder::BiEncoder(const BiEncoder&) = default;
BiEncoder& BiEncoder::operator=(const BiEncoder&) = default;
BiEncoder::BiEncoder(BiEncoder&&) noexcept = default;
BiEncoder& BiEncoder::operator=(BiEncoder&&) noexcept = default;
BiEncoder::~BiEncoder() = default;

Result<BiEncoder> BiEncoder::open(const std::filesystem::path& folder, const BiEncoderOptions& options,
                                  const CallOptions& call) {
  if (is_adapter_folder(folder)) {
    ASSIGN_OR_RETURN(const AdapterConfig adapter, read_adapter_config(folder));
    return fail(ErrorCode::kInvalidArgument, "{}: holds an adapter for {}: open that model with this folder as adapter",
                folder.string(), adapter.base_model.empty() ? "another model" : adapter.base_model);
  }
  ASSIGN_OR_RETURN(ModelParts parts, open_model(folder,
                                                {.task = ModelTask::kEmbed,
                                                 .compute = options.compute,
                                                 .max_length = options.max_length,
                                                 .adapter = options.adapter,
                                                 .expected_weights_hash = options.expected_weights_hash},
                                                call));
  // With modules.json the folder says itself that it is a bi-encoder, whatever it was trained from.
  const std::vector<std::string>& architectures = parts.config.transformer.architectures;
  const auto is_cross_encoder = [](const std::string& name) { return name.ends_with("ForSequenceClassification"); };
  if (!parts.config.has_modules_file && std::ranges::any_of(architectures, is_cross_encoder)) {
    return fail(ErrorCode::kUnsupported, "{}: holds a cross-encoder ({}), which scores pairs and gives no vectors",
                folder.string(), architectures.front());
  }
  if (options.prompt_name && !parts.config.prompts.contains(*options.prompt_name)) {
    return fail(ErrorCode::kInvalidArgument, "{}: no prompt is named '{}'", folder.string(), *options.prompt_name);
  }
  const TextVectorOptions wanted{
      .pooling = options.pooling, .normalize = options.normalize, .dimensions = options.dimensions};
  ASSIGN_OR_RETURN(TextVector vector, TextVector::load(folder, parts.config, parts.spec.hidden_size, *parts.sources,
                                                       *parts.kernels, wanted));
  if (vector.columns() > kVectorDimensionsMax) {
    return fail(ErrorCode::kUnsupported, "{}: vectors of {} dimensions, want at most {}", folder.string(),
                vector.columns(), kVectorDimensionsMax);
  }
  std::string name = parts.config.name;
  if (options.adapter) {
    ASSIGN_OR_RETURN(name, read_model_name(*options.adapter));
  }
  std::vector<Pooling> poolings = vector.poolings();
  const bool pools_prompt = vector.pools_prompt();
  const Normalization normalization = vector.normalization();
  ASSIGN_OR_RETURN(TextEncoder encoder, TextEncoder::load(std::move(parts), std::move(vector), call));
  std::unique_ptr<Impl> impl(
      new Impl{std::move(encoder), options, std::move(name), std::move(poolings), pools_prompt, normalization});
  for (const TextRole role : {TextRole::kPlain, TextRole::kQuery, TextRole::kDocument}) {
    const std::string_view prompt = impl->prompt(role);
    if (prompt.empty()) continue;
    impl->prompt_tokens[static_cast<std::size_t>(role)] = impl->encoder.tokenizer().encode(prompt).ids.size();
  }
  return BiEncoder(std::move(impl));
}

Result<Embeddings> BiEncoder::encode(std::span<const std::string_view> texts, TextRole role,
                                     const CallOptions& call) const {
  const Impl& impl = *impl_;
  const std::string_view prompt = impl.prompt(role);
  std::vector<TextInput> inputs(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) inputs[i] = {.first = texts[i], .prompt = prompt};

  std::size_t skipped = 0;
  if (!prompt.empty()) {
    const std::size_t tokens = impl.prompt_tokens[static_cast<std::size_t>(role)];
    if (tokens >= impl.encoder.max_length()) {
      return fail(ErrorCode::kInvalidArgument,
                  "{}: its prompt takes {} tokens with the special ones, and {} are read: nothing of a text is left",
                  impl.name, tokens, impl.encoder.max_length());
    }
    // The prompt's tokens with the special one before them, without the one after them: as the reference counts.
    if (!impl.pools_prompt) skipped = tokens > 0 ? tokens - 1 : 0;
  }
  ASSIGN_OR_RETURN(EncodedTexts encoded, impl.encoder.encode(inputs, skipped, call));
  Embeddings embeddings{.vectors = std::move(encoded.rows), .truncation = encoded.truncation};
  for (std::size_t row = 0; row < texts.size(); ++row) {
    // One component that is not finite spoils every ranking and average that it takes part in.
    if (is_finite(embeddings.vectors.row(row))) continue;
    return fail(ErrorCode::kCorruptData, "text {}: {} gives a vector that is not finite: are its weights damaged?",
                row + 1, impl.name);
  }
  return embeddings;
}

std::size_t BiEncoder::dimensions() const { return impl_->encoder.columns(); }
Normalization BiEncoder::normalization() const { return impl_->normalization; }
const ComputeInfo& BiEncoder::compute() const { return impl_->encoder.compute(); }

std::string_view BiEncoder::prompt(TextRole role) const { return impl_->prompt(role); }

const Executor& BiEncoder::executor() const { return impl_->encoder.executor(); }

Result<BiEncoderIdentity> BiEncoder::identity(const CallOptions& call) const {
  const Impl& impl = *impl_;
  ASSIGN_OR_RETURN(std::string weights_hash, impl.encoder.weights_hash(call));
  std::string pooling;
  for (const Pooling mode : impl.poolings) {
    if (!pooling.empty()) pooling += '+';
    pooling += name_of(mode);
  }
  return BiEncoderIdentity{
      .model = impl.name,
      .weights_hash = std::move(weights_hash),
      .settings = impl.encoder.settings(),
      .pooling = pooling,
      .prompt_name = impl.options.prompt_name.value_or(""),
      .dimensions = impl.encoder.columns(),
      .max_length = impl.encoder.max_length(),
      .normalization = impl.normalization,
  };
}

}  // namespace tandem
