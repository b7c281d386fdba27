// Lines of qrels and runs: their columns and numbers, with the errors that name the file and the line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "tandem/result.h"

namespace tandem {

/// Calls `visit` with each line of a file that is neither empty nor a comment ("# …"). What it fails with gets
/// "file:line: " in front and becomes kCorruptData. Errors: those of opening and reading; kCorruptData where there is
/// no such line, "file: holds no `what`".
Status for_each_line(const std::string& path, std::string_view what,
                     const std::function<Status(std::string_view line)>& visit);

/// The first columns of a line, separated by runs of blanks and tabs, as many as `columns` has room for. Returns how
/// many columns the line has; counting ends one after the last that fits.
std::size_t split_blanks(std::string_view line, std::span<std::string_view> columns);
/// The same, separated by single tabs: columns may be empty and hold blanks.
std::size_t split_at_tabs(std::string_view line, std::span<std::string_view> columns);

/// A whole number in decimal; nullopt for anything else, or one that does not fit.
std::optional<std::int32_t> parse_integer(std::string_view text);
/// A number as Python's float() reads it, without "_" and blanks: "1e-3", "+2", "inf", "nan". Too large becomes
/// infinite, too small 0.
std::optional<double> parse_number(std::string_view text);

/// Text on its way into a file that replaces another, gathered into large writes. Not thread-safe.
class TextFile {
 public:
  static Result<TextFile> create(const std::filesystem::path& path);

  /// Add whole lines to this; end_line() and commit() write what is in it.
  std::string& text() { return text_; }
  /// Call after each line, which ends with its line feed. Errors: those of writing.
  Status end_line();
  Status commit();

 private:
  explicit TextFile(ReplacementFile file) : file_(std::move(file)) {}
  Status flush();

  ReplacementFile file_;
  std::string text_;
};

}  // namespace tandem
