#include "store/collection_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCurrent = "CURRENT";
constexpr const char* kNextCurrent = "CURRENT.new";
constexpr const char* kVectors = "vectors.f32";
constexpr const char* kDocuments = "documents.sqlite";
constexpr const char* kManifest = "manifest.json";
constexpr std::string_view kGenerationPrefix = "generation-";
constexpr std::uint64_t kManifestBytesMax = std::uint64_t{1} << 20;

// A version may be replaced while it is being opened, so opening is tried again; once a writer has been as fast as
// that this many times in a row, something else is wrong.
constexpr int kOpenAttemptsMax = 100;

std::string generation_name(std::uint64_t number) { return fmt::format("{}{:06}", kGenerationPrefix, number); }

/// The number of a generation's folder; nullopt for any other name, so that nothing else is ever opened or removed.
std::optional<std::uint64_t> generation_number(std::string_view name) {
  if (!name.starts_with(kGenerationPrefix)) return std::nullopt;
  const std::string_view digits = name.substr(kGenerationPrefix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || generation_name(number) != name) return std::nullopt;
  return number;
}

/// Links are refused: whoever made a collection may not say what else is opened. The collection's own folder may be
/// one, since the user names it. What is no regular file is refused where it is opened.
Status refuse_link(const fs::path& path) {
  std::error_code ignored;  // What is not there is said where it is opened.
  if (!fs::is_symlink(fs::symlink_status(path, ignored))) return {};
  return fail(ErrorCode::kInvalidArgument, "{}: a link, not a regular file or folder: a collection holds no links",
              path.string());
}

/// The generation that CURRENT names; nullopt when there is no CURRENT.
Result<std::optional<std::uint64_t>> read_current(const fs::path& folder) {
  const fs::path path = folder / kCurrent;
  constexpr std::uint64_t kBytesMax = 64;
  RETURN_IF_ERROR(refuse_link(path));
  const Result<std::string> content = read_small_file(path, kBytesMax);
  if (!content) {
    if (content.error().code == ErrorCode::kNotFound) return std::optional<std::uint64_t>();
    return tl::unexpected(content.error());
  }
  std::string_view name = *content;
  if (name.ends_with('\n')) name.remove_suffix(1);
  const std::optional<std::uint64_t> number = generation_number(name);
  if (!number) {
    return fail(ErrorCode::kCorruptData, "{}: expected the name of a generation, such as {}", path.string(),
                generation_name(1));
  }
  return number;
}

Result<std::uint64_t> size_of_files(const fs::path& generation) {
  std::uint64_t bytes = 0;
  for (const char* name : {kVectors, kDocuments, kManifest}) {
    std::error_code error;
    bytes += fs::file_size(generation / name, error);
    if (error) return fail_errno(error.value(), "cannot read its size", (generation / name).string());
  }
  return bytes;
}

Result<StoredCollection> open_generation(const fs::path& generation) {
  RETURN_IF_ERROR(refuse_link(generation));
  for (const char* name : {kVectors, kDocuments, kManifest}) RETURN_IF_ERROR(refuse_link(generation / name));
  const fs::path manifest_path = generation / kManifest;
  ASSIGN_OR_RETURN(const std::string manifest, read_small_file(manifest_path, kManifestBytesMax));
  ASSIGN_OR_RETURN(CollectionInfo info, parse_manifest(manifest, manifest_path.string()));
  ASSIGN_OR_RETURN(VectorFile vectors, VectorFile::open(generation / kVectors));
  ASSIGN_OR_RETURN(DocumentReader documents, DocumentReader::open(generation / kDocuments));
  ASSIGN_OR_RETURN(info.size_bytes, size_of_files(generation));

  const VectorRows rows = vectors.rows();
  if (rows.dimensions() != info.recipe.encoder.dimensions) {
    return fail(ErrorCode::kCorruptData, "{}: vectors of {} dimensions, want the {} of {}",
                (generation / kVectors).string(), rows.dimensions(), info.recipe.encoder.dimensions, kManifest);
  }
  if (info.documents == 0 || rows.count() != info.documents || documents.count() != info.documents) {
    return fail(ErrorCode::kCorruptData, "{}: {} vectors and {} documents, want the {} of {}, and at least 1",
                generation.string(), rows.count(), documents.count(), info.documents, kManifest);
  }
  std::vector<VectorFile> segments;
  segments.push_back(std::move(vectors));
  return StoredCollection{std::move(info), std::move(segments), std::move(documents)};
}

