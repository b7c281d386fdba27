#include "base/line_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/error.h"

namespace tandem {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} << 10;

}  // namespace

LineReader::LineReader(FileDescriptor file, std::string name, std::size_t line_bytes_max)
    : source_(std::move(file), name), name_(std::move(name)), line_bytes_max_(line_bytes_max), buffer_(kBufferBytes) {}

Result<LineReader> LineReader::open(const std::string& path, std::string name, std::size_t line_bytes_max) {
  if (path == "-") {
    const int descriptor = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) return fail_errno(errno, "cannot open", name);
    return LineReader(FileDescriptor(descriptor), std::move(name), line_bytes_max);
  }
  ASSIGN_OR_RETURN(FileDescriptor file, FileDescriptor::open(path, O_RDONLY));
  return LineReader(std::move(file), std::move(name), line_bytes_max);
}

// Reads once more behind what is there, making room first; false at the end of the file.
Result<bool> LineReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  ASSIGN_OR_RETURN(const std::size_t count, source_.read(std::span(buffer_).subspan(end_)));
  end_ += count;
  return count > 0;
}

std::uint64_t LineReader::file_bytes_read() const {
  return source_.file_bytes_read() - (source_.is_compressed() ? 0 : end_ - begin_);
}

std::string_view LineReader::take(std::size_t bytes) {
  const std::string_view taken(buffer_.data() + begin_, bytes);
  begin_ += bytes;
  text_bytes_read_ += bytes;
  return taken;
}

// Drops what is left of a line that was too long.
Status LineReader::finish_line() {
  while (inside_line_) {
    const char* start = buffer_.data() + begin_;
    const auto* feed = static_cast<const char*>(std::memchr(start, '\n', end_ - begin_));
    take(feed != nullptr ? static_cast<std::size_t>(feed - start) + 1 : end_ - begin_);
    if (feed != nullptr) {
      inside_line_ = false;
    } else {
      ASSIGN_OR_RETURN(inside_line_, fill());
    }
  }
  return {};
}

Status LineReader::check_line(std::string_view line, bool is_only_one) const {
  if (const std::size_t nul = line.find('\0'); nul != std::string_view::npos) {
    return fail(ErrorCode::kUnsupported,
                "{}:{}: byte {} of the line is NUL, as in files that are no text or in UTF-16: want text in UTF-8",
                name_, line_number_, nul + 1);
  }
  // A file with carriage returns and no line feed at all is one of many lines: nobody has them inside a text.
  if (is_only_one && without_carriage_return(line).find('\r') != std::string_view::npos) {
    return fail(ErrorCode::kUnsupported,
                "{}: its lines end in carriage returns alone, want line feeds: tr '\\r' '\\n' makes them so", name_);
  }
  return {};
}

Result<std::optional<std::string_view>> LineReader::next() {
  RETURN_IF_ERROR(finish_line());
  for (std::size_t searched = 0;;) {
    const char* start = buffer_.data() + begin_;
    const std::size_t bytes = end_ - begin_;
    const auto* feed = static_cast<const char*>(std::memchr(start + searched, '\n', bytes - searched));
    const std::size_t length = feed != nullptr ? static_cast<std::size_t>(feed - start) : bytes;
    if (length > line_bytes_max_) {
      // At once, and not at the line's end, which may never come.
      ++line_number_;
      inside_line_ = true;
      return fail(ErrorCode::kCorruptData, "the line is longer than {} bytes", line_bytes_max_);
    }
    searched = bytes;
    if (feed == nullptr) {
      ASSIGN_OR_RETURN(const bool more, fill());
      if (more) continue;
      if (bytes == 0) return std::optional<std::string_view>();
    }
    ++line_number_;
    const std::string_view line = take(feed != nullptr ? length + 1 : end_ - begin_).substr(0, length);
    RETURN_IF_ERROR(check_line(line, feed == nullptr && line_number_ == 1));
    return std::optional(line);
  }
}

std::string_view without_carriage_return(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace tandem
