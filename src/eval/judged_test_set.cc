#include <utility>

#include "base/error.h"
#include "eval/document_ids.h"
#include "tandem/test_set.h"

namespace tandem {
namespace {

/// How far the judgements of the queries, and the corpus, fit together.
struct Coverage {
  std::size_t queries_judged = 0;
  std::size_t relevant = 0;
  std::size_t relevant_unknown = 0;  // Of these, those that are not in the corpus,
  std::string_view unknown;          // and the first of them.
};

Coverage coverage_of(const TestSet& test, const StringSet& document_ids) {
  Coverage coverage;
  for (const SweepQuery& query : test.queries) {
    const std::vector<Judgement> judgements = test.qrels.judgements_of(query.id);
    coverage.queries_judged += judgements.empty() ? 0 : 1;
    for (const Judgement& judgement : judgements) {
      if (judgement.relevance < 1) continue;
      ++coverage.relevant;
      if (document_ids.contains(judgement.document_id)) continue;
      if (coverage.relevant_unknown++ == 0) coverage.unknown = judgement.document_id;
    }
  }
  return coverage;
}

std::string first_query_of(const Qrels& qrels) {
  return qrels.queries() == 0 ? "which is empty" : fmt::format("which begins with '{}'", qrels.query_ids().front());
}

}  // namespace

Result<TestSet> judged_test_set(std::vector<Document> documents, std::vector<SweepQuery> queries, Qrels qrels,
                                const JudgedTestNames& names) {
  ASSIGN_OR_RETURN(const StringSet ids, document_ids(documents));
  TestSet test{.documents = {}, .queries = std::move(queries), .qrels = std::move(qrels), .trust = {}, .remarks = {}};
  const Coverage coverage = coverage_of(test, ids);
  if (coverage.queries_judged == 0) {
    return fail(ErrorCode::kConflict, "{}: none of its {} queries is in {}, {}", names.queries, test.queries.size(),
                names.qrels, first_query_of(test.qrels));
  }
  if (coverage.relevant == coverage.relevant_unknown) {
    return fail(ErrorCode::kConflict, "{}: no document of the corpus is relevant to any query{}", names.qrels,
                coverage.relevant == 0 ? std::string()
                                       : fmt::format("; '{}', the first that is, is not in it", coverage.unknown));
  }
  if (coverage.relevant_unknown > 0) {
    test.remarks.push_back(
        fmt::format("{} of {} relevant documents are not in the corpus and cannot be found, the first is '{}'.",
                    coverage.relevant_unknown, coverage.relevant, coverage.unknown));
  }
  test.trust.push_back(
      fmt::format("The judgements are those of {}: what they do not judge counts as not relevant.", names.qrels));
  test.documents = std::move(documents);
  return test;
}

}  // namespace tandem
