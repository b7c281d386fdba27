// What is known of a collection without reading its documents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tandem/choices.h"
#include "tandem/compute.h"
#include "tandem/embedding_recipe.h"

namespace tandem {

/// What a collection remembers about how it was made.
struct CollectionInfo {
  EmbeddingRecipe recipe;
  Metric metric = Metric::kInnerProduct;
  std::size_t documents = 0;
  std::string created;  ///< UTC, ISO 8601.
  std::uint64_t size_bytes = 0;
  Truncation truncation;  ///< What indexing lost.
  /// Settings of the recipe that the collection's version of the format does not hold, and what they are taken to be:
  /// "title separator: a blank". Empty for collections that this program writes.
  std::vector<std::string> not_recorded;
};

}  // namespace tandem
