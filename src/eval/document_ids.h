// The ids of a corpus, each of which may be there once.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/string_map.h"
#include "tandem/document.h"

namespace tandem {

/// Views of the ids, valid while the documents are. Errors: kInvalidArgument for no documents, kConflict for two of one
/// id.
inline Result<StringSet> document_ids(const std::vector<Document>& documents) {
  if (documents.empty()) return fail(ErrorCode::kInvalidArgument, "there are no documents to search");
  StringSet ids;
  for (const Document& document : documents) {
    if (!ids.insert(document.id).second) {
      return fail(ErrorCode::kConflict, "two documents have the id '{}'", document.id);
    }
  }
  return ids;
}

}  // namespace tandem
