// From the hidden states of a text to its vector: pooling and the modules that follow it.
// Reference: sentence-transformers, models/Pooling.py, models/Dense.py, models/LayerNorm.py and models/Normalize.py.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "formats/model_config.h"
#include "kernels/encoder_kernels.h"
#include "model/linear.h"
#include "model/weight_sources.h"
#include "model/weights.h"
#include "tandem/choices.h"
#include "tandem/matrix.h"
#include "tandem/result.h"

namespace tandem {

/// What a caller wants otherwise than the folder says; see BiEncoderOptions.
struct TextVectorOptions {
  std::optional<Pooling> pooling = {};
  std::optional<bool> normalize = {};
  std::optional<std::size_t> dimensions = {};
};

/// Immutable and thread-safe.
class TextVector {
 public:
  /// `folder`: what errors name. Errors: kConflict for modules whose widths contradict each other, kUnsupported (no
  /// pooling, an activation), kInvalidArgument for more dimensions than there are, and those of reading tensors.
  static Result<TextVector> load(const std::filesystem::path& folder, const ModelConfig& config,
                                 std::size_t hidden_size, const WeightSources& sources, const EncoderKernels& kernels,
                                 const TextVectorOptions& options);

  /// The vector of a text, out[columns()], from its hidden states, [tokens, hidden_size], of which the first `skipped`
  /// do not count. Where reads_first_token(), the first row is enough.
  void read(MatrixView hidden, std::size_t skipped, std::span<float> out) const;

  bool reads_first_token() const;
  std::size_t columns() const { return dimensions_; }
  const std::vector<Pooling>& poolings() const { return poolings_; }  ///< Concatenated in this order.
  bool pools_prompt() const { return pools_prompt_; }                 ///< include_prompt
  /// Cutting components off undoes a normalisation. The folder's own comes before that, the caller's after it.
  Normalization normalization() const;

 private:
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

  static Result<DenseStep> load_dense(const DenseModule& module, const TensorSource& tensors,
                                      const EncoderKernels& kernels);
  static std::vector<float> run_dense(const DenseStep& step, std::span<const float> vector);

  const EncoderKernels* kernels_ = nullptr;
  TextVectorOptions options_;
  std::vector<Pooling> poolings_;
  bool pools_prompt_ = true;
  std::vector<Step> steps_;  // Between pooling and the last normalisation.
  bool normalized_ = false;
  std::size_t width_ = 0;       // After the modules.
  std::size_t dimensions_ = 0;  // What is kept of it.
};

}  // namespace tandem
