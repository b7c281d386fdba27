// Reads a file line by line, holding no more than one line: what every text format is read through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "tandem/result.h"

namespace tandem {

/// The lines of a file, a pipe or standard input. Not thread-safe.
class LineReader {
 public:
  /// "-" is standard input, and any path that a user named may be a pipe. `name` stands for the file in errors.
  static Result<LineReader> open(const std::string& path, std::string name, std::size_t line_bytes_max);
  /// The same of a file that is open.
  LineReader(FileDescriptor file, std::string name, std::size_t line_bytes_max);

  /// The next line without its line feed, but with the carriage return that may stand before it; nullopt at the end.
  /// Valid until the next call. A byte-order mark at the very start is not part of the first line.
  /// Errors: kCorruptData for a line longer than `line_bytes_max`, whose rest the next call skips;
  /// kUnsupported for UTF-16; kIo.
  Result<std::optional<std::string_view>> next();

  /// The number of the line that next() came to last, from 1.
  std::size_t line_number() const { return line_number_; }
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  Result<bool> fill();
  Status finish_line();
  Status skip_marks();
  std::string_view take(std::size_t bytes);

  FileDescriptor file_;
  std::string name_;
  std::size_t line_bytes_max_;
  std::vector<char> buffer_;  // What was read and not yet handed out lies in [begin_, end_).
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t line_number_ = 0;
  std::uint64_t bytes_read_ = 0;
  bool inside_line_ = false;  // The line was too long and its end is still to be found.
};

/// Whether a file holds JSON lines by its name: .jsonl or .ndjson, in any case.
bool is_named_json_lines(const std::filesystem::path& path);

/// A line without the carriage return at its end, if it has one.
std::string_view without_carriage_return(std::string_view line);

}  // namespace tandem
