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
                           .dimensions = encoder.dimensions,
                           .expected_weights_hash = encoder.weights_hash};
  // What the folder decides by itself, before_cut, is what it does where nothing is asked for.
  if (encoder.normalization == Normalization::kAtEnd) options.normalize = true;
  if (encoder.normalization == Normalization::kNone) options.normalize = false;
  if (!encoder.prompt_name.empty()) options.prompt_name = encoder.prompt_name;
  if (recipe.query_prompt) options.query_prompt = {.value = *recipe.query_prompt, .is_text = true};
  if (recipe.document_prompt) options.document_prompt = {.value = *recipe.document_prompt, .is_text = true};
  return options;
}

Result<BiEncoder> open_encoder(const EmbeddingRecipe& recipe, const ModelFolders& folders,
                               const ComputeOptions& compute, const CallOptions& call) {
  BiEncoderOptions options = encoder_options(recipe, compute);
  options.adapter = folders.adapter;
  Result<BiEncoder> encoder = BiEncoder::open(folders.model, options, call);
  // A collection of before did not record how its vectors came to have other lengths than 1. Where the folder's own way
  // gives length 1, it was told not to.
  if (encoder && !recipe.encoder.normalization && encoder->normalization() == Normalization::kAtEnd) {
    options.normalize = false;
    encoder = BiEncoder::open(folders.model, options, call);
  }
  if (encoder) return encoder;
  const char* what = encoder.error().code == ErrorCode::kConflict ? "the collection was made by another encoder"
                                                                  : "the encoder of the collection";
  return fail_in(fmt::format("{}, {}", what, recipe.encoder.model), encoder.error());
}

}  // namespace tandem
