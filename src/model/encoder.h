// The transformer encoder: tokens in, hidden states out.
//
// One thread takes one batch of about a hundred tokens through every layer, so that all that lies between two matrix
// products stays in that core's second cache level and threads never wait for each other.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/aligned_buffer.h"
#include "formats/tensor_source.h"
#include "kernels/encoder_kernels.h"
#include "model/activation_moments.h"
#include "model/adapter.h"
#include "model/encoder_spec.h"
#include "model/linear.h"
#include "model/token_batch.h"
#include "tandem/call.h"
#include "tandem/compute.h"
#include "tandem/matrix.h"
#include "tandem/result.h"

namespace tandem {

/// Which hidden states the caller reads. With kFirst the last layer computes nothing else for the other tokens but what
/// the first one attends to: exact, and a sixth of the work of a layer is all that is left of it.
enum class HiddenRows {
  kAll,    ///< [tokens, hidden_size]
  kFirst,  ///< Of each sequence, the first token: [sequences, hidden_size]
};

/// Memory that a forward pass works in. One per thread, reused from batch to batch.
struct EncoderWorkspace {
  AlignedBuffer<float> embedded;
  AlignedBuffer<float> hidden;
  AlignedBuffer<float> qkv;
  AlignedBuffer<Bf16> qkv_bf16;
  AlignedBuffer<float> context;
  AlignedBuffer<float> projected;
  AlignedBuffer<float> expanded;
  AlignedBuffer<Bf16> expanded_bf16;
  AlignedBuffer<std::uint8_t> attention;
  PreparedBuffer prepared;
  PreparedBuffer prepared_expanded;
  AdapterWorkspace adapter;
};

struct LoadOptions {
  Precision precision = Precision::kF32;   ///< Not kAuto, and bf16 only where the kernels have it.
  const AdapterSource* adapter = nullptr;  ///< Null: none. Needed while loading only.
  CallOptions call = {};                   ///< Looked at between layers.
};

/// Immutable: forward() may be called from many threads at once, each with its own workspace.
class Encoder {
 public:
  /// Binds and packs the tensors that `spec` names. `source` must outlive the encoder: embedding rows are read from its
  /// mapping.
  /// Errors: kNotFound (a tensor is missing), kCorruptData (a tensor has another shape or type), each with its name;
  /// kConflict for an adapter of another width, kUnsupported for one that the family has no place for.
  static Result<Encoder> load(const EncoderSpec& spec, const TensorSource& source, const EncoderKernels& kernels,
                              const LoadOptions& options);

  /// Hidden states after the last layer. They live in the workspace until its next use. Every token id, type id and
  /// position id must be inside the tables. The rows of a sequence have the same bits in any batch. Errors: those of
  /// `call`, which is looked at between layers.
  Result<MatrixView> forward(const TokenBatch& batch, HiddenRows rows, EncoderWorkspace& workspace,
                             const CallOptions& call = {}) const;

  const EncoderSpec& spec() const { return spec_; }
  const EncoderKernels& kernels() const { return *kernels_; }

 private:
  struct Layer {
    Linear qkv;  ///< Query, key and value side by side.
    Linear attention_output;
    NormWeights attention_norm;
    std::optional<BottleneckAdapter> attention_adapter;
    Linear up;
    Linear down;
    NormWeights output_norm;
    std::optional<BottleneckAdapter> output_adapter;
  };
  class Loader;

  std::vector<float> sample_embeddings() const;
  void embed(const TokenBatch& batch, EncoderWorkspace& workspace) const;
  void attend(const Layer& layer, const TokenBatch& batch, bool first_rows_only, EncoderWorkspace& workspace) const;
  void add_and_normalize(float* hidden, std::size_t rows, const NormWeights& norm,
                         const std::optional<BottleneckAdapter>& adapter, EncoderWorkspace& workspace) const;
  void feed_forward(const Layer& layer, float* hidden, std::size_t rows, EncoderWorkspace& workspace) const;

  EncoderSpec spec_;
  const EncoderKernels* kernels_ = nullptr;
  Precision precision_ = Precision::kF32;
  const TensorView* word_embeddings_ = nullptr;
  std::vector<float> position_embeddings_;  // [positions, embedding_size]
  std::vector<float> token_type_embeddings_;
  NormWeights embeddings_norm_;
  std::optional<Linear> embedding_projection_;
  std::vector<float> position_bias_;  // [heads, 2 · usable_positions - 1]: what attention adds by distance.
  std::vector<Layer> layers_;
};

}  // namespace tandem
