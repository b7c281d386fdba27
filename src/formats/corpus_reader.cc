#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/controls.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/line_reader.h"
#include "base/strip.h"
#include "tandem/corpus.h"

namespace tandem {
namespace {

constexpr std::size_t kSkippedErrorsMax = 10;

// Of a folder of texts. Every level that is open costs its whole path.
constexpr int kFolderDepthMax = 256;

// Of a table. A header's names are written into the metadata of every row: without bounds, one name of a megabyte over
// many short rows is a file of little and metadata of much.
constexpr std::size_t kColumnsMax = 1024;
constexpr std::size_t kColumnNameBytesMax = 1024;
constexpr std::size_t kColumnNamesBytesMax = std::size_t{64} << 10;  // Of all columns together.
// And what the rows' metadata may take: so much, and so many times what was read of the table. Common tables take less
// than twice, those of short cells under long names ten times.
constexpr std::uint64_t kMetadataBytesFree = std::uint64_t{16} << 20;
constexpr std::uint64_t kMetadataGrowthMax = 32;

/// The fields of one record. Those after the first kColumnsMax are counted and not kept: a line of nothing but commas
/// would take many times its size.
struct RecordFields {
  std::size_t count = 0;
  std::vector<std::string> kept = {};
};

RecordFields split_tabs(std::string_view line) {
  RecordFields fields;
  for (;;) {
    const std::size_t tab = line.find('\t');
    if (++fields.count <= kColumnsMax) fields.kept.emplace_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return fields;
    line.remove_prefix(tab + 1);
  }
}

// Splits CSV as RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180) describes it, one physical line at a time, because a
// quoted field may go on in the next one. A quote inside an unquoted field, on which the RFC is silent, is kept.
class CsvRecord {
 public:
  /// False when a quoted field is still open at the end of `line`, which comes without its line feed.
  Result<bool> add_line(std::string_view line) {
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
          if (character == ',') {
            start_field();
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
          } else if (character == ',') {
            start_field();
          } else if (!is_line_end) {
            return fail(ErrorCode::kCorruptData, "column {}: after a closing quote: expected a comma or the line's end",
                        fields_.count);
          }
          break;
      }
    }
    if (state_ != State::kQuoted) return true;
    append('\n');
    return false;
  }

  RecordFields take_fields() { return std::move(fields_); }

 private:
  enum class State { kFieldStart, kBare, kQuoted, kQuoteInQuoted };

  void start_field() {
    if (++fields_.count <= kColumnsMax) fields_.kept.emplace_back();
    state_ = State::kFieldStart;
  }

  void append(char character) {
    if (fields_.count <= kColumnsMax) fields_.kept.back().push_back(character);
  }

  RecordFields fields_ = {.count = 1, .kept = {""}};
  State state_ = State::kFieldStart;
};

/// Which column of a table is what.
struct TableColumns {
  std::size_t count = 0;
  std::size_t text = 0;
  std::optional<std::size_t> id = {};
  std::optional<std::size_t> title = {};
  std::vector<std::pair<std::size_t, std::string>> metadata = {};  // Every other column that a header line names.
};

// Whether a header's names can be repeated with every row: written as JSON, they must be short.
Status check_column_names(const std::vector<std::string>& fields) {
  std::size_t bytes = 0;
  for (std::size_t column = 0; column < fields.size(); ++column) {
    const std::string_view name = strip(fields[column]);
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
    return fail(ErrorCode::kInvalidArgument, "the names of the {} columns take {} bytes, want at most {}",
                fields.size(), bytes, kColumnNamesBytesMax);
  }
  return {};
}

// Null when `fields` is no header line: one of its fields would be "text".
Result<std::optional<TableColumns>> read_header(const std::vector<std::string>& fields) {
  TableColumns columns{.count = fields.size()};
  std::optional<std::size_t> text;
  for (std::size_t column = 0; column < fields.size(); ++column) {
    const std::string_view name = strip(fields[column]);
    const std::string lower = in_lower_case(name);
    std::optional<std::size_t>* known = nullptr;
    if (lower == "text") known = &text;
    if (lower == "title") known = &columns.title;
    if (lower == "id" || lower == "_id") known = &columns.id;
    if (known == nullptr) {
      columns.metadata.emplace_back(column, name);
    } else if (known->has_value()) {
      return fail(ErrorCode::kInvalidArgument, "the header line names two columns {}", lower);
    } else {
      *known = column;
    }
  }
  if (!text) return std::optional<TableColumns>();
  RETURN_IF_ERROR(check_column_names(fields));
  columns.text = *text;
  return std::optional(std::move(columns));
}

