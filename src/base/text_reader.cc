#include "base/text_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "base/ascii.h"
#include "base/controls.h"
#include "base/strip.h"
#include "base/utf8.h"

namespace tandem {
namespace {

constexpr std::string_view kGzipEnding = ".gz";

/// What programs keep other things in than lines of text.
constexpr auto kEndingsOfOthers = std::to_array<std::string_view>(
    {".bz2",   ".xz",   ".zst", ".lz4",     ".zip",  ".7z",   ".rar",  ".tar", ".tgz",  ".parquet",
     ".arrow", ".avro", ".orc", ".feather", ".pdf",  ".doc",  ".docx", ".xls", ".xlsx", ".ppt",
     ".pptx",  ".odt",  ".ods", ".rtf",     ".epub", ".html", ".htm",  ".xml", ".db",   ".sqlite",
     ".npy",   ".npz",  ".pkl", ".png",     ".jpg",  ".jpeg", ".gif"});

bool is_named_gzip(std::string_view path) { return in_lower_case(path).ends_with(kGzipEnding); }

/// The ending of a file's name in lower case, without the one that says gzip.
std::string ending_of(std::string_view path) {
  if (is_named_gzip(path)) path.remove_suffix(kGzipEnding.size());
  return in_lower_case(std::filesystem::path(path).extension().string());
}

TextFormat format_by_name(std::string_view path) {
  const std::string ending = ending_of(path);
  if (is_named_json_lines(path)) return TextFormat::kJsonl;
  if (ending == ".tsv") return TextFormat::kTsv;
  if (ending == ".csv") return TextFormat::kCsv;
  return is_named_text(path) ? TextFormat::kLines : TextFormat::kAuto;
}

std::vector<std::string> fields_of(const RecordKind& kind) {
  std::vector<std::string> fields = kind.required;
  fields.insert(fields.end(), kind.optional.begin(), kind.optional.end());
  return fields;
}

bool is_required(const RecordKind& kind, std::string_view field) {
  return std::ranges::find(kind.required, field) != kind.required.end();
}

/// Whether the options name columns for what the records have.
Status check_columns(const RecordKind& kind, const TextOptions& options) {
  const std::vector<std::string> fields = fields_of(kind);
  for (const auto& [field, column] : options.columns) {
    const bool is_known = std::ranges::find(fields, field) != fields.end();
    if (is_known && !(is_required(kind, field) && column.empty())) continue;
    return fail(ErrorCode::kInvalidArgument, "{}columns {}={}: expected a name for one of {}", kind.options_prefix,
                field, column, fmt::join(fields, ", "));
  }
  return {};
}

/// "text", "query and document".
std::string listed(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, " and ")); }

std::vector<std::string> split_csv(std::string_view line, char separator) {
  CsvRow row(separator);
  // What is no CSV has no separator either.
  return row.add_line(line).value_or(false) ? row.take_fields().kept : std::vector<std::string>();
}

/// Whether this is the line "sep=;" that Excel writes, and reads, before the header.
bool is_separator_line(std::string_view line) {
  constexpr std::string_view kBegin = "sep=";
  return line.size() == kBegin.size() + 1 && in_lower_case(line).starts_with(kBegin);
}

/// The format of a table that plainly begins with this line: "csv", "tsv"; nullopt for all else.
std::optional<TextFormat> table_begun_by(std::string_view line) {
  if (is_separator_line(line)) return TextFormat::kCsv;
  for (const auto& [name, separator] : kSeparators) {
    const std::vector<std::string> names = split_csv(line, separator);
    const bool is_header = names.size() == 1 ? in_lower_case(strip(names[0])) == "text" : are_column_names(names);
    if (is_header) return separator == '\t' ? TextFormat::kTsv : TextFormat::kCsv;
  }
  return std::nullopt;
}

