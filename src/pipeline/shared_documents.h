// The documents that a search reads: each once, however many queries find it, and as long as somebody holds it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "tandem/collection.h"
#include "tandem/result.h"

namespace tandem {

using SharedDocuments = std::vector<std::shared_ptr<const Document>>;

/// Of one call: not thread-safe.
class DocumentsOfSearch {
 public:
  explicit DocumentsOfSearch(const Collection& collection) : collection_(collection) {}

  /// In the order of the rows. Errors: those of Collection::documents().
  Result<SharedDocuments> read(std::span<const RowId> rows);

 private:
  // Texts that are kept for a second question, though nobody holds them.
  static constexpr std::size_t kKeptBytesMax = std::size_t{64} << 20;
  // Documents that are remembered before those that nobody holds any more are forgotten.
  static constexpr std::size_t kKnownMax = 100'000;

  const Collection& collection_;
  std::map<RowId, std::weak_ptr<const Document>> known_;
  SharedDocuments kept_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace tandem
