#include "base/table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "base/controls.h"
#include "base/error.h"
#include "base/json.h"
#include "base/strip.h"

namespace tandem {
namespace {

constexpr std::size_t kColumnNameBytesMax = 1024;
constexpr std::size_t kColumnNamesBytesMax = std::size_t{64} << 10;  // Of all columns together.

constexpr auto kNamesOfIds = std::to_array<std::string_view>(
    {"id",         "_id",       "qid",       "query_id",    "query-id",    "queryid", "docid",
     "doc_id",     "doc-id",    "docno",     "document_id", "document-id", "pid",     "passage_id",
     "passage-id", "corpus_id", "corpus-id", "uid",         "uuid",        "key"});

constexpr auto kNamesOfColumns = std::to_array<std::string_view>(
    {"text",      "texts",    "title",     "titles",      "body",      "content",    "contents",   "passage",
     "passages",  "document", "documents", "doc",         "query",     "queries",    "question",   "questions",
     "answer",    "answers",  "sentence",  "sentence1",   "sentence2", "sentence_1", "sentence_2", "text_a",
     "text_b",    "headline", "heading",   "abstract",    "summary",   "url",        "link",       "label",
     "score",     "category", "name",      "description", "subject",   "message",    "comment",    "review",
     "date",      "author",   "source",    "lang",        "language",  "tags",       "metadata",   "index",
     "paragraph", "chunk",    "snippet",   "context",     "response",  "prompt",     "positive",   "negative"});

bool is_of_word(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_' || letter == '-';
}

}  // namespace

RowFields split_tabs(std::string_view line) {
  RowFields fields;
  for (;;) {
    const std::size_t tab = line.find('\t');
    if (++fields.count <= kColumnsMax) fields.kept.emplace_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return fields;
    line.remove_prefix(tab + 1);
  }
}

Result<bool> CsvRow::add_line(std::string_view line) {
  for (std::size_t position = 0; position < line.size(); ++position) {
    const char character = line[position];
    const bool is_line_end = character == '\r' && position + 1 == line.size();
    switch (state_) {
      case State::kFieldStart:
        if (character == '"') {
          state_ = State::kQuoted;
          break;
        }
        state_ = State::kBare;
        [[fallthrough]];
      case State::kBare:
        if (character == separator_) {
          start_field();
        } else if (character == '\r' && !is_line_end) {
          return fail(ErrorCode::kCorruptData, "column {}: a carriage return that ends no line, want quotes around it",
                      fields_.count);
        } else if (!is_line_end) {
          append(character);
        }
        break;
      case State::kQuoted:
        if (character == '"') {
          state_ = State::kQuoteInQuoted;
        } else {
          append(character);
        }
        break;
      case State::kQuoteInQuoted:
        if (character == '"') {
          append('"');
          state_ = State::kQuoted;
        } else if (character == separator_) {
          start_field();
        } else if (!is_line_end) {
          return fail(ErrorCode::kCorruptData, "column {}: after a closing quote: expected {} or the line's end",
                      fields_.count, separator_ == ',' ? "a comma" : fmt::format("'{}'", separator_));
        }
        break;
    }
  }
  if (state_ != State::kQuoted) return true;
  append('\n');
  return false;
}

void CsvRow::start_field() {
  if (++fields_.count <= kColumnsMax) fields_.kept.emplace_back();
  state_ = State::kFieldStart;
}

void CsvRow::append(char character) {
  if (fields_.count <= kColumnsMax) fields_.kept.back().push_back(character);
}

Status check_column_names(const std::vector<std::string>& names) {
  std::size_t bytes = 0;
  for (std::size_t column = 0; column < names.size(); ++column) {
    const std::string_view name = strip(names[column]);
    // No header is a bad line that may be skipped: the next row would be taken for it.
    const Status named = check_name("column", name);
    if (!named) return fail(ErrorCode::kInvalidArgument, "column {}: {}", column + 1, named.error().message);
    const std::size_t name_bytes = JsonWriter().value(name).take().size() - std::string_view(R"("")").size();
    if (name_bytes > kColumnNameBytesMax) {
      return fail(ErrorCode::kInvalidArgument, "column {}: its name takes {} bytes, want at most {}", column + 1,
                  name_bytes, kColumnNameBytesMax);
    }
    bytes += name_bytes;
  }
  if (bytes > kColumnNamesBytesMax) {
    return fail(ErrorCode::kInvalidArgument, "the names of the {} columns take {} bytes, want at most {}", names.size(),
                bytes, kColumnNamesBytesMax);
  }
  return {};
}

bool are_column_names(const std::vector<std::string>& fields) {
  bool are_known = !fields.empty();
  bool are_words = true;
  bool has_text = false;
  for (const std::string& field : fields) {
    const std::string name = in_lower_case(strip(field));
    has_text = has_text || name == "text";
    are_words = are_words && std::ranges::all_of(name, is_of_word);
    are_known =
        are_known && (std::ranges::find(kNamesOfColumns, name) != kNamesOfColumns.end() || is_name_of_ids(name));
  }
  return are_known || (are_words && has_text);
}

bool is_name_of_ids(std::string_view name) {
  return std::ranges::find(kNamesOfIds, in_lower_case(strip(name))) != kNamesOfIds.end();
}

}  // namespace tandem