/// Whether a line begins a JSON document that is no JSON lines: an array of objects, or an object whose brackets close
/// in another line.
bool begins_json_document(std::string_view line) {
  line = strip(line);
  return line == "{" || line == "[" || (line.starts_with('[') && strip(line.substr(1)).starts_with('{'));
}

bool is_json_object(const Result<JsonValue>& value) { return value && value->is_object(); }

/// Whether a line begins as an object does, though it may not end so.
bool begins_json_object(std::string_view line) {
  line = strip(line);
  return line.starts_with('{') && strip(line.substr(1)).starts_with('"');
}

}  // namespace

bool is_named_json_lines(std::string_view path) {
  const std::string ending = ending_of(path);
  return ending == ".jsonl" || ending == ".ndjson";
}

bool is_named_text(std::string_view path) {
  const std::string ending = ending_of(path);
  return ending == ".txt" || ending == ".text" || ending == ".md" || ending == ".markdown";
}

// ------------------------------------------------------------------------------------------------------------- open

TextReader::TextReader(LineReader lines, std::string name, RecordKind kind, TextOptions options,
                       std::size_t line_bytes_max)
    : lines_(std::move(lines)),
      name_(std::move(name)),
      kind_(std::move(kind)),
      options_(std::move(options)),
      line_bytes_max_(line_bytes_max),
      parser_(kind_.noun) {}

Result<TextReader> TextReader::open(const std::string& path, std::string name, RecordKind kind, TextOptions options,
                                    std::size_t line_bytes_max) {
  const bool is_named = path != "-" && options.format == TextFormat::kAuto;
  const std::string ending = is_named ? ending_of(path) : "";
  if (std::ranges::find(kEndingsOfOthers, ending) != kEndingsOfOthers.end()) {
    return fail(ErrorCode::kUnsupported,
                "{}: {} files are not read: want JSON lines (.jsonl), a table (.csv, .tsv) or lines of text", name,
                ending);
  }
  const TextFormat format = is_named ? format_by_name(path) : options.format;
  const bool is_csv = format == TextFormat::kCsv || (format == TextFormat::kAuto && options.separator);
  if (options.separator && !is_csv && format != TextFormat::kJsonl) {
    return fail(ErrorCode::kInvalidArgument, "{}: {}separator is of CSV: {}format csv reads the file so", name,
                kind.options_prefix, kind.options_prefix);
  }
  RETURN_IF_ERROR(check_columns(kind, options));
  ASSIGN_OR_RETURN(LineReader lines, LineReader::open(path, name, line_bytes_max));
  TextReader reader(std::move(lines), std::move(name), std::move(kind), std::move(options), line_bytes_max);
  reader.format_ = is_csv ? TextFormat::kCsv : format;
  reader.format_is_certain_ = reader.options_.format != TextFormat::kAuto;
  reader.must_be_json_ = ending == ".json";
  reader.must_be_gzip_ = is_named && is_named_gzip(path);
  return reader;
}

std::optional<std::string_view> TextReader::given_column(std::string_view field) const {
  const auto given = std::ranges::find(options_.columns, field, &FieldColumn::field);
  if (given == options_.columns.end()) return std::nullopt;
  return given->column;
}

// ----------------------------------------------------------------------------------------------------------- errors

tl::unexpected<Error> TextReader::fail_at(std::size_t line_number, Error error) const {
  return fail_in(fmt::format("{}:{}", name_, line_number), std::move(error));
}

tl::unexpected<Error> TextReader::fail_here(Error error) const {
  return fail_at(record_line_number_, std::move(error));
}

tl::unexpected<Error> TextReader::refuse_first_line(std::string_view what, TextFormat format) const {
  return fail_here({ErrorCode::kInvalidArgument,
                    fmt::format("the first line is {}, and the file is not said to be that: {}format {} reads it so, "
                                "{}format lines takes each line for a {}",
                                what, kind_.options_prefix, name_of(format), kind_.options_prefix, kind_.noun)});
}

