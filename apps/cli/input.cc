#include "input.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/controls.h"

namespace tandem::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLineBytesMax = std::size_t{64} << 20;

}  // namespace

Result<RecordReader> RecordReader::open(const std::string& path) {
  const std::string name = path == "-" ? "standard input" : path;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return fail(ErrorCode::kInvalidArgument, "{}: is a folder, want a file of texts", path);
  }
  ASSIGN_OR_RETURN(LineReader lines, LineReader::open(path, name, kLineBytesMax));
  std::uint64_t bytes_total = 0;
  if (std::filesystem::is_regular_file(path, error)) bytes_total = std::filesystem::file_size(path, error);
  return RecordReader(std::move(lines), name, error ? 0 : bytes_total, is_named_json_lines(path));
}

RecordReader::RecordReader(LineReader lines, std::string name, std::uint64_t bytes_total, bool is_json)
    : lines_(std::move(lines)), name_(std::move(name)), bytes_total_(bytes_total) {
  if (is_json) parser_.emplace("line");
}

Result<bool> RecordReader::advance() {
  Result<std::optional<std::string_view>> line = lines_.next();
  if (!line) return fail_here(line.error());
  if (!*line) return false;
  line_ = without_carriage_return(**line);
  if (parser_) {
    Result<JsonValue> value = parser_->parse(line_);
    if (!value) return fail_here(value.error());
    value_ = *value;
  }
  return true;
}

tl::unexpected<Error> RecordReader::fail_here(Error error) const {
  return fail_in(fmt::format("{}:{}", name_, lines_.line_number()), std::move(error));
}

std::optional<double> RecordReader::fraction() const {
  if (bytes_total_ == 0) return std::nullopt;
  return static_cast<double>(lines_.bytes_read()) / static_cast<double>(bytes_total_);
}

Result<std::string> read_text(const RecordReader& record) {
  if (!record.json()) return std::string(record.line());
  ASSIGN_OR_RETURN(const std::string_view text, record.json()->get_string("text"));
  ASSIGN_OR_RETURN(const std::optional<std::string_view> title, record.json()->find_string("title"));
  if (!title) return std::string(text);
  return Document{.title = std::string(*title), .text = std::string(text)}.full_text();
}

Result<Pair> read_pair(const RecordReader& record) {
  if (record.json()) {
    ASSIGN_OR_RETURN(const std::string_view query, record.json()->get_string("query"));
    ASSIGN_OR_RETURN(const std::string_view document, record.json()->get_string("document"));
    return Pair{.query = std::string(query), .document = std::string(document)};
  }
  const std::size_t tab = record.line().find('\t');
  if (tab == std::string_view::npos) {
    return fail(ErrorCode::kCorruptData, "expected a query and a document with a tab between them, got no tab");
  }
  return Pair{.query = std::string(record.line().substr(0, tab)),
              .document = std::string(record.line().substr(tab + 1))};
}

Result<Query> read_query(const RecordReader& record) {
  ASSIGN_OR_RETURN(std::string text, read_text(record));
  Query query{.id = fmt::format("{}", record.line_number()), .text = std::move(text)};
  if (!record.json()) return query;
  std::optional<JsonValue> id = record.json()->find("_id");
  if (!id) id = record.json()->find("id");
  if (!id) return query;
  ASSIGN_OR_RETURN(query.id, id->as_id("_id"));
  RETURN_IF_ERROR(check_name("query id", query.id));
  return query;
}

Result<std::vector<Document>> read_documents(CorpusReader& reader, std::size_t documents_max) {
  std::vector<Document> documents;
  while (documents.size() < documents_max) {
    ASSIGN_OR_RETURN(std::optional<Document> document, reader.next());
    if (!document) break;
    documents.push_back(std::move(*document));
  }
  return documents;
}

Status check_is_no_input(std::string_view option, const std::string& output, std::span<const std::string> inputs) {
  std::error_code error;
  const fs::path target = fs::weakly_canonical(output, error);
  if (output.empty() || error || (fs::exists(target, error) && !fs::is_regular_file(target, error))) return {};
  for (const std::string& input : inputs) {
    if (input.empty()) continue;
    const fs::path source = fs::weakly_canonical(input, error);
    if (error) continue;
    const bool is_input = target == source || fs::equivalent(target, source, error);
    const bool is_inside = fs::is_directory(source, error) && fs::exists(target, error) &&
                           std::ranges::mismatch(source, target).in1 == source.end();
    if (!is_input && !is_inside) continue;
    return fail(ErrorCode::kInvalidArgument, "{} {}: {}, so it may not be replaced", option, output,
                is_input ? "this file is read" : fmt::format("this file lies in {}, which is read", input));
  }
  return {};
}

}  // namespace tandem::cli
