// Reading documents and queries from the files that people have.
//
//   auto reader = tandem::CorpusReader::open({"corpus.jsonl", "notes/"});
//   for (;;) { auto document = reader->next(); if (!document || !*document) break; use(**document); }
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/document.h"
#include "tandem/export.h"
#include "tandem/result.h"

namespace tandem {

enum class CorpusFormat {
  kAuto,   ///< By the file's name: .jsonl/.ndjson, .tsv, .csv, a folder, anything else plain lines; archives, .json
           ///< and office documents are refused.
  kJsonl,  ///< BEIR: {"_id", "title", "text", "metadata"} per line; only "text" is needed.
  kTsv,    ///< Header line naming id/_id, title, text; without one: "id TAB text" or "text".
  kCsv,    ///< RFC 4180, the same columns.
  kLines,  ///< One text per line.
};

struct CorpusOptions {
  CorpusFormat format = CorpusFormat::kAuto;
  bool skip_bad_lines = false;  ///< Count lines that cannot be read instead of failing at the first.
  std::size_t line_bytes_max = std::size_t{64} << 20;
};

/// Streams documents from files and folders (of .txt and .md files, one document each, id = relative path), in order.
/// Documents without an id get their number, counted from 1 over all files. An id with control characters is an error
/// of its line, or of its folder. Not thread-safe.
class TANDEM_EXPORT CorpusReader {
 public:
  /// "-" is standard input. Errors: kNotFound, kPermission, kInvalidArgument, kUnsupported.
  static Result<CorpusReader> open(std::vector<std::string> paths, const CorpusOptions& options = {});

  /// The next document, or nullopt at the end. Errors name the file and the line.
  Result<std::optional<Document>> next();

  std::uint64_t bytes_total() const;  ///< Sizes of all files; 0 when standard input is among them.
  std::uint64_t bytes_read() const;
  std::size_t lines_skipped() const;
  /// The first of the skipped lines' errors, at most ten.
  const std::vector<std::string>& skipped_errors() const;

  CorpusReader(CorpusReader&&) noexcept;
  CorpusReader& operator=(CorpusReader&&) noexcept;
  ~CorpusReader();

 private:
  class Impl;
  explicit CorpusReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem
