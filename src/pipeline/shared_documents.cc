#include "pipeline/shared_documents.h"

#include <utility>

#include "base/error.h"

namespace tandem {

Result<SharedDocuments> DocumentsOfSearch::read(std::span<const RowId> rows) {
  SharedDocuments result(rows.size());
  std::vector<RowId> unread;
  std::vector<std::size_t> places;  // [unread] in `result`.
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (const auto known = known_.find(rows[i]); known != known_.end()) result[i] = known->second.lock();
    if (result[i] != nullptr) continue;
    unread.push_back(rows[i]);
    places.push_back(i);
  }
  if (unread.empty()) return result;
  if (known_.size() > kKnownMax) std::erase_if(known_, [](const auto& known) { return known.second.expired(); });
  ASSIGN_OR_RETURN(std::vector<Document> documents, collection_.documents(unread));
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::size_t bytes = documents[i].text.size() + documents[i].title.size() + documents[i].metadata.size();
    auto shared = std::make_shared<const Document>(std::move(documents[i]));
    known_[unread[i]] = shared;
    if (kept_bytes_ + bytes <= kKeptBytesMax) {
      kept_bytes_ += bytes;
      kept_.push_back(shared);
    }
    result[places[i]] = std::move(shared);
  }
  return result;
}

}  // namespace tandem
