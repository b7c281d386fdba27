// What qrels and runs have in common: for each query a list of documents, each with a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "eval/id_table.h"

namespace tandem {

/// A document in the list of a query. `Value` is its relevance or its score.
template <class Value>
struct Listed {
  std::uint32_t document = 0;
  Value value = {};
};

/// Queries in the order in which they came, documents in the order in which each query got them.
template <class Value>
class QueryLists {
 public:
  /// Errors: kInvalidArgument for an empty id, kConflict for a document that the query has already, kUnsupported for
  /// more ids than fit.
  Status add(std::string_view query_id, std::string_view document_id, Value value) {
    if (query_id.empty() || document_id.empty()) {
      return fail(ErrorCode::kInvalidArgument, "the id of the {} is empty", query_id.empty() ? "query" : "document");
    }
    if (queries_.size() >= IdTable::kIdsMax || documents_.size() >= IdTable::kIdsMax) {
      return fail(ErrorCode::kUnsupported, "there are more than {} different ids", IdTable::kIdsMax);
    }
    // Files go query by query: most lines have the query of the line before.
    if (lists_.empty() || queries_[last_query_] != query_id) last_query_ = queries_.intern(query_id);
    if (last_query_ == lists_.size()) lists_.emplace_back();
    const std::uint32_t document = documents_.intern(document_id);
    if (!seen_.insert(last_query_, document)) {
      return fail(ErrorCode::kConflict, "query '{}' has document '{}' twice", query_id, document_id);
    }
    lists_[last_query_].push_back({.document = document, .value = value});
    ++size_;
    return {};
  }

  /// Both numbered as `lists()` and Listed::document have it.
  const IdTable& queries() const { return queries_; }
  const IdTable& documents() const { return documents_; }
  /// [queries]
  const std::vector<std::vector<Listed<Value>>>& lists() const { return lists_; }
  /// Of all lists together.
  std::size_t size() const { return size_; }

  /// The list of a query, or null.
  const std::vector<Listed<Value>>* list_of(std::string_view query_id) const {
    const std::optional<std::uint32_t> query = queries_.find(query_id);
    return query ? &lists_[*query] : nullptr;
  }

  std::vector<std::string_view> query_ids() const {
    std::vector<std::string_view> ids;
    ids.reserve(queries_.size());
    for (std::uint32_t query = 0; query < queries_.size(); ++query) ids.push_back(queries_[query]);
    return ids;
  }

 private:
  IdTable queries_;
  IdTable documents_;
  PairSet seen_;
  std::vector<std::vector<Listed<Value>>> lists_;
  std::uint32_t last_query_ = 0;
  std::size_t size_ = 0;
};

}  // namespace tandem
