// What the vectors of a collection mean: everything that decides them, so that what is added, asked and reranked later
// is treated as the documents were.
//
//   const tandem::EmbeddingRecipe& recipe = collection->info().recipe;
//   auto encoder = tandem::open_encoder(recipe, *store.resolve_named(recipe.encoder));
//   std::string text = recipe.text_of(document);
#pragma once

#include <optional>
#include <string>

#include "tandem/choices.h"
#include "tandem/document.h"
#include "tandem/model_identity.h"

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

}  // namespace tandem
