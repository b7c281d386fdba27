// Rows of tables: lines with tabs, and CSV.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/choices.h"
#include "tandem/result.h"

namespace tandem {

// Of a table. A header's names are written into the metadata of every row: without bounds, one name of a megabyte over
// many short rows is a file of little and metadata of much.
inline constexpr std::size_t kColumnsMax = 1024;

/// What separates the fields of tables, and what each is called.
inline constexpr auto kSeparators =
    std::to_array<NamedChoice<char>>({{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}, {"pipe", '|'}});

/// The fields of one row. Those after the first kColumnsMax are counted and not kept: a line of nothing but commas
/// would take many times its size.
struct RowFields {
  std::size_t count = 0;
  std::vector<std::string> kept = {};
};

RowFields split_tabs(std::string_view line);

/// Splits CSV as RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180) describes it, one physical line at a time, because a
/// quoted field may go on in the next one. A quote inside an unquoted field, on which the RFC is silent, is kept.
class CsvRow {
 public:
  explicit CsvRow(char separator) : separator_(separator) {}

  /// False when a quoted field is still open at the end of `line`, which comes without its line feed. Errors:
  /// kCorruptData for what follows a closing quote.
  Result<bool> add_line(std::string_view line);

  RowFields take_fields() { return std::move(fields_); }

 private:
  enum class State { kFieldStart, kBare, kQuoted, kQuoteInQuoted };

  void start_field();
  void append(char character);

  char separator_;
  RowFields fields_ = {.count = 1, .kept = {""}};
  State state_ = State::kFieldStart;
};

/// Whether a header's names can be repeated with every row: written as JSON, they must be short. Errors:
/// kInvalidArgument.
Status check_column_names(const std::vector<std::string>& names);

/// Whether these are plainly names of columns and no texts: all of them are names that people give columns ("id",
/// "body", "question"), or all are words and one is "text".
bool are_column_names(const std::vector<std::string>& fields);

/// Whether `name`, as a header has it, is what ids are called: "qid", "doc_id".
bool is_name_of_ids(std::string_view name);

}  // namespace tandem
