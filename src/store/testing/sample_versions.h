// For tests: versions of a collection that can be told apart, and processes that write them.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "store/collection_store.h"

namespace tandem {

inline constexpr std::size_t kDimensions = 16;

inline CollectionInfo sample_info(std::string created = "2024-02-29T12:00:00Z") {
  CollectionInfo info;
  info.recipe = {.encoder = {.model = "org/model",
                             .weights_hash = "sha256:00ff",
                             .settings = "12 heads",
                             .pooling = "mean",
                             .prompt_name = "",
                             .dimensions = kDimensions,
                             .max_length = 256,
                             .normalization = Normalization::kAtEnd},
                 .precision = Precision::kBf16,
                 .title_separator = "[SEP]",
                 .query_prompt = "query: ",
                 .document_prompt = ""};
  info.metric = Metric::kL2;
  info.created = std::move(created);
  info.truncation = {.texts = 5, .texts_truncated = 2, .tokens_dropped = 77};
  return info;
}

/// A version in which every document and vector carries `tag`.
inline Result<CollectionInfo> write_version(const std::filesystem::path& folder, std::uint32_t tag,
                                            std::size_t documents) {
  auto writer = CollectionStoreWriter::create(folder, kDimensions);
  if (!writer) return tl::unexpected(writer.error());
  Matrix vector(1, kDimensions);
  for (float& value : vector.row(0)) value = static_cast<float>(tag);
  for (std::size_t number = 0; number < documents; ++number) {
    RETURN_IF_ERROR(writer->add_document({.id = fmt::format("{}-{}", tag, number),
                                          .title = "",
                                          .text = std::string(100, static_cast<char>('a' + tag % 26)),
                                          .metadata = ""}));
    RETURN_IF_ERROR(writer->append_vectors(vector));
  }
  return writer->publish(sample_info(fmt::format("{}", tag)));
}

/// Reads everything; the tag of a version that is whole, an error otherwise.
inline Result<std::uint32_t> read_version(const StoredCollection& collection) {
  std::vector<std::uint32_t> ordinals(collection.info.documents);
  std::iota(ordinals.begin(), ordinals.end(), 0U);
  ASSIGN_OR_RETURN(const std::vector<Document> documents, collection.documents.read(ordinals));
  const auto tag = static_cast<std::uint32_t>(std::stoul(collection.info.created));
  const VectorRows rows = collection.segments.front().rows();
  ASSIGN_OR_RETURN(const VectorBlock block, rows.read(0, rows.count()));
  const MatrixView vectors = block.f32();
  for (std::size_t number = 0; number < documents.size(); ++number) {
    if (documents[number].id != fmt::format("{}-{}", tag, number) ||
        vectors.row(number)[kDimensions - 1] != static_cast<float>(tag)) {
      return fail(ErrorCode::kCorruptData, "document {} is of another version", number);
    }
  }
  return tag;
}

inline Result<std::uint32_t> read_version(const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(const StoredCollection collection, StoredCollection::open(folder));
  return read_version(collection);
}

/// Runs `work` in another process; its exit status, or minus the signal that ended it.
class Child {
 public:
  explicit Child(const std::function<int()>& work) : id_(::fork()) {
    if (id_ == 0) ::_exit(work());
  }
  void kill() const { ::kill(id_, SIGKILL); }
  int wait() const {
    int status = 0;
    ::waitpid(id_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t id_;
};

}  // namespace tandem
