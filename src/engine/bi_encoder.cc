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
  std::array<std::string, 3> prompts;  // [roles]
  // [roles] How many tokens the prompt has alone, special ones included, and how many of them count as the prompt's
  // when they are left out of pooling: all but a special one at the end, as the reference counts. 0: no prompt.
  std::array<std::size_t, 3> prompt_tokens = {};
  std::array<std::size_t, 3> unpooled_tokens = {};

  std::string_view prompt(TextRole role) const { return prompts[static_cast<std::size_t>(role)]; }
};

namespace {

/// The text of a prompt that the caller chose.
Result<std::string> resolve_prompt(const PromptChoice& choice, const ModelConfig& config,
                                   const std::filesystem::path& folder) {
  if (choice.is_text) return choice.value;
  const auto found = config.prompts.find(choice.value);
  if (found != config.prompts.end()) return found->second;
  constexpr std::string_view kOfNames = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  if (choice.value.empty() || choice.value.find_first_not_of(kOfNames) != choice.value.npos) return choice.value;
  std::string names;
  for (const auto& [name, text] : config.prompts) names.append(names.empty() ? "" : ", ").append(name);
  return fail(
      ErrorCode::kInvalidArgument,
      "{}: no prompt is named '{}': its prompts are {}. A text that is put before others has a blank or another "
      "mark in it, such as '{}: '",
      folder.string(), choice.value, names.empty() ? "none" : names, choice.value);
}

/// What is put before a text of each role: as the caller chose, else as the reference does.
Result<std::array<std::string, 3>> choose_prompts(const BiEncoderOptions& options, const ModelConfig& config,
                                                  const std::filesystem::path& folder) {
  const auto find = [&](const std::string& name) {
    const auto found = config.prompts.find(name);
    return found == config.prompts.end() ? std::string() : found->second;
  };
  const auto of_role = [&](const std::optional<PromptChoice>& choice, const char* name) -> Result<std::string> {
    if (choice) return resolve_prompt(*choice, config, folder);
    return find(options.prompt_name.value_or(name));
  };
  if (options.prompt_name && !config.prompts.contains(*options.prompt_name)) {
    return fail(ErrorCode::kInvalidArgument, "{}: no prompt is named '{}'", folder.string(), *options.prompt_name);
  }
  std::array<std::string, 3> prompts;
  if (options.prompt_name || config.default_prompt_name) {
    prompts[static_cast<std::size_t>(TextRole::kPlain)] =
        find(options.prompt_name ? *options.prompt_name : *config.default_prompt_name);
  }
  ASSIGN_OR_RETURN(prompts[static_cast<std::size_t>(TextRole::kQuery)], of_role(options.query_prompt, "query"));
  ASSIGN_OR_RETURN(prompts[static_cast<std::size_t>(TextRole::kDocument)],
                   of_role(options.document_prompt, "document"));
  return prompts;
}

}  // namespace

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
  ASSIGN_OR_RETURN(auto prompts, choose_prompts(options, parts.config, folder));
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
  std::unique_ptr<Impl> impl(new Impl{std::move(encoder), options, std::move(name), std::move(poolings), pools_prompt,
                                      normalization, std::move(prompts)});
  for (const TextRole role : {TextRole::kPlain, TextRole::kQuery, TextRole::kDocument}) {
    const std::string_view prompt = impl->prompt(role);
    if (prompt.empty()) continue;
    const std::vector<std::int32_t> ids = impl->encoder.tokenizer().encode(prompt).ids;
    const bool ends_special = !ids.empty() && impl->encoder.tokenizer().is_special(ids.back());
    impl->prompt_tokens[static_cast<std::size_t>(role)] = ids.size();
    impl->unpooled_tokens[static_cast<std::size_t>(role)] = ids.size() - (ends_special ? 1 : 0);
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
                  "{}: its prompt (config_sentence_transformers.json) takes {} tokens with the special ones, and {} "
                  "are read: nothing of a text is left",
                  impl.name, tokens, impl.encoder.max_length());
    }
    if (!impl.pools_prompt) skipped = impl.unpooled_tokens[static_cast<std::size_t>(role)];
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

Result<Metric> BiEncoder::metric() const {
  const std::string& declared = impl_->encoder.config().similarity;
  const bool has_length_1 = impl_->normalization == Normalization::kAtEnd;
  if (declared.empty()) return has_length_1 ? Metric::kInnerProduct : Metric::kL2;
  if (declared == "cosine") return has_length_1 ? Metric::kInnerProduct : Metric::kCosine;
  if (declared == "dot") return Metric::kInnerProduct;
  if (declared == "euclidean") return Metric::kL2;
  return fail(ErrorCode::kUnsupported,
              "{}: its vectors are to be compared by '{}' (similarity_fn_name), which is not supported: want another "
              "metric to be chosen",
              impl_->name, declared);
}

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