// ------------------------------------------------------------------------------------------------------------ lines

// The next line; an error that is the fault of one line says which.
Result<std::optional<std::string_view>> TextReader::next_line() {
  Result<std::optional<std::string_view>> line = lines_.next();
  if (!line && line.error().code == ErrorCode::kCorruptData) {
    return fail_at(lines_.line_number(), std::move(line).error());
  }
  if (!line) return line;
  if (must_be_gzip_ && !lines_.is_compressed()) {
    return fail(ErrorCode::kUnsupported,
                "{}: is named .gz and not compressed with gzip; such files are not read: want its name without .gz",
                name_);
  }
  if (*line) record_is_utf8_ = record_is_utf8_ && is_utf8(**line);
  return line;
}

// The next line that has more than white space.
Result<std::optional<std::string_view>> TextReader::next_filled_line() {
  for (;;) {
    Result<std::optional<std::string_view>> line = next_line();
    record_line_number_ = lines_.line_number();
    if (!line || !*line || !strip(**line).empty()) return line;
  }
}

Result<std::optional<std::string_view>> TextReader::next_line_of_records() {
  if (!kind_.blank_lines_count) return next_filled_line();
  Result<std::optional<std::string_view>> line = next_line();
  record_line_number_ = lines_.line_number();
  return line;
}

Result<bool> TextReader::advance() {
  line_ = {};
  value_.reset();
  record_is_utf8_ = true;
  ASSIGN_OR_RETURN(const bool more, advance_by_format());
  if (!more) return false;
  ++records_;
  if (!record_is_utf8_) ++records_not_utf8_;
  return true;
}

Result<bool> TextReader::advance_by_format() {
  switch (format_) {
    case TextFormat::kAuto:
    case TextFormat::kLines:
      return advance_line();
    case TextFormat::kJsonl:
      return advance_json();
    case TextFormat::kTsv:
    case TextFormat::kCsv:
      return advance_row();
  }
  return false;
}

Result<bool> TextReader::advance_line() {
  ASSIGN_OR_RETURN(const std::optional<std::string_view> line, next_line_of_records());
  if (!line) return false;
  line_ = without_carriage_return(*line);
  if (strip(line_).empty()) return true;
  const bool is_json = !format_is_certain_ && is_json_object(parser_.parse(line_));
  if (!is_json || format_ == TextFormat::kLines) {
    RETURN_IF_ERROR(check_plain_line(is_json));
    format_is_certain_ = true;
    return true;
  }
  format_ = TextFormat::kJsonl;
  finding_ = fmt::format(
      "{}: the first line is a JSON object, so each line is read as one; {}format lines takes each "
      "line for a {}",
      name_, kind_.options_prefix, kind_.noun);
  return take_json(std::exchange(line_, {}));
}

// Where lines end in carriage returns alone, the first line feed is one inside a text.
Status TextReader::check_first_line_end(std::string_view line) const {
  if (line.find('\r') == std::string_view::npos) return {};
  return fail_here(
      {ErrorCode::kUnsupported, "the first line holds a carriage return, at which lines do not end: want line feeds"});
}

