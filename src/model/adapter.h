// Bottleneck adapters: small layers that run after a layer's attention or feed-forward block.
// Source: the adapters package, src/adapters/methods/modeling.py: Adapter.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "base/aligned_buffer.h"
#include "formats/adapter_config.h"
#include "formats/tensor_source.h"
#include "kernels/encoder_kernels.h"
#include "model/activation_moments.h"
#include "model/linear.h"
#include "tandem/result.h"

namespace tandem {

/// An adapter's folder, read: adapter_config.json with adapter.safetensors or pytorch_adapter.bin.
struct AdapterSource {
  AdapterConfig config;
  TensorSource tensors;

  static Result<AdapterSource> open(const std::filesystem::path& folder);
};

/// The norm of the model about the place of an adapter.
struct ModelNorm {
  const NormWeights& weights;
  float epsilon;
};

/// Memory that adapters work in; one per thread.
struct AdapterWorkspace {
  AlignedBuffer<float> input;
  AlignedBuffer<float> narrow;
  AlignedBuffer<float> output;
  PreparedBuffer unused;
};

/// One bottleneck, which runs in f32 whatever the encoder's precision: a hundredth of a layer's work. Immutable and
/// thread-safe.
class BottleneckAdapter {
 public:
  /// `place`: what stands before the adapter's name in the names of its tensors, e.g.
  /// "bert.encoder.layer.3.output.adapters.". Errors: kNotFound, kCorruptData and kUnsupported, each with a name.
  static Result<BottleneckAdapter> load(const AdapterSource& source, const std::string& place, std::size_t layer,
                                        const EncoderKernels& kernels);

  /// hidden ← what the block makes of `update`, its sub-layer's output, and `hidden`, its input: both [rows, width].
  /// `update` is left in no particular state.
  void apply(float* update, float* hidden, std::size_t rows, const ModelNorm& norm, AdapterWorkspace& workspace) const;

 private:
  const EncoderKernels* kernels_ = nullptr;
  AdapterConfig config_{};
  Pointwise activation_ = Pointwise::kRelu;
  Linear down_;
  Linear up_;
  std::optional<NormWeights> norm_before_;
  std::optional<NormWeights> norm_after_;
};

}  // namespace tandem
