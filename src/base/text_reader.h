// Reads texts, pairs, queries and documents, one record after another, from JSON lines, tables and plain lines: what a
// file holds is decided here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/line_reader.h"
#include "base/table.h"
#include "tandem/result.h"
#include "tandem/text_format.h"

namespace tandem {

/// What the records of a file are.
struct RecordKind {
  std::string noun;  ///< Of one, in errors: "document".
  std::vector<std::string> required{"text"};
  std::vector<std::string> optional{};
  /// The fields of a table without a header line, by how many columns it has.
  std::vector<std::vector<std::string>> without_header{{"text"}, {"id", "text"}};
  bool blank_lines_count = true;      ///< Plain lines are records even where they are blank.
  bool lines_hold_tabs = false;       ///< A tab in a plain line separates what belongs together, as in pairs.
  bool lines_begin_with_ids = false;  ///< What stands before a tab in a plain line is taken for an id that was meant.
  std::string options_prefix{"--"};   ///< Of the options that say how the file is read, for errors.
};

/// The records of a file, a pipe or standard input, one at a time. TextFormat::kAuto says how their format is told. Not
/// thread-safe.
class TextReader {
 public:
  /// "-" is standard input; `name` stands for the file in errors. Errors: those of opening; kUnsupported for what is
  /// not read by its name; kInvalidArgument for options that the kind of records cannot have.
  static Result<TextReader> open(const std::string& path, std::string name, RecordKind kind, TextOptions options,
                                 std::size_t line_bytes_max);

  /// Goes to the next record; false at the end. Errors name the file and the line: kCorruptData for one line, whose
  /// record the next call passes over; others for the whole file.
  Result<bool> advance();

  // Of the record that advance() came to, valid until the next call.

  /// A plain line. Empty where the record has fields.
  std::string_view line() const { return line_; }
  /// Whether the record is an object or a row, whose fields go by name.
  bool has_fields() const { return value_ || !columns_.empty(); }
  const std::optional<JsonValue>& json() const { return value_; }
  Result<std::string_view> get_string(std::string_view field) const;
  Result<std::optional<std::string_view>> find_string(std::string_view field) const;
  Result<double> get_double(std::string_view field) const;
  /// "id", or "_id"; empty where there is none. Errors: also kCorruptData for control characters in it.
  Result<std::string> find_id() const;
  /// The member "metadata", or the columns that are no fields, as a JSON object; empty where there are none.
  Result<std::string> metadata() const;

  /// An error of this record: "file:12: message".
  tl::unexpected<Error> fail_here(Error error) const;

  /// How many records there were with this one.
  std::size_t records() const { return records_; }
  /// How many lines the record has; those of a failed one too.
  std::size_t record_lines() const { return lines_.line_number() - record_line_number_ + 1; }
  std::size_t records_not_utf8() const { return records_not_utf8_; }
  std::uint64_t text_bytes_read() const { return lines_.text_bytes_read(); }
  std::uint64_t file_bytes_read() const { return lines_.file_bytes_read(); }
  /// What the first line has shown the file to be, in words; empty where its name or the options say it.
  const std::string& finding() const { return finding_; }

 private:
  TextReader(LineReader lines, std::string name, RecordKind kind, TextOptions options, std::size_t line_bytes_max);

  using Column = std::pair<std::string, std::size_t>;  // Its name, or its field's, and its place.
  struct Columns {
    std::vector<Column> fields = {};
    std::vector<Column> others = {};
  };

  std::optional<std::string_view> given_column(std::string_view field) const;
  std::string_view member_of(std::string_view field) const;
  std::optional<std::string_view> find_cell(std::string_view field) const;

  tl::unexpected<Error> fail_at(std::size_t line_number, Error error) const;
  tl::unexpected<Error> refuse_first_line(std::string_view what, TextFormat format) const;
  tl::unexpected<Error> refuse_header(const std::vector<std::string>& names, std::string_view missing) const;

  Result<std::optional<std::string_view>> next_line();
  Result<std::optional<std::string_view>> next_filled_line();
  Result<std::optional<std::string_view>> next_line_of_records();
  Result<bool> advance_by_format();
  Result<bool> advance_line();
  Status check_first_line_end(std::string_view line) const;
  Status check_plain_line(bool is_json) const;
  Result<bool> advance_json();
  Result<bool> take_json(std::string_view line);
  Result<bool> advance_row();
  Result<bool> read_row();
  bool take_separator(std::string_view line);
  Result<bool> take_header(const std::vector<std::string>& names);
  bool can_be_first_row(const std::vector<std::string>& fields);
  Result<Columns> find_columns(const std::vector<std::string>& names) const;
  Status take_no_header();
  Status take_numbered_columns();

  LineReader lines_;
  std::string name_;
  RecordKind kind_;
  TextOptions options_;
  std::size_t line_bytes_max_;
  TextFormat format_ = TextFormat::kAuto;
  bool format_is_certain_ = false;  // An option says it, or the first line has been looked at.
  bool must_be_json_ = false;       // The file is named *.json,
  bool must_be_gzip_ = false;       // or *.gz.
  std::string finding_;

  JsonLineParser parser_;
  std::string_view line_;
  std::optional<JsonValue> value_;
  // Of tables: the place of each field, and of each other column with its name.
  std::vector<Column> columns_;
  std::vector<Column> other_columns_;
  std::size_t columns_count_ = 0;
  bool is_first_row_ = true;
  RowFields row_;

  std::size_t record_line_number_ = 0;  // Where the record begins.
  bool record_is_utf8_ = true;
  std::size_t records_ = 0;
  std::size_t records_not_utf8_ = 0;
};

/// Whether a file holds JSON lines by its name: .jsonl or .ndjson, in any case, with or without .gz.
bool is_named_json_lines(std::string_view path);

/// Whether a file is named as texts are: .txt, .text, .md or .markdown, in any case, with or without .gz.
bool is_named_text(std::string_view path);

}  // namespace tandem