Result<TableColumns> columns_without_header(std::size_t count) {
  if (count == 1) return TableColumns{.count = 1, .text = 0};
  if (count == 2) return TableColumns{.count = 2, .text = 1, .id = 0};
  return fail(ErrorCode::kInvalidArgument,
              "{} columns and no header line: expected a header line that names a column text, or the columns id and "
              "text, or text alone",
              count);
}

Result<Document> document_of_fields(const TableColumns& columns, std::vector<std::string> fields) {
  Document document;
  if (!columns.metadata.empty()) {
    JsonWriter json;
    json.begin_object();
    for (const auto& [column, name] : columns.metadata) json.key(name).value(fields[column]);
    document.metadata = json.end_object().take();
  }
  if (columns.id) document.id = std::move(fields[*columns.id]);
  if (columns.title) document.title = std::move(fields[*columns.title]);
  document.text = std::move(fields[columns.text]);
  RETURN_IF_ERROR(check_name("document id", document.id));
  return document;
}

Result<Document> document_of_json(JsonValue line) {
  Document document;
  ASSIGN_OR_RETURN(document.text, line.get_string("text"));
  std::optional<JsonValue> id = line.find("_id");
  if (!id) id = line.find("id");
  if (id && !id->is_null()) {
    ASSIGN_OR_RETURN(document.id, id->as_id("_id"));
  }
  RETURN_IF_ERROR(check_name("document id", document.id));
  ASSIGN_OR_RETURN(const std::optional<std::string_view> title, line.find_string("title"));
  document.title = title.value_or("");
  if (const std::optional<JsonValue> metadata = line.find("metadata"); metadata && !metadata->is_null()) {
    ASSIGN_OR_RETURN(const JsonValue object, line.get_object("metadata"));
    document.metadata = object.dump();
  }
  return document;
}

/// One file to read.
struct Source {
  enum class Kind { kJsonl, kTsv, kCsv, kLines, kWholeFile };

  std::string path;  // "-": standard input.
  std::string name;  // Stands for it in errors.
  Kind kind = Kind::kLines;
  // Of a kWholeFile: the id of its one document, the folder that was listed, and its path from there.
  std::string id = {};
  std::shared_ptr<const FileDescriptor> folder = {};
  std::filesystem::path inside = {};
  std::optional<std::uint64_t> size_bytes = {};  // Of a regular file.
};

Source::Kind kind_of(CorpusFormat format, const std::string& path) {
  switch (format) {
    case CorpusFormat::kJsonl:
      return Source::Kind::kJsonl;
    case CorpusFormat::kTsv:
      return Source::Kind::kTsv;
    case CorpusFormat::kCsv:
      return Source::Kind::kCsv;
    case CorpusFormat::kLines:
      return Source::Kind::kLines;
    case CorpusFormat::kAuto:
      break;
  }
  if (is_named_json_lines(path)) return Source::Kind::kJsonl;
  const std::string extension = in_lower_case(std::filesystem::path(path).extension().string());
  if (extension == ".tsv") return Source::Kind::kTsv;
  if (extension == ".csv") return Source::Kind::kCsv;
  return Source::Kind::kLines;
}

/// Where a link leads, if that is inside `folder`, which has no links in it. Whoever made a folder decides what its
/// links lead to, and must not get the reader's other files into a collection.
std::optional<std::filesystem::path> target_inside(const std::filesystem::path& link,
                                                   const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::path target = std::filesystem::canonical(link, error);
  if (error || std::ranges::mismatch(folder, target).in1 != folder.end()) return std::nullopt;
  return target;
}

