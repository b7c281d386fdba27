// From the hidden state of a pair's first token to its scores, one for each label.
// Reference: CrossEncoder of sentence-transformers, and the …ForSequenceClassification models of transformers.
#pragma once

#include <cstddef>
#include <span>

#include "formats/model_config.h"
#include "kernels/encoder_kernels.h"
#include "model/encoder_spec.h"
#include "model/linear.h"
#include "model/weight_sources.h"
#include "tandem/choices.h"
#include "tandem/result.h"

namespace tandem {

/// Immutable and thread-safe.
class Head {
 public:
  /// Reads what `spec.head` names. `activation`: kAuto is what the folder declares, else the rule of
  /// sentence-transformers. Errors: kUnsupported for another activation, and those of reading tensors.
  static Result<Head> load(const ModelConfig& config, const EncoderSpec& spec, const WeightSources& sources,
                           const EncoderKernels& kernels, Activation activation);

  /// The scores of a pair, out[columns()], from the hidden state of its first token.
  void read(std::span<const float> first_token, std::span<float> out) const;

  std::size_t columns() const { return output_.outputs(); }
  Activation activation() const { return activation_; }  ///< Never kAuto.

 private:
  Activation activation_ = Activation::kNone;
  Pointwise dense_activation_ = Pointwise::kTanh;
  Linear dense_;
  Linear output_;
};

}  // namespace tandem