/// The writers' lock: an exclusive flock(2) on the collection's folder, which ends with the process whatever happens.
class FolderLock {
 public:
  static Result<FolderLock> take(const fs::path& folder) {
    for (;;) {
      bool made = ::mkdir(folder.c_str(), 0777) == 0;
      if (!made && errno != EEXIST) return fail_errno(errno, "cannot make the folder", folder.string());
      ASSIGN_OR_RETURN(FileDescriptor descriptor, FileDescriptor::open(folder, O_RDONLY | O_DIRECTORY));
      if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return fail_errno(errno, "cannot lock the folder", folder.string());
        return fail(ErrorCode::kConflict, "{}: another writer is at work", folder.string());
      }
      // A writer that gave up may have removed the folder after it was opened here: then this lock guards nothing.
      struct stat locked {};
      struct stat found {};
      if (::fstat(descriptor.get(), &locked) != 0) return fail_errno(errno, "cannot look at it", folder.string());
      if (::stat(folder.c_str(), &found) == 0 && found.st_ino == locked.st_ino && found.st_dev == locked.st_dev) {
        return FolderLock(std::move(descriptor), made);
      }
    }
  }

  bool made_folder() const { return made_folder_; }
  Status sync() const {
    if (::fsync(descriptor_.get()) != 0) return fail_errno(errno, "cannot write to the disk", kCurrent);
    return {};
  }

 private:
  FolderLock(FileDescriptor descriptor, bool made_folder)
      : descriptor_(std::move(descriptor)), made_folder_(made_folder) {}

  FileDescriptor descriptor_;
  bool made_folder_;
};

/// What lies in a collection's folder.
struct FolderContents {
  std::vector<std::uint64_t> generations;
  std::vector<std::string> others;  // Neither generations nor CURRENT.
};

Result<FolderContents> list_contents(const fs::path& folder) {
  FolderContents contents;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (const std::optional<std::uint64_t> number = generation_number(name)) {
      contents.generations.push_back(*number);
    } else if (name != kCurrent && name != kNextCurrent) {
      contents.others.push_back(name);
    }
  }
  if (error) return fail_errno(error.value(), "cannot list the folder", folder.string());
  return contents;
}

}  // namespace

Result<StoredCollection> StoredCollection::open(const fs::path& folder) {
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(const std::optional<std::uint64_t> number, read_current(folder));
    if (!number) {
      std::error_code no_folder;
      return fail(ErrorCode::kNotFound, "{}: {}", folder.string(),
                  fs::is_directory(folder, no_folder) ? "not a collection: it has no file CURRENT"
                                                      : "there is no such collection");
    }
    Result<StoredCollection> collection = open_generation(folder / generation_name(*number));
    if (collection) return collection;
    ASSIGN_OR_RETURN(const std::optional<std::uint64_t> number_now, read_current(folder));
    if (number_now == number || attempt == kOpenAttemptsMax) return collection;
  }
}

class CollectionStoreWriter::Impl {
 public:
  static Result<std::unique_ptr<Impl>> create(const fs::path& folder, std::size_t dimensions) {
    ASSIGN_OR_RETURN(FolderLock lock, FolderLock::take(folder));
    std::unique_ptr<Impl> impl(new Impl(folder, std::move(lock)));
    RETURN_IF_ERROR(impl->start(dimensions));
    return impl;
  }