Status TextReader::check_plain_line(bool is_json) const {
  const std::string& prefix = kind_.options_prefix;
  if (!options_.columns.empty() || options_.no_header) {
    return fail_here({ErrorCode::kInvalidArgument,
                      fmt::format("plain lines have no columns: {}format says what the file holds otherwise", prefix)});
  }
  if (format_is_certain_) return {};
  if (is_json) return refuse_first_line("a JSON object", TextFormat::kJsonl);
  if (must_be_json_) {
    return fail(ErrorCode::kUnsupported,
                "{}: .json files are not read unless each line is an object: jq -c '.[]' writes the elements of an "
                "array so",
                name_);
  }
  RETURN_IF_ERROR(check_first_line_end(line_));
  if (begins_json_document(line_)) {
    return fail_here({ErrorCode::kUnsupported,
                      fmt::format("a JSON document over many lines, or an array, is not read: jq -c '.[]' writes its "
                                  "elements as JSON lines; {}format lines takes each line for a {}",
                                  prefix, kind_.noun)});
  }
  if (begins_json_object(line_)) {
    return fail_here({ErrorCode::kInvalidArgument,
                      fmt::format("the first line begins as a JSON object and is none: {}format jsonl says where it is "
                                  "wrong, {}format lines takes each line for a {}",
                                  prefix, prefix, kind_.noun)});
  }
  if (const std::optional<TextFormat> format = table_begun_by(line_)) {
    return refuse_first_line("that of a table", *format);
  }
  const std::size_t tab = line_.find('\t');
  if (kind_.lines_hold_tabs || tab == std::string_view::npos) return {};
  const bool is_id = tab > 0 && line_.substr(0, tab).find(' ') == std::string_view::npos;
  if (!is_id && !kind_.lines_begin_with_ids) return {};
  return refuse_first_line("two columns with a tab between them", TextFormat::kTsv);
}

// ------------------------------------------------------------------------------------------------------- JSON lines

Result<bool> TextReader::advance_json() {
  ASSIGN_OR_RETURN(const std::optional<std::string_view> line, next_line_of_records());
  if (!line) return false;
  return take_json(*line);
}

Result<bool> TextReader::take_json(std::string_view line) {
  const Result<JsonValue> value = parser_.parse(line);
  if (!value) return fail_here(value.error());
  value_ = *value;
  return true;
}

// ----------------------------------------------------------------------------------------------------------- tables

Result<bool> TextReader::advance_row() {
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, read_row());
    if (!more) return false;
    if (columns_.empty()) {
      Result<bool> is_header = take_header(row_.kept);
      if (!is_header) return fail_here(std::move(is_header).error());
      if (*is_header) continue;
    }
    if (row_.count == columns_count_) return true;
    return fail_here({ErrorCode::kCorruptData, fmt::format("expected {} columns, got {}", columns_count_, row_.count)});
  }
}

Result<bool> TextReader::read_row() {
  ASSIGN_OR_RETURN(std::optional<std::string_view> line, next_filled_line());
  if (!line) return false;
  const bool is_first_row = std::exchange(is_first_row_, false);
  if (format_ == TextFormat::kTsv) {
    if (is_first_row) RETURN_IF_ERROR(check_first_line_end(without_carriage_return(*line)));
    row_ = split_tabs(without_carriage_return(*line));
    return true;
  }
  if (is_first_row && take_separator(without_carriage_return(*line))) return read_row();
  CsvRow row(options_.separator.value_or(','));
  for (std::size_t row_bytes = line->size();;) {
    const Result<bool> whole = row.add_line(*line);
    if (!whole) return fail_at(lines_.line_number(), whole.error());
    if (*whole) break;
    ASSIGN_OR_RETURN(line, next_line());
    if (line) row_bytes += line->size() + 1;
    if (!line || row_bytes > line_bytes_max_) {
      return fail_here(
          {ErrorCode::kCorruptData, fmt::format("a quoted field is not closed within {}",
                                                line ? fmt::format("{} bytes", line_bytes_max_) : "the file")});
    }
  }
  row_ = row.take_fields();
  return true;
}

bool TextReader::take_separator(std::string_view line) {
  if (!is_separator_line(line)) return false;
  if (!options_.separator) options_.separator = line.back();
  return true;
}

// False when the line is a row of a table without a header.
Result<bool> TextReader::take_header(const std::vector<std::string>& names) {
  if (row_.count > kColumnsMax) {
    return fail(ErrorCode::kInvalidArgument, "{} columns, want at most {}", row_.count, kColumnsMax);
  }
  columns_count_ = names.size();
  if (options_.no_header) {
    RETURN_IF_ERROR(take_no_header());
    return false;
  }
  ASSIGN_OR_RETURN(Columns found, find_columns(names));
  for (const std::string& field : fields_of(kind_)) {
    const bool is_wanted = given_column(field) ? !given_column(field)->empty() : is_required(kind_, field);
    if (!is_wanted || std::ranges::find(found.fields, field, &Column::first) != found.fields.end()) continue;
    if (!can_be_first_row(names)) return refuse_header(names, given_column(field).value_or(field));
    RETURN_IF_ERROR(take_no_header());
    return false;
  }
  RETURN_IF_ERROR(check_column_names(names));
  const auto ids = std::ranges::find_if(found.others, [](const Column& other) { return is_name_of_ids(other.first); });
  if (std::ranges::find(kind_.optional, "id") != kind_.optional.end() && !given_column("id") &&
      ids != found.others.end() && std::ranges::find(found.fields, "id", &Column::first) == found.fields.end()) {
    return fail(ErrorCode::kInvalidArgument,
                "the header line names no column id, but {}: {}columns id={} takes the ids from there, {}columns id= "
                "numbers the records",
                ids->first, kind_.options_prefix, ids->first, kind_.options_prefix);
  }
  columns_ = std::move(found.fields);
  other_columns_ = std::move(found.others);
  return true;
}

// TSV goes without a header, unless the options or the line itself say that there is one, or that it is no TSV.
bool TextReader::can_be_first_row(const std::vector<std::string>& fields) {
  if (format_ != TextFormat::kTsv || !options_.columns.empty() || are_column_names(fields)) return false;
  if (fields.size() > 1) return !is_name_of_ids(fields[0]);
  return !begins_json_document(fields[0]) && !begins_json_object(fields[0]) && !table_begun_by(fields[0]);
}

Result<TextReader::Columns> TextReader::find_columns(const std::vector<std::string>& names) const {
  Columns found;
  const std::vector<std::string> known = fields_of(kind_);
  for (std::size_t column = 0; column < names.size(); ++column) {
    const std::string_view name = strip(names[column]);
    const std::string lower = in_lower_case(name);
    const auto field = std::ranges::find_if(known, [&](const std::string& each) {
      const std::optional<std::string_view> given = given_column(each);
      if (given) return !given->empty() && in_lower_case(strip(*given)) == lower;
      return each == lower || (each == "id" && lower == "_id");
    });
    if (field == known.end()) {
      found.others.emplace_back(name, column);
    } else if (std::ranges::find(found.fields, *field, &Column::first) != found.fields.end()) {
      return fail(ErrorCode::kInvalidArgument, "the header line names two columns {}", lower);
    } else {
      found.fields.emplace_back(*field, column);
    }
  }
  return found;
}

Status TextReader::take_no_header() {
  if (!options_.columns.empty()) return take_numbered_columns();
  const auto fields = std::ranges::find(kind_.without_header, columns_count_, &std::vector<std::string>::size);
  if (fields == kind_.without_header.end()) {
    std::string known;
    for (const std::vector<std::string>& names : kind_.without_header) {
      known += fmt::format("{}{}", known.empty() ? "" : ", or ", listed(names));
    }
    return fail(ErrorCode::kInvalidArgument,
                "{} columns and no header line: expected a header line that names {}, or as columns {}; {}no-header "
                "with {}columns {}=NUMBER takes other columns",
                columns_count_, listed(kind_.required), known, kind_.options_prefix, kind_.options_prefix,
                kind_.required.front());
  }
  for (std::size_t column = 0; column < fields->size(); ++column) columns_.emplace_back((*fields)[column], column);
  return {};
}

