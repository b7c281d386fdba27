// The one place that decides what a stream of bytes is: text, text in gzip, or nothing that is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/file.h"
#include "tandem/result.h"

namespace tandem {

/// The text of a file, a pipe or standard input. What begins as gzip does is decompressed, member after member; a UTF-8
/// byte-order mark at the start is left out; what begins as archives, documents, images or UTF-16 do is refused by
/// name. Holds a buffer and no more. Not thread-safe.
class TextSource {
 public:
  /// `name` stands for the file in errors.
  TextSource(FileDescriptor file, std::string name);

  /// The next bytes, as many as there are and fit; 0 at the end. Errors: kUnsupported for what is no text; kIo, also
  /// for gzip data that are damaged, cut off, or followed by anything else.
  Result<std::size_t> read(std::span<char> bytes);

  bool is_compressed() const { return inflater_ != nullptr; }
  /// Of the file, compressed where it is.
  std::uint64_t file_bytes_read() const;

  TextSource(TextSource&&) noexcept;
  TextSource& operator=(TextSource&&) noexcept;
  ~TextSource();

 private:
  class Inflater;

  Status start();
  Result<std::size_t> read_file(std::span<char> bytes);
  Result<std::size_t> read_text(std::span<char> bytes);
  Result<std::string> read_start();

  FileDescriptor file_;
  std::string name_;
  std::uint64_t bytes_read_ = 0;
  std::unique_ptr<Inflater> inflater_;
  bool started_ = false;
  std::string start_;  // Read to see what it is, and not yet handed out.
};

}  // namespace tandem
