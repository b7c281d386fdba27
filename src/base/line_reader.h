// Reads a file line by line, holding no more than one line: what every text format is read through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/text_source.h"
#include "tandem/result.h"

namespace tandem {

/// The lines of a file, a pipe or standard input, as TextSource gives its text. Not thread-safe.
class LineReader {
 public:
  /// "-" is standard input, and any path that a user named may be a pipe. `name` stands for the file in errors.
  static Result<LineReader> open(const std::string& path, std::string name, std::size_t line_bytes_max);
  /// The same of a file that is open.
  LineReader(FileDescriptor file, std::string name, std::size_t line_bytes_max);

  /// The next line without its line feed, but with the carriage return that may stand before it; nullopt at the end.
  /// Valid until the next call. Errors: kCorruptData for a line longer than `line_bytes_max`, whose rest the next call
  /// skips; kUnsupported for a line that holds a NUL, and for lines that end in carriage returns alone; those of
  /// TextSource. All but the first name the file.
  Result<std::optional<std::string_view>> next();

  /// The number of the line that next() came to last, from 1.
  std::size_t line_number() const { return line_number_; }
  bool is_compressed() const { return source_.is_compressed(); }
  std::uint64_t text_bytes_read() const { return text_bytes_read_; }
  /// Of the file, compressed where it is.
  std::uint64_t file_bytes_read() const;

 private:
  Result<bool> fill();
  Status finish_line();
  Status check_line(std::string_view line, bool is_only_one) const;
  std::string_view take(std::size_t bytes);

  TextSource source_;
  std::string name_;
  std::size_t line_bytes_max_;
  std::vector<char> buffer_;  // What was read and not yet handed out lies in [begin_, end_).
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t line_number_ = 0;
  std::uint64_t text_bytes_read_ = 0;
  bool inside_line_ = false;  // The line was too long and its end is still to be found.
};

/// A line without the carriage return at its end, if it has one.
std::string_view without_carriage_return(std::string_view line);

}  // namespace tandem