Status TextReader::take_numbered_columns() {
  std::vector<std::string> numbers;
  for (std::size_t column = 1; column <= columns_count_; ++column) numbers.push_back(fmt::format("{}", column));
  ASSIGN_OR_RETURN(Columns found, find_columns(numbers));
  for (const std::string& field : fields_of(kind_)) {
    const bool is_wanted = is_required(kind_, field) || !given_column(field).value_or("").empty();
    if (!is_wanted || std::ranges::find(found.fields, field, &Column::first) != found.fields.end()) continue;
    return fail(ErrorCode::kInvalidArgument, "{}columns {}={}: expected a number from 1 to {}, as there is no header",
                kind_.options_prefix, field, given_column(field).value_or(""), columns_count_);
  }
  columns_ = std::move(found.fields);
  other_columns_ = std::move(found.others);
  return {};
}

tl::unexpected<Error> TextReader::refuse_header(const std::vector<std::string>& names, std::string_view missing) const {
  const std::string& prefix = kind_.options_prefix;
  std::string message = fmt::format("the header line names no column {}, but {}", missing, fmt::join(names, ", "));
  for (const auto& [name, character] : kSeparators) {
    if (names.size() > 1 || names[0].find(character) == std::string::npos) continue;
    message += format_ == TextFormat::kCsv ? "" : fmt::format("; {}format csv", prefix);
    if (character != ',')
      message += fmt::format("{}{}separator {}", message.ends_with("csv") ? " with " : "; ", prefix, name);
    message += " makes more columns of it";
  }
  return fail(ErrorCode::kInvalidArgument,
              "{}; {}columns {}=NAME says which column it is, {}no-header that there is no header", message, prefix,
              kind_.required.front(), prefix);
}

// ----------------------------------------------------------------------------------------------------------- fields

std::string_view TextReader::member_of(std::string_view field) const { return given_column(field).value_or(field); }

std::optional<std::string_view> TextReader::find_cell(std::string_view field) const {
  const auto column = std::ranges::find(columns_, field, &Column::first);
  if (column == columns_.end()) return std::nullopt;
  return row_.kept[column->second];
}

Result<std::string_view> TextReader::get_string(std::string_view field) const {
  if (value_) return value_->get_string(member_of(field));
  if (const std::optional<std::string_view> cell = find_cell(field)) return *cell;
  return fail(ErrorCode::kCorruptData, "{} is missing", field);
}

Result<std::optional<std::string_view>> TextReader::find_string(std::string_view field) const {
  if (value_) return value_->find_string(member_of(field));
  return find_cell(field);
}

Result<double> TextReader::get_double(std::string_view field) const {
  if (value_) return value_->get_double(member_of(field));
  ASSIGN_OR_RETURN(const std::string_view cell, get_string(field));
  double number = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (error != std::errc() || end != cell.data() + cell.size()) {
    return fail(ErrorCode::kCorruptData, "{}: expected a number, got '{}'", field, cell);
  }
  return number;
}

Result<std::string> TextReader::find_id() const {
  std::string id;
  if (value_) {
    const std::optional<std::string_view> given = given_column("id");
    std::optional<JsonValue> value = value_->find(given.value_or("_id"));
    if (!value && !given) value = value_->find("id");
    if (value && !value->is_null()) {
      ASSIGN_OR_RETURN(id, value->as_id(given.value_or("_id")));
    }
  } else {
    id = find_cell("id").value_or("");
  }
  RETURN_IF_ERROR(check_name(fmt::format("{} id", kind_.noun), id));
  return id;
}

Result<std::string> TextReader::metadata() const {
  if (value_) {
    const std::optional<JsonValue> metadata = value_->find("metadata");
    if (!metadata || metadata->is_null()) return std::string();
    ASSIGN_OR_RETURN(const JsonValue object, value_->get_object("metadata"));
    return object.dump();
  }
  if (other_columns_.empty()) return std::string();
  JsonWriter json;
  json.begin_object();
  for (const auto& [name, column] : other_columns_) json.key(name).value(row_.kept[column]);
  return json.end_object().take();
}

}  // namespace tandem