  ~Impl() {
    vectors_.reset();
    documents_.reset();
    std::error_code ignored;  // What cannot be removed now is removed by the next writer.
    if (!published_ && !generation_.empty()) {
      fs::remove_all(generation_, ignored);
      fs::remove(folder_ / kNextCurrent, ignored);
    }
    if (!published_ && lock_.made_folder()) fs::remove(folder_, ignored);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status add_document(const Document& document) {
    Status status = documents_->add(document);
    if (!status) return fail_in(folder_.string(), std::move(status).error());
    return status;
  }
  Status append_vectors(MatrixView vectors) { return vectors_->append(VectorBlock(vectors)); }
  std::size_t documents() const { return documents_->count(); }

  Result<CollectionInfo> publish(CollectionInfo info) {
    if (documents_->count() == 0) {
      return fail(ErrorCode::kInvalidArgument, "{}: no documents were added", folder_.string());
    }
    if (documents_->count() != vectors_->count()) {
      return fail(ErrorCode::kInvalidArgument, "{}: {} documents and {} vectors were added", folder_.string(),
                  documents_->count(), vectors_->count());
    }
    info.documents = documents_->count();
    info.recipe.encoder.dimensions = dimensions_;
    RETURN_IF_ERROR(documents_->finish());
    RETURN_IF_ERROR(vectors_->finish());
    RETURN_IF_ERROR(write_new_file(generation_ / kManifest, manifest_json(info)));
    ASSIGN_OR_RETURN(info.size_bytes, size_of_files(generation_));
    RETURN_IF_ERROR(sync_to_disk(generation_));
    RETURN_IF_ERROR(lock_.sync());
    RETURN_IF_ERROR(make_current());
    return info;
  }

 private:
  Impl(fs::path folder, FolderLock lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}

  Status start(std::size_t dimensions) {
    ASSIGN_OR_RETURN(old_number_, read_current(folder_));
    ASSIGN_OR_RETURN(const FolderContents contents, list_contents(folder_));
    if (!old_number_ && !contents.others.empty()) {
      return fail(ErrorCode::kInvalidArgument, "{}: the folder is no collection and holds other files, such as {}",
                  folder_.string(), contents.others.front());
    }
    std::error_code error;
    fs::remove(folder_ / kNextCurrent, error);
    for (const std::uint64_t number : contents.generations) {
      if (number != old_number_) fs::remove_all(folder_ / generation_name(number), error);
    }
    const fs::path generation = folder_ / generation_name(old_number_.value_or(0) + 1);
    if (::mkdir(generation.c_str(), 0777) != 0) {
      return fail_errno(errno, "cannot make the folder", generation.string());
    }
    generation_ = generation;
    dimensions_ = dimensions;
    ASSIGN_OR_RETURN(vectors_, VectorFileWriter::create(generation_ / kVectors, dimensions));
    ASSIGN_OR_RETURN(documents_, DocumentWriter::create(generation_ / kDocuments));
    return {};
  }

  // The switch is the rename, which is atomic; before it the old version is live, after it the new one.
  Status make_current() {
    const fs::path next = folder_ / kNextCurrent;
    RETURN_IF_ERROR(write_new_file(next, generation_.filename().string() + '\n'));
    if (::rename(next.c_str(), (folder_ / kCurrent).c_str()) != 0) {
      return fail_errno(errno, "cannot rename", next.string());
    }
    published_ = true;
    RETURN_IF_ERROR(lock_.sync());
    if (lock_.made_folder()) RETURN_IF_ERROR(sync_to_disk(folder_ / ".."));
    std::error_code ignored;  // What cannot be removed now is removed by the next writer.
    if (old_number_) fs::remove_all(folder_ / generation_name(*old_number_), ignored);
    return {};
  }

  fs::path folder_;
  FolderLock lock_;
  std::optional<std::uint64_t> old_number_;
  fs::path generation_;  // Empty until it has been made.
  std::size_t dimensions_ = 0;
  std::optional<VectorFileWriter> vectors_;
  std::optional<DocumentWriter> documents_;
  bool published_ = false;
};

CollectionStoreWriter::CollectionStoreWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CollectionStoreWriter::CollectionStoreWriter(CollectionStoreWriter&&) noexcept = default;
CollectionStoreWriter& CollectionStoreWriter::operator=(CollectionStoreWriter&&) noexcept = default;
CollectionStoreWriter::~CollectionStoreWriter() = default;

Result<CollectionStoreWriter> CollectionStoreWriter::create(const fs::path& folder, std::size_t dimensions) {
  ASSIGN_OR_RETURN(std::unique_ptr<Impl> impl, Impl::create(folder, dimensions));
  return CollectionStoreWriter(std::move(impl));
}

Status CollectionStoreWriter::add_document(const Document& document) { return impl_->add_document(document); }
Status CollectionStoreWriter::append_vectors(MatrixView vectors) { return impl_->append_vectors(vectors); }
std::size_t CollectionStoreWriter::documents() const { return impl_->documents(); }
Result<CollectionInfo> CollectionStoreWriter::publish(CollectionInfo info) { return impl_->publish(std::move(info)); }

}  // namespace tandem
