// What qrels and runs have in common: for each query a list of documents, each with a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/controls.h"
#include "base/error.h"
#include "eval/id_table.h"

namespace tandem {

/// The documents of a query in the order in which they came. Each query has a table of its own: while a file is read
/// query by query, and while it is evaluated, all that is looked up is in the cache.
template <class Value>
struct QueryList {
  explicit QueryList(const StringHash& hash) : documents(hash) {}

  IdTable documents;
  std::vector<Value> values;  ///< [documents] Relevances or scores.
};

/// Queries in the order in which they came.
template <class Value>
class QueryLists {
 public:
  /// Errors: kInvalidArgument for an empty id, kCorruptData for one with control characters, kConflict for a document
  /// that the query has already, kUnsupported for more ids than fit.
  Status add(std::string_view query_id, std::string_view document_id, Value value) {
    if (query_id.empty() || document_id.empty()) {
      return fail(ErrorCode::kInvalidArgument, "the id of the {} is empty", query_id.empty() ? "query" : "document");
    }
    RETURN_IF_ERROR(check_name("query id", query_id));
    RETURN_IF_ERROR(check_name("document id", document_id));
    if (size_ >= IdTable::kIdsMax) {
      return fail(ErrorCode::kUnsupported, "there are more than {} documents in all lists", IdTable::kIdsMax);
    }
    // Files go query by query: most lines have the query of the line before.
    if (lists_.empty() || queries_[last_query_] != query_id) last_query_ = queries_.intern(query_id, arena_);
    if (last_query_ == lists_.size()) lists_.emplace_back(hash_);
    QueryList<Value>& list = lists_[last_query_];
    if (list.documents.intern(document_id, arena_) < list.values.size()) {
      return fail(ErrorCode::kConflict, "query '{}' has document '{}' twice", query_id, document_id);
    }
    list.values.push_back(value);
    ++size_;
    return {};
  }

  /// Numbered as `lists()` is.
  const IdTable& queries() const { return queries_; }
  /// [queries]
  const std::vector<QueryList<Value>>& lists() const { return lists_; }
  /// Of all lists together.
  std::size_t size() const { return size_; }

  /// The list of a query, or null.
  const QueryList<Value>* list_of(std::string_view query_id) const {
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
  TextArena arena_;
  StringHash hash_;  // Of all tables.
  IdTable queries_{hash_};
  std::vector<QueryList<Value>> lists_;
  std::uint32_t last_query_ = 0;
  std::size_t size_ = 0;
};

}  // namespace tandem