/// A file counts once, under the first of its names: a folder can be full of links to one that is large.
Status drop_other_names(std::vector<Source>& sources) {
  std::set<std::pair<dev_t, ino_t>> seen;
  std::vector<Source> once;
  for (Source& source : sources) {
    struct stat file {};
    if (::fstatat(source.folder->get(), source.inside.c_str(), &file, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(errno, "cannot look at the file", source.name);
    }
    if (seen.emplace(file.st_dev, file.st_ino).second) once.push_back(std::move(source));
  }
  sources = std::move(once);
  return {};
}

// The .txt and .md files below a folder, in the order of their relative paths. Links to folders are not followed, so
// that a link to a folder above does not go round for ever, and neither are links to files outside the folder. A link
// to one of them inside adds nothing.
Result<std::vector<Source>> list_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<Source> sources;
  ASSIGN_OR_RETURN(FileDescriptor opened, FileDescriptor::open(folder, O_PATH | O_DIRECTORY));
  const auto descriptor = std::make_shared<const FileDescriptor>(std::move(opened));
  std::error_code error;
  const fs::path whole_folder = fs::canonical(folder, error);
  if (error) return fail_errno(error.value(), "cannot find the folder", folder);
  std::vector<Source> links;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry.depth() >= kFolderDepthMax) {
      return fail(ErrorCode::kUnsupported, "{}: holds folders in folders {} deep, want fewer", folder, kFolderDepthMax);
    }
    const std::string extension = in_lower_case(entry->path().extension().string());
    std::error_code not_there;  // A link that leads nowhere is no text.
    if ((extension != ".txt" && extension != ".md") || !entry->is_regular_file(not_there)) continue;
    const fs::path relative = entry->path().lexically_relative(folder);
    Source source{.path = entry->path().string(),
                  .name = entry->path().string(),
                  .kind = Source::Kind::kWholeFile,
                  .id = relative.generic_string(),
                  .folder = descriptor,
                  .inside = relative};
    const bool is_link = entry->is_symlink(not_there);
    if (is_link) {
      const std::optional<fs::path> target = target_inside(entry->path(), whole_folder);
      if (!target) continue;
      source.inside = target->lexically_relative(whole_folder);
    }
    if (Status named = check_name("document id", source.id); !named) return fail_in(folder, std::move(named).error());
    (is_link ? links : sources).push_back(std::move(source));
  }
  if (error) return fail_errno(error.value(), "cannot list the folder", folder);
  std::ranges::sort(sources, {}, &Source::id);
  std::ranges::sort(links, {}, &Source::id);
  std::ranges::move(links, std::back_inserter(sources));
  RETURN_IF_ERROR(drop_other_names(sources));
  if (sources.empty())
    return fail(ErrorCode::kInvalidArgument,
                "{}: the folder has no .txt or .md file; links that lead out of it do not count", folder);
  std::ranges::sort(sources, {}, &Source::id);
  return sources;
}

/// Archives and documents of office programs, whose lines are no texts.
Status check_is_text(CorpusFormat format, const std::string& path) {
  constexpr std::array<std::string_view, 12> kOthers = {".gz",      ".bz2",  ".xz",  ".zst",  ".zip",  ".tar",
                                                        ".parquet", ".json", ".pdf", ".docx", ".xlsx", ".sqlite"};
  const std::string extension = in_lower_case(std::filesystem::path(path).extension().string());
  if (format != CorpusFormat::kAuto || std::ranges::find(kOthers, extension) == kOthers.end()) return {};
  return fail(ErrorCode::kUnsupported,
              "{}: {} files are not read: want JSON lines (.jsonl), a table (.csv, .tsv) or lines of text", path,
              extension);
}

Result<std::vector<Source>> list_sources(const std::vector<std::string>& paths, CorpusFormat format) {
  if (paths.empty()) return fail(ErrorCode::kInvalidArgument, "no file to read documents from");
  std::vector<Source> sources;
  for (const std::string& path : paths) {
    if (path == "-") {
      sources.push_back({.path = path, .name = "standard input", .kind = kind_of(format, path)});
      continue;
    }
    std::error_code no_folder;
    if (std::filesystem::is_directory(path, no_folder)) {
      ASSIGN_OR_RETURN(std::vector<Source> files, list_folder(path));
      std::ranges::move(files, std::back_inserter(sources));
    } else {
      RETURN_IF_ERROR(check_is_text(format, path));
      sources.push_back({.path = path, .name = path, .kind = kind_of(format, path)});
    }
  }
  for (Source& source : sources) {
    if (source.path == "-") continue;
    struct stat status {};
    if (::stat(source.path.c_str(), &status) != 0 ||
        ::faccessat(AT_FDCWD, source.path.c_str(), R_OK, AT_EACCESS) != 0) {
      // Better now than after an hour of embedding the files before it.
      return fail_errno(errno, "cannot open", source.path);
    }
    if (S_ISREG(status.st_mode)) source.size_bytes = static_cast<std::uint64_t>(status.st_size);
  }
  return sources;
}

}  // namespace

class CorpusReader::Impl {
 public:
  Impl(std::vector<Source> sources, const CorpusOptions& options) : options_(options), sources_(std::move(sources)) {}

