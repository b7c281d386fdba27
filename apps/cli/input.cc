#include "input.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "descriptions.h"
#include "terminal.h"

namespace tandem::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLineBytesMax = std::size_t{64} << 20;

}  // namespace

Result<InputFile> InputFile::open(const std::string& path, const RecordKind& kind, const TextOptions& options) {
  const std::string name = path == "-" ? "standard input" : path;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    return fail(ErrorCode::kInvalidArgument, "{}: is a folder, want a file", path);
  }
  ASSIGN_OR_RETURN(TextReader reader, TextReader::open(path, name, kind, options, kLineBytesMax));
  std::uint64_t bytes_total = 0;
  if (fs::is_regular_file(path, error)) bytes_total = fs::file_size(path, error);
  return InputFile(std::move(reader), name, error ? 0 : bytes_total);
}

Result<bool> InputFile::advance() {
  ASSIGN_OR_RETURN(const bool more, reader_.advance());
  if (more && reader_.records() == 1 && !reader_.finding().empty()) note(reader_.finding());
  if (!more && !std::exchange(has_ended_, true) && reader_.records_not_utf8() > 0) {
    note(fmt::format("{}: {} with bytes that are not UTF-8, which are read as U+FFFD", name_,
                     count_of(reader_.records_not_utf8(), "record")));
  }
  return more;
}

std::optional<double> InputFile::fraction() const {
  if (bytes_total_ == 0) return std::nullopt;
  return static_cast<double>(reader_.file_bytes_read()) / static_cast<double>(bytes_total_);
}

Records<std::string> texts() {
  const auto read = [](const TextReader& record) -> Result<std::string> {
    if (!record.has_fields()) return std::string(record.line());
    ASSIGN_OR_RETURN(const std::string_view text, record.get_string("text"));
    ASSIGN_OR_RETURN(const std::optional<std::string_view> title, record.find_string("title"));
    if (!title) return std::string(text);
    return Document{.title = std::string(*title), .text = std::string(text)}.full_text();
  };
  return {.kind = {.noun = "text", .optional = {"title"}}, .read = read};
}

Records<Pair> pairs() {
  const auto read = [](const TextReader& record) -> Result<Pair> {
    if (record.has_fields()) {
      ASSIGN_OR_RETURN(const std::string_view query, record.get_string("query"));
      ASSIGN_OR_RETURN(const std::string_view document, record.get_string("document"));
      return Pair{.query = std::string(query), .document = std::string(document)};
    }
    const std::size_t tab = record.line().find('\t');
    if (tab == std::string_view::npos) {
      return fail(ErrorCode::kCorruptData, "expected a query and a document with a tab between them, got no tab");
    }
    return Pair{.query = std::string(record.line().substr(0, tab)),
                .document = std::string(record.line().substr(tab + 1))};
  };
  return {.kind = {.noun = "pair",
                   .required = {"query", "document"},
                   .without_header = {{"query", "document"}},
                   .lines_hold_tabs = true},
          .read = read};
}

Records<Query> queries(std::string options_prefix) {
  const auto read = [](const TextReader& record) -> Result<Query> {
    ASSIGN_OR_RETURN(std::string text, texts().read(record));
    ASSIGN_OR_RETURN(std::string id, record.find_id());
    if (id.empty()) id = fmt::format("{}", record.records());
    return Query{.id = std::move(id), .text = std::move(text)};
  };
  return {.kind = {.noun = "query",
                   .optional = {"title", "id"},
                   .lines_begin_with_ids = true,
                   .options_prefix = std::move(options_prefix)},
          .read = read};
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

void note_report(const CorpusReport& report) {
  const auto note_list = [](const std::vector<std::string>& list, std::string_view what, std::size_t count,
                            std::string_view noun) {
    for (const std::string& entry : list) note(fmt::format("{}: {}", what, entry));
    if (count > list.size()) note(fmt::format("… and {} more", count_of(count - list.size(), noun)));
  };
  for (const std::string& finding : report.findings) note(finding);
  note_list(report.passed_over, "passed over", report.files_passed_over, "file");
  note_list(report.skipped_errors, "skipped", report.lines_skipped, "line");
  if (report.documents_not_utf8 > 0) {
    note(fmt::format("{} with bytes that are not UTF-8, which are read as U+FFFD",
                     count_of(report.documents_not_utf8, "document")));
  }
  if (report.documents_blank > 0) note(fmt::format("{} without text", count_of(report.documents_blank, "document")));
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
