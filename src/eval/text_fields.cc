#include "eval/text_fields.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/error.h"
#include "base/line_reader.h"

namespace tandem {
namespace {

constexpr std::size_t kLineBytesMax = std::size_t{1} << 20;
constexpr std::size_t kWriteBytes = std::size_t{1} << 20;

// What C's isspace() and Python's str.split() take for white space, of ASCII.
bool is_blank(char character) { return character == ' ' || (character >= '\t' && character <= '\r'); }

std::string_view without_plus(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

}  // namespace

Status for_each_line(const std::string& path, std::string_view what,
                     const std::function<Status(std::string_view line)>& visit) {
  const std::string name = path == "-" ? "standard input" : path;
  ASSIGN_OR_RETURN(LineReader lines, LineReader::open(path, name, kLineBytesMax));
  bool any = false;
  for (;;) {
    const auto fail_here = [&](Error error) {
      return fail_in(fmt::format("{}:{}", name, lines.line_number()), std::move(error));
    };
    Result<std::optional<std::string_view>> line = lines.next();
    if (!line)
      return line.error().code == ErrorCode::kCorruptData ? fail_here(line.error()) : tl::unexpected(line.error());
    if (!*line) break;
    if ((*line)->starts_with('#') || std::ranges::all_of(**line, is_blank)) continue;
    if (Status status = visit(without_carriage_return(**line)); !status) {
      return fail_here({ErrorCode::kCorruptData, std::move(status).error().message});
    }
    any = true;
  }
  if (!any) return fail(ErrorCode::kCorruptData, "{}: holds no {}", name, what);
  return {};
}

std::size_t split_blanks(std::string_view line, std::span<std::string_view> columns) {
  const char* position = line.data();
  const char* const end = position + line.size();
  for (std::size_t count = 0;; ++count) {
    while (position != end && is_blank(*position)) ++position;
    if (position == end || count == columns.size()) return count + (position != end ? 1 : 0);
    const char* const begin = position;
    while (position != end && !is_blank(*position)) ++position;
    columns[count] = {begin, static_cast<std::size_t>(position - begin)};
  }
}

std::size_t split_at_tabs(std::string_view line, std::span<std::string_view> columns) {
  for (std::size_t count = 0; count < columns.size(); ++count) {
    const std::size_t tab = line.find('\t');
    columns[count] = line.substr(0, tab);
    if (tab == std::string_view::npos) return count + 1;
    line.remove_prefix(tab + 1);
  }
  return columns.size() + 1;
}

std::optional<std::int32_t> parse_integer(std::string_view text) {
  text = without_plus(text);
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> parse_number(std::string_view text) {
  text = without_plus(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  // from_chars() leaves out what does not fit, too small or too large: strtod() tells which.
  if (error == std::errc::result_out_of_range) return std::strtod(std::string(text).c_str(), nullptr);
  if (error != std::errc()) return std::nullopt;
  return number;
}

Result<TextFile> TextFile::create(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(ReplacementFile file, ReplacementFile::create(path));
  return TextFile(std::move(file));
}

Status TextFile::end_line() { return text_.size() < kWriteBytes ? Status() : flush(); }

Status TextFile::flush() {
  const Status status = file_.append(std::as_bytes(std::span(text_)));
  text_.clear();
  return status;
}

Status TextFile::commit() {
  RETURN_IF_ERROR(flush());
  return file_.commit();
}

}  // namespace tandem
