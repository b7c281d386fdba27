// Pulling: bringing a model into the store, whole or not at all.
//
//   HOME/models/KEY/        a model under its final name: it appears there by one rename, when every check has passed
//   HOME/partial/KEY/…/     what a pull has brought so far; the next one goes on from there
//   HOME/locks/KEY          held while a pull works on the model
//
// KEY is the id with "--" for "/", and "@REVISION" behind it for other revisions than main.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/hub_client.h"
#include "model/model_catalog.h"
#include "tandem/model_store.h"
#include "tandem/result.h"

namespace tandem {

struct PullSources {
  HubOptions hub;
  std::span<const CatalogModel> catalog;
};

/// True for what the hub accepts as a model's name, "org/name" or "name". Nothing else gets into paths and URLs.
bool is_model_id(std::string_view id);

/// Where models lie under their final names.
std::filesystem::path models_folder(const std::filesystem::path& home);

/// The folder of a model that the store has.
std::optional<std::filesystem::path> find_stored_model(const std::filesystem::path& home, std::string_view id,
                                                       std::string_view revision);

/// See ModelStore::pull(). `id` must be one by is_model_id().
Result<std::filesystem::path> pull_model(const std::filesystem::path& home, std::string_view id,
                                         const PullOptions& options, const PullSources& sources);

}  // namespace tandem
