// Pulling: bringing a model into the store, whole or not at all.
//
//   HOME/models/KEY/        a model under its final name: it appears there by one rename, when every check has passed
//   HOME/partial/KEY/…/     what a pull has brought so far; the next one goes on from there
//   HOME/locks/KEY          held while a pull works on the model
//
// Nobody else may enter HOME/partial and HOME/locks: what is in there may be damaged, or of a private model. What is in
// them has the usual permissions, with which it appears in HOME/models.
//
// KEY is what key_of() makes of the model's id and the revision.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hub/hub_client.h"
#include "hub/model_catalog.h"
#include "tandem/model_store.h"
#include "tandem/result.h"

namespace tandem {

struct PullSources {
  HubOptions hub;
  std::span<const CatalogModel> catalog;
  /// A folder that may have files of the model already, if not empty: those that are what the hub announces are copied.
  std::filesystem::path seed = {};
};

/// Where models lie under their final names.
std::filesystem::path models_folder(const std::filesystem::path& home);

/// The folder of a model that the store has; none for what is no id or no revision.
std::optional<std::filesystem::path> find_stored_model(const std::filesystem::path& home, std::string_view id,
                                                       std::string_view revision);

/// See ModelStore::pull(). `id` and the revision must be names by is_model_id() and is_revision().
Result<std::filesystem::path> pull_model(const std::filesystem::path& home, std::string_view id,
                                         const PullOptions& options, const PullSources& sources);

}  // namespace tandem
