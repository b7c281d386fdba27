// What the bi-encoder and the cross-encoder share: a model folder opened, and texts taken through tokenizer and encoder
// on every thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/model_config.h"
#include "formats/tensor_source.h"
#include "kernels/kernels.h"
#include "model/encoder.h"
#include "model/encoder_spec.h"
#include "tandem/compute.h"
#include "tandem/matrix.h"
#include "tandem/progress.h"
#include "tandem/result.h"
#include "tandem/tokenizer.h"

namespace tandem {

/// One text, or a pair that the model reads together.
struct TextInput {
  std::string_view first;
  std::optional<std::string_view> second = {};
  std::string_view prompt = {};  ///< Comes before the first text, as if it were part of it.
};

/// Receives the hidden states of the text `index`, [tokens or 1, hidden_size], in a worker's thread. The rows are valid
/// during the call. Calls for different texts run at the same time.
using HiddenConsumer = std::function<void(std::size_t index, MatrixView hidden)>;

struct TextEncoderOptions {
  ModelTask task = ModelTask::kEmbed;
  ComputeOptions compute = {};
  std::optional<std::size_t> max_length = {};         ///< Tokens per text; default: what the folder says.
  std::optional<std::filesystem::path> adapter = {};  ///< The folder of an adapter for the model.
  /// What weights_hash() has to be. It is compared before the weights are read into an encoder.
  std::optional<std::string> expected_weights_hash = {};
};

/// Thread-safe: calls from several threads run one after another on the same workers.
class TextEncoder {
 public:
  /// Errors: those of reading the folder; kUnsupported where its parts are not run here; kConflict when the tokenizer
  /// and the weights disagree, and for other weights than the expected ones; kInvalidArgument for a max_length that the
  /// model cannot read.
  static Result<TextEncoder> open(const std::filesystem::path& folder, const TextEncoderOptions& options);

  /// Tokenises and encodes every text. `rows`: which hidden states `consume` gets. Errors: kCorruptData when a file of
  /// the weights was changed meanwhile; what `consume` got is then worth nothing.
  Result<Truncation> run(std::span<const TextInput> texts, HiddenRows rows, const HiddenConsumer& consume,
                         const ProgressCallback& progress) const;

  const ModelConfig& config() const;
  const EncoderSpec& spec() const;
  const TensorSource& tensors() const;
  /// Of the module with this place in config().modules, which must have some.
  const TensorSource& module_tensors(std::size_t module) const;
  bool has_adapter() const;
  const Kernels& kernels() const;
  const Tokenizer& tokenizer() const;
  const ComputeInfo& compute() const;
  std::size_t max_length() const;

  /// "sha256:…" over the weights that were read, an adapter's and modules' too, and the tokenizer's files. Computed on
  /// the first call, then remembered.
  Result<std::string> weights_hash() const;

  TextEncoder(TextEncoder&&) noexcept;
  TextEncoder& operator=(TextEncoder&&) noexcept;
  ~TextEncoder();

 private:
  struct State;
  explicit TextEncoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tandem