  Result<std::optional<Document>> next() {
    while (position_ < sources_.size()) {
      if (!lines_) RETURN_IF_ERROR(open_source());
      Result<std::optional<Document>> document = next_of_source();
      if (!document) {
        if (!options_.skip_bad_lines || document.error().code != ErrorCode::kCorruptData) return document;
        // A record of a table can have many lines, and an open quote takes all that follow.
        lines_skipped_ += source().kind == Source::Kind::kCsv ? lines_->line_number() - record_line_number_ + 1 : 1;
        if (skipped_errors_.size() < kSkippedErrorsMax) skipped_errors_.push_back(document.error().message);
      } else if (*document) {
        ++documents_;
        if ((*document)->id.empty()) (*document)->id = fmt::format("{}", documents_);
        return document;
      } else {
        // Not what was read: the rest of a file that is too long is left alone.
        bytes_of_finished_ += source().size_bytes.value_or(lines_->bytes_read());
        lines_.reset();
        ++position_;
      }
    }
    return std::optional<Document>();
  }

  std::uint64_t bytes_total() const {
    std::uint64_t total = 0;
    for (const Source& source : sources_) {
      if (!source.size_bytes) return 0;
      total += *source.size_bytes;
    }
    return total;
  }
  std::uint64_t bytes_read() const { return bytes_of_finished_ + (lines_ ? lines_->bytes_read() : 0); }
  std::size_t lines_skipped() const { return lines_skipped_; }
  const std::vector<std::string>& skipped_errors() const { return skipped_errors_; }

 private:
  using NextDocument = Result<std::optional<Document>>;

  const Source& source() const { return sources_[position_]; }

  Status open_source() {
    if (source().folder) {
      // Hours may have passed since the folder was listed, and whoever made it may have put a link there.
      ASSIGN_OR_RETURN(FileDescriptor file,
                       FileDescriptor::open_beneath(*source().folder, source().inside, source().name));
      lines_.emplace(std::move(file), source().name, options_.line_bytes_max);
    } else {
      ASSIGN_OR_RETURN(lines_, LineReader::open(source().path, source().name, options_.line_bytes_max));
    }
    columns_.reset();
    whole_file_read_ = false;
    return {};
  }

  NextDocument next_of_source() {
    switch (source().kind) {
      case Source::Kind::kJsonl:
        return next_json();
      case Source::Kind::kTsv:
      case Source::Kind::kCsv:
        return next_row();
      case Source::Kind::kLines:
        return next_line();
      case Source::Kind::kWholeFile:
        return next_whole_file();
    }
    return std::optional<Document>();
  }

  tl::unexpected<Error> fail_at(std::size_t line_number, Error error) const {
    return fail_in(fmt::format("{}:{}", source().name, line_number), std::move(error));
  }

  // The next line; an error that is the fault of one line says which.
  Result<std::optional<std::string_view>> next_raw_line() {
    Result<std::optional<std::string_view>> line = lines_->next();
    if (!line && line.error().code == ErrorCode::kCorruptData) {
      return fail_at(lines_->line_number(), std::move(line).error());
    }
    return line;
  }

  // The next line that has more than white space.
  Result<std::optional<std::string_view>> next_filled_line() {
    for (;;) {
      Result<std::optional<std::string_view>> line = next_raw_line();
      record_line_number_ = lines_->line_number();
      if (!line || !*line || !strip(**line).empty()) return line;
    }
  }

  NextDocument next_line() {
    ASSIGN_OR_RETURN(const std::optional<std::string_view> line, next_filled_line());
    if (!line) return std::optional<Document>();
    return Document{.id = "", .title = "", .text = std::string(without_carriage_return(*line)), .metadata = ""};
  }

  NextDocument next_json() {
    ASSIGN_OR_RETURN(const std::optional<std::string_view> line, next_filled_line());
    if (!line) return std::optional<Document>();
    const Result<JsonValue> value = json_.parse(*line);
    if (!value) return fail_at(lines_->line_number(), value.error());
    Result<Document> document = document_of_json(*value);
    if (!document) return fail_at(lines_->line_number(), std::move(document).error());
    return std::move(*document);
  }

  // A record of a table and the number of the line where it starts.
  struct Row {
    RecordFields fields;
    std::size_t line_number = 0;
  };

