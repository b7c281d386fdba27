#include <array>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/controls.h"
#include "base/error.h"
#include "base/json.h"
#include "base/string_map.h"
#include "base/strip.h"
#include "base/text_reader.h"
#include "eval/document_ids.h"
#include "eval/id_table.h"
#include "eval/text_fields.h"
#include "eval/text_pieces.h"
#include "eval/wording.h"
#include "tandem/test_set.h"

namespace tandem {
namespace {

/// A query as it was first asked, and what was opened for it, in the order of the first clicks.
struct ClickedQuery {
  std::string text;
  IdTable documents;
  std::vector<std::uint64_t> clicks = {};  // [documents]
};

/// What the lines of a click log add up to.
class ClickLog {
 public:
  explicit ClickLog(StringSet document_ids) : document_ids_(std::move(document_ids)) {}

  Status add_json(const JsonValue& line) {
    ASSIGN_OR_RETURN(const std::string_view query, line.get_string("query"));
    const std::optional<JsonValue> clicked = line.find("clicked");
    if (!clicked) {
      const std::optional<JsonValue> id = line.find("document_id");
      if (!id) return fail(ErrorCode::kCorruptData, "expected \"clicked\" or \"document_id\", got neither");
      ASSIGN_OR_RETURN(const std::string document, id->as_id("document_id"));
      ASSIGN_OR_RETURN(const std::optional<std::uint64_t> clicks, line.find_unsigned("clicks"));
      return add(query, document, clicks.value_or(1));
    }
    ASSIGN_OR_RETURN(const std::vector<JsonValue> documents, clicked->as_array("clicked"));
    if (documents.empty()) return add_query(query).map([](ClickedQuery*) {});
    for (const JsonValue& each : documents) {
      ASSIGN_OR_RETURN(const std::string document, each.as_id("clicked"));
      RETURN_IF_ERROR(add(query, document, 1));
    }
    return {};
  }

  Status add_columns(std::string_view line) {
    std::array<std::string_view, 3> columns;
    const std::size_t count = split_at_tabs(line, columns);
    if (count != 2 && count != 3) {
      return fail(ErrorCode::kCorruptData,
                  "expected query, document id and perhaps clicks with tabs between them, got "
                  "{} column{}",
                  count > columns.size() ? "more than 3" : fmt::format("{}", count), count == 1 ? "" : "s");
    }
    std::optional<std::int32_t> clicks = 1;
    if (count == 3) clicks = parse_integer(columns[2]);
    if (!clicks || *clicks < 0) {
      return fail(ErrorCode::kCorruptData, "expected a number of clicks, got '{}'", columns[2]);
    }
    return add(columns[0], columns[1], static_cast<std::uint64_t>(*clicks));
  }

  /// The test that the clicks make. Leaves the log empty.
  Result<TestSet> finish(std::string_view name, const ClickLogOptions& options) {
    TestSet test;
    std::size_t without_relevant = 0;
    for (ClickedQuery& query : queries_) {
      const std::uint64_t all = std::accumulate(query.clicks.begin(), query.clicks.end(), std::uint64_t{0});
      // The first query is 1, as in a file of queries whose lines have no ids.
      const std::string id = fmt::format("{}", test.queries.size() + 1);
      bool relevant = false;
      for (std::uint32_t place = 0; place < query.clicks.size(); ++place) {
        const std::uint64_t clicks = query.clicks[place];
        if (clicks < options.clicks_min) continue;
        RETURN_IF_ERROR(test.qrels.add(id, query.documents[place], 2 * clicks >= all ? 2 : 1));
        relevant = true;
      }
      if (!relevant) {
        ++without_relevant;
        continue;
      }
      test.queries.push_back({.id = id, .text = std::move(query.text)});
    }
    if (test.queries.empty()) {
      return fail(ErrorCode::kConflict, "{}: none of {} has a document of the corpus with {} or more{}", name,
                  count_of(queries_.size(), "query", "queries"), count_of(options.clicks_min, "click", "clicks"),
                  unknown_.empty() ? "" : fmt::format("; the first of the clicks on others is on '{}'", unknown_));
    }
    describe(test, options, without_relevant);
    return test;
  }

