#include <fmt/format.h>

#include "base/error.h"
#include "tandem/bi_encoder.h"

namespace tandem {

BiEncoderOptions encoder_options(const EmbeddingRecipe& recipe, ComputeOptions compute) {
  const BiEncoderIdentity& encoder = recipe.encoder;
  if (compute.precision == Precision::kAuto) compute.precision = recipe.precision;
  BiEncoderOptions options{.compute = compute,
                           .max_length = encoder.max_length,
                           .pooling = choice_of<Pooling>(encoder.pooling),  // Several at once are the folder's own.
                           .normalize = encoder.normalized,
                           .dimensions = encoder.dimensions,
                           .expected_weights_hash = encoder.weights_hash};
  if (!encoder.prompt_name.empty()) options.prompt_name = encoder.prompt_name;
  return options;
}

Result<BiEncoder> open_encoder(const EmbeddingRecipe& recipe, const ModelFolders& folders,
                               const ComputeOptions& compute, const CallOptions& call) {
  BiEncoderOptions options = encoder_options(recipe, compute);
  options.adapter = folders.adapter;
  Result<BiEncoder> encoder = BiEncoder::open(folders.model, options, call);
  if (encoder) return encoder;
  const char* what = encoder.error().code == ErrorCode::kConflict ? "the collection was made by another encoder"
                                                                  : "the encoder of the collection";
  return fail_in(fmt::format("{}, {}", what, recipe.encoder.model), encoder.error());
}

}  // namespace tandem
