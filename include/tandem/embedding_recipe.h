// What the vectors of a collection mean: everything that decides them, so that what is added, asked and reranked later
// is treated as the documents were.
//
//   const tandem::EmbeddingRecipe& recipe = collection->info().recipe;
//   auto encoder = tandem::open_encoder(recipe, *store.resolve_named(recipe.encoder));
//   std::string text = recipe.text_of(document);
#pragma once

#include <optional>
#include <string>

#include "tandem/bi_encoder.h"
#include "tandem/call.h"
#include "tandem/choices.h"
#include "tandem/compute.h"
#include "tandem/corpus.h"
#include "tandem/export.h"
#include "tandem/model_store.h"
#include "tandem/result.h"

namespace tandem {

struct EmbeddingRecipe {
  BiEncoderIdentity encoder;
  /// The arithmetic of the documents' vectors. kAuto: it was not recorded. Vectors of two precisions may be compared;
  /// docs/precision.md says what that costs.
  Precision precision = Precision::kAuto;
  std::string title_separator = " ";  ///< Between title and text.
  /// What stands before queries and before documents; empty: nothing. None: it was not recorded.
  std::optional<std::string> query_prompt = {};
  std::optional<std::string> document_prompt = {};

  /// The text of a document that is embedded, and that a cross-encoder reads.
  std::string text_of(const Document& document) const { return document.full_text(title_separator); }
};

/// How the recipe's encoder is opened, so that its vectors fit to those that are there: other weights than the recipe's
/// are an error then. Where `compute` leaves the precision open, it is the recipe's.
TANDEM_EXPORT BiEncoderOptions encoder_options(const EmbeddingRecipe& recipe, ComputeOptions compute = {});

/// Opens the recipe's encoder, with the recipe's adapter, from where they lie: ModelStore::resolve_named() knows, or
/// their owner. Errors: those of BiEncoder::open(), with the name of the encoder that is wanted; kConflict where it is
/// another that lies there.
TANDEM_EXPORT Result<BiEncoder> open_encoder(const EmbeddingRecipe& recipe, const ModelFolders& folders,
                                             const ComputeOptions& compute = {}, const CallOptions& call = {});

}  // namespace tandem
