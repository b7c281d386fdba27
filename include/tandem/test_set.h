// Queries with judgements to measure by: made from the corpus itself, from logged clicks, or those that people judged.
//
//   auto test = tandem::make_test_set(std::move(documents), {.queries_max = 100});
//   auto test = tandem::read_click_log("clicks.jsonl", std::move(documents), {.clicks_min = 2});
//   auto test = tandem::judged_test_set(std::move(documents), std::move(queries), std::move(qrels));
//   tandem::sweep({.documents = test->documents, .queries = test->queries, .qrels = &test->qrels, …}, …);
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tandem/document.h"
#include "tandem/evaluation.h"
#include "tandem/export.h"
#include "tandem/result.h"
#include "tandem/sweep.h"

namespace tandem {

struct TestSet {
  std::vector<Document> documents;  ///< To be searched: those given, without what became a query.
  std::vector<SweepQuery> queries;
  Qrels qrels;
  std::vector<std::string> trust;    ///< How the test was made, and how far it can be trusted: full sentences.
  std::vector<std::string> remarks;  ///< What was left out, and why: full sentences.
};

/// What queries are made of.
enum class QuerySource {
  kAuto,       ///< What gives more queries; where both give as many, titles if half of the documents have one.
  kTitles,     ///< A title asks for the documents that have it. All documents are searched without their titles.
  kSentences,  ///< A sentence asks for the document that it was taken out of: the inverse cloze task (Lee, Chang and
               ///< Toutanova 2019, https://aclanthology.org/P19-1612).
};

struct SelfTestOptions {
  QuerySource source = QuerySource::kAuto;
  std::size_t queries_max = 200;  ///< At least 1.
  std::uint32_t seed = 0;         ///< Draws the documents and their sentences, the same on every machine.
};

/// Makes queries whose answers are known because they come from there. Too short texts make none, where numbers are no
/// words, nor do sentences that stand in several documents, documents most of whose sentences do, and titles that more
/// than 20 documents share.
///
/// Errors: kInvalidArgument for no documents or queries_max 0, kConflict for two documents of one id, or where no
/// document serves.
TANDEM_EXPORT Result<TestSet> make_test_set(std::vector<Document> documents, const SelfTestOptions& options = {});

struct ClickLogOptions {
  std::size_t clicks_min = 1;  ///< A document with fewer clicks for a query is not relevant to it; at least 1.
};

/// Reads what people asked, and which documents they opened. In *.jsonl a line is {"query": …, "clicked": [ids]} or
/// {"query": …, "document_id": …, "clicks": n}, with one click where there is no "clicks"; in any other file it is
/// "query TAB document id" or "query TAB document id TAB clicks". "-" is standard input; lines that are empty or begin
/// with "#" are skipped. Queries that differ in case and blanks alone are one, and their clicks are added up.
///
/// A document that got at least half of its query's clicks has relevance 2, any other with at least `clicks_min` 1.
/// Clicks on documents that are not there count for nothing, and are remarked on.
///
/// Errors: those of opening; kCorruptData, with the file and the line, for a line of another form, an empty query or a
/// number of clicks that is none; kInvalidArgument for no documents or clicks_min 0; kConflict for two documents of one
/// id, or where no query keeps a relevant document.
TANDEM_EXPORT Result<TestSet> read_click_log(const std::filesystem::path& path, std::vector<Document> documents,
                                             const ClickLogOptions& options = {});

/// What errors and remarks call the parts of a test: the files that they were read from.
struct JudgedTestNames {
  std::string queries = "the queries";
  std::string qrels = "the judgements";
};

/// A test of queries that people judged. Queries without a judgement stay, for sweep() to leave out; relevant documents
/// that are not in the corpus are remarked on.
///
/// Errors: kInvalidArgument for no documents; kConflict for two documents of one id, where no query is judged, or where
/// no document of the corpus is relevant to any of the queries.
TANDEM_EXPORT Result<TestSet> judged_test_set(std::vector<Document> documents, std::vector<SweepQuery> queries,
                                              Qrels qrels, const JudgedTestNames& names = {});

}  // namespace tandem
