// Finds the tensors of a model and checks them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tensor_source.h"
#include "model/encoder_spec.h"
#include "tandem/result.h"

namespace tandem {

struct NormWeights {
  std::vector<float> gamma;
  std::vector<float> beta;
};

/// What torch.nn.LayerNorm adds to the variance where nobody says otherwise.
constexpr float kTorchNormEpsilon = 1e-5F;

/// A tensor of floating-point numbers, with its shape checked. `name` is the full name. Errors: kNotFound, kCorruptData
/// (another shape), kUnsupported (another type).
Result<const TensorView*> find_tensor(const TensorSource& source, std::string_view name,
                                      std::span<const std::uint64_t> shape);

/// Reads a whole tensor as f32. Errors: those of find_tensor(), and kCorruptData for what is not finite: attention and
/// quantisation would make finite vectors of it.
Result<std::vector<float>> read_tensor(const TensorSource& source, std::string_view name,
                                       std::span<const std::uint64_t> shape);

/// Reads a norm, both of its tensors [width], by their full names. Errors: those of read_tensor().
Result<NormWeights> read_norm(const TensorSource& source, const LinearNames& names, std::size_t width);

/// The full name of a tensor under the first of the spec's prefixes that has it; itself where none does. Checkpoints of
/// models that were wrapped for training have "module." in front, and the first BERTs call a norm's tensors gamma and
/// beta.
std::string resolve_name(const EncoderSpec& spec, const TensorSource& source, std::string_view name);

}  // namespace tandem