  Result<std::optional<Row>> next_record() {
    ASSIGN_OR_RETURN(std::optional<std::string_view> line, next_filled_line());
    if (!line) return std::optional<Row>();
    const std::size_t line_number = lines_->line_number();
    if (source().kind == Source::Kind::kTsv) return Row{split_tabs(without_carriage_return(*line)), line_number};

    CsvRecord record;
    for (std::size_t record_bytes = line->size();;) {
      const Result<bool> whole = record.add_line(*line);
      if (!whole) return fail_at(lines_->line_number(), whole.error());
      if (*whole) return Row{record.take_fields(), line_number};
      ASSIGN_OR_RETURN(line, next_raw_line());
      if (line) record_bytes += line->size() + 1;
      if (!line || record_bytes > options_.line_bytes_max) {
        return fail_at(line_number,
                       {ErrorCode::kCorruptData,
                        fmt::format("a quoted field is not closed within {}",
                                    line ? fmt::format("{} bytes", options_.line_bytes_max) : "the file")});
      }
    }
  }

  NextDocument next_row() {
    for (;;) {
      ASSIGN_OR_RETURN(std::optional<Row> row, next_record());
      if (!row) return std::optional<Document>();
      if (!columns_) {
        if (row->fields.count > kColumnsMax) {
          return fail_at(row->line_number, {ErrorCode::kInvalidArgument, fmt::format("{} columns, want at most {}",
                                                                                     row->fields.count, kColumnsMax)});
        }
        Result<std::optional<TableColumns>> header = read_header(row->fields.kept);
        if (!header) return fail_at(row->line_number, std::move(header).error());
        columns_ = *header;
        if (columns_) continue;
        Result<TableColumns> columns = columns_without_header(row->fields.count);
        if (!columns) return fail_at(row->line_number, std::move(columns).error());
        columns_ = *columns;
      }
      if (row->fields.count != columns_->count) {
        return fail_at(row->line_number, {ErrorCode::kCorruptData, fmt::format("expected {} columns, got {}",
                                                                               columns_->count, row->fields.count)});
      }
      Result<Document> document = document_of_fields(*columns_, std::move(row->fields.kept));
      if (!document) return fail_at(row->line_number, std::move(document).error());
      metadata_bytes_ += document->metadata.size();
      if (metadata_bytes_ > kMetadataBytesFree + kMetadataGrowthMax * bytes_read()) {
        return fail_at(row->line_number,
                       {ErrorCode::kInvalidArgument,
                        fmt::format("its columns and their names make {} bytes of metadata of {} bytes that were read, "
                                    "want at most {} times as many: shorter names, or fewer columns",
                                    metadata_bytes_, bytes_read(), kMetadataGrowthMax)});
      }
      return std::move(*document);
    }
  }

  NextDocument next_whole_file() {
    if (std::exchange(whole_file_read_, true)) return std::optional<Document>();
    Document document{.id = source().id, .title = "", .text = "", .metadata = ""};
    for (;;) {
      ASSIGN_OR_RETURN(const std::optional<std::string_view> line, next_raw_line());
      if (!line) return document;
      document.text.append(without_carriage_return(*line)).push_back('\n');
      if (document.text.size() > options_.line_bytes_max) {
        return fail(ErrorCode::kCorruptData, "{}: the text is longer than {} bytes", source().name,
                    options_.line_bytes_max);
      }
    }
  }

  const CorpusOptions options_;
  const std::vector<Source> sources_;

  std::size_t position_ = 0;  // The source that is being read.
  std::optional<LineReader> lines_;
  std::optional<TableColumns> columns_;
  bool whole_file_read_ = false;
  JsonLineParser json_{"document"};

  std::size_t documents_ = 0;
  std::uint64_t metadata_bytes_ = 0;  // Of tables.
  std::uint64_t bytes_of_finished_ = 0;
  std::size_t record_line_number_ = 0;  // Where the record that was read last begins.
  std::size_t lines_skipped_ = 0;
  std::vector<std::string> skipped_errors_;
};

CorpusReader::CorpusReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CorpusReader::CorpusReader(CorpusReader&&) noexcept = default;
CorpusReader& CorpusReader::operator=(CorpusReader&&) noexcept = default;
CorpusReader::~CorpusReader() = default;

Result<CorpusReader> CorpusReader::open(std::vector<std::string> paths, const CorpusOptions& options) {
  ASSIGN_OR_RETURN(std::vector<Source> sources, list_sources(paths, options.format));
  return CorpusReader(std::make_unique<Impl>(std::move(sources), options));
}

Result<std::optional<Document>> CorpusReader::next() { return impl_->next(); }
std::uint64_t CorpusReader::bytes_total() const { return impl_->bytes_total(); }
std::uint64_t CorpusReader::bytes_read() const { return impl_->bytes_read(); }
std::size_t CorpusReader::lines_skipped() const { return impl_->lines_skipped(); }
const std::vector<std::string>& CorpusReader::skipped_errors() const { return impl_->skipped_errors(); }

}  // namespace tandem