 private:
  /// The query, added where it is new. Valid until the next one is added.
  Result<ClickedQuery*> add_query(std::string_view text) {
    text = strip(text);
    if (text.empty()) return fail(ErrorCode::kCorruptData, "the query is empty");
    const auto [place, is_new] = place_of_query_.try_emplace(fold_case_and_blanks(text), queries_.size());
    if (is_new) queries_.push_back({.text = std::string(text), .documents = IdTable(hash_)});
    return &queries_[place->second];
  }

  Status add(std::string_view text, std::string_view document_id, std::uint64_t clicks) {
    if (clicks > std::numeric_limits<std::uint32_t>::max()) {
      return fail(ErrorCode::kCorruptData, "{} clicks are more than anybody counts", clicks);
    }
    RETURN_IF_ERROR(check_name("document id", document_id));
    ASSIGN_OR_RETURN(ClickedQuery* const query, add_query(text));
    if (!document_ids_.contains(document_id)) {
      if (clicks_unknown_ == 0) unknown_ = document_id;
      clicks_unknown_ += clicks;
      return {};
    }
    clicks_ += clicks;
    const std::uint32_t place = query->documents.intern(document_id, arena_);
    query->clicks.resize(query->documents.size());
    query->clicks[place] += clicks;
    return {};
  }

  void describe(TestSet& test, const ClickLogOptions& options, std::size_t without_relevant) const {
    test.trust.push_back(fmt::format(
        "The judgements are {} for {}: a document with at least half of a query's clicks has relevance 2, any other "
        "with {} or more relevance 1, all others none.",
        count_of(clicks_, "click", "clicks"), count_of(test.queries.size(), "query", "queries"), options.clicks_min));
    test.trust.emplace_back(
        "People click on what they are shown, and most on what stands first: settings that rank as the logged system "
        "did look better than they are, and good documents that it did not show count as wrong.");
    if (clicks_unknown_ > 0) {
      test.remarks.push_back(fmt::format("{} on documents that are not in the corpus, the first on '{}'.",
                                         count_of(clicks_unknown_, "click was", "clicks were"), unknown_));
    }
    if (without_relevant > 0) {
      test.remarks.push_back(fmt::format("{} left out: no document of the corpus has {} or more for {}.",
                                         count_of(without_relevant, "query was", "queries were"),
                                         count_of(options.clicks_min, "click", "clicks"),
                                         without_relevant == 1 ? "it" : "them"));
    }
  }

  StringSet document_ids_;
  TextArena arena_;
  StringHash hash_;  // Of the documents of all queries.
  std::vector<ClickedQuery> queries_;
  OwnedStringMap<std::size_t> place_of_query_;
  std::uint64_t clicks_ = 0;
  std::uint64_t clicks_unknown_ = 0;
  std::string unknown_;
};

}  // namespace

Result<TestSet> read_click_log(const std::filesystem::path& path, std::vector<Document> documents,
                               const ClickLogOptions& options) {
  if (options.clicks_min == 0) return fail(ErrorCode::kInvalidArgument, "clicks_min is 0, want at least 1");
  ASSIGN_OR_RETURN(StringSet ids, document_ids(documents));
  ClickLog log(std::move(ids));
  std::optional<JsonLineParser> parser;
  if (is_named_json_lines(path.string())) parser.emplace("line");
  RETURN_IF_ERROR(for_each_line(path.string(), "click", [&](std::string_view line) -> Status {
    if (!parser) return log.add_columns(line);
    ASSIGN_OR_RETURN(const JsonValue value, parser->parse(line));
    return log.add_json(value);
  }));
  ASSIGN_OR_RETURN(TestSet test, log.finish(path.string(), options));
  test.documents = std::move(documents);
  return test;
}

}  // namespace tandem
