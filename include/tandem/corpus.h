// Reading documents and queries from the files that people have.
//
//   auto reader = tandem::CorpusReader::open({"corpus.jsonl", "notes/"});
//   for (;;) { auto document = reader->next(); if (!document || !*document) break; use(**document); }
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tandem/document.h"
#include "tandem/export.h"
#include "tandem/result.h"
#include "tandem/text_format.h"

namespace tandem {

struct CorpusOptions {
  TextOptions text = {};        ///< Of "text", "title" and "id"; of whole files in folders, nothing.
  bool skip_bad_lines = false;  ///< Count lines that cannot be read instead of failing at the first.
  std::size_t line_bytes_max = std::size_t{64} << 20;
};

/// What was not read, or not as it stands, so far. The lists hold the first of what is counted, at most ten.
struct CorpusReport {
  std::size_t lines_skipped = 0;
  std::vector<std::string> skipped_errors = {};
  /// Files and folders in folders: hidden ones, those of other endings, links that lead out, and what is no text.
  std::size_t files_passed_over = 0;
  std::vector<std::string> passed_over = {};  ///< "notes/a.pdf: not a .txt or .md file".
  std::size_t documents_blank = 0;            ///< Whose title and text are white space.
  std::size_t documents_not_utf8 = 0;         ///< Some of whose bytes are read as U+FFFD.
  std::vector<std::string> findings = {};     ///< Of files whose format was told by their first line.
};

/// Streams documents from files and folders (of .txt and .md files, with or without .gz, one document each, id =
/// relative path), in order. What is compressed with gzip is read as what is in it. Documents without an id get their
/// number, counted from 1 over all files. An id with control characters is an error of its line, or of its folder. Not
/// thread-safe.
class TANDEM_EXPORT CorpusReader {
 public:
  /// "-" is standard input. Errors: kNotFound, kPermission, kInvalidArgument, kUnsupported.
  static Result<CorpusReader> open(std::vector<std::string> paths, const CorpusOptions& options = {});

  /// The next document, or nullopt at the end. Errors name the file and the line.
  Result<std::optional<Document>> next();

  std::uint64_t bytes_total() const;  ///< Sizes of all files; 0 when standard input is among them.
  std::uint64_t bytes_read() const;   ///< Of those sizes: compressed bytes where a file is compressed.
  const CorpusReport& report() const;

  CorpusReader(CorpusReader&&) noexcept;
  CorpusReader& operator=(CorpusReader&&) noexcept;
  ~CorpusReader();

 private:
  class Impl;
  explicit CorpusReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem
