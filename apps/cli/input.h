// Reading the texts, pairs and queries that a command works on: from a file, or from standard input.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/line_reader.h"
#include "tandem/corpus.h"
#include "tandem/result.h"
#include "tandem/sweep.h"

namespace tandem::cli {

struct Pair {
  std::string query;
  std::string document;
};

using Query = SweepQuery;

/// One line of input, as JSON where the file's name says JSON lines, as text elsewhere. Not thread-safe.
///
/// Every line counts, an empty one as an empty text, so that results line up with their input.
class RecordReader {
 public:
  /// "-" is standard input, whose lines are plain.
  static Result<RecordReader> open(const std::string& path);

  /// Goes to the next line; false at the end.
  Result<bool> advance();

  /// The line that advance() came to, and what it holds where the lines are JSON. Valid until the next call.
  std::string_view line() const { return line_; }
  const std::optional<JsonValue>& json() const { return value_; }

  /// The error of the current line: "file:12: message".
  tl::unexpected<Error> fail_here(Error error) const;

  std::size_t line_number() const { return lines_.line_number(); }
  std::uint64_t bytes_read() const { return lines_.bytes_read(); }
  /// How much of the input has been read, in [0, 1]; nullopt where its size is not known.
  std::optional<double> fraction() const;

 private:
  RecordReader(LineReader lines, std::string name, std::uint64_t bytes_total, bool is_json);

  LineReader lines_;
  std::string name_;
  std::uint64_t bytes_total_;
  std::optional<JsonLineParser> parser_;
  std::string_view line_;
  std::optional<JsonValue> value_;
};

/// The current line as a text: {"text": …} (BEIR's "title" goes before it), or the line itself.
Result<std::string> read_text(const RecordReader& record);
/// The current line as a pair: {"query": …, "document": …}, or query TAB document.
Result<Pair> read_pair(const RecordReader& record);
/// The current line as a query: {"_id": …, "text": …}, or the line itself, whose number is the id.
Result<Query> read_query(const RecordReader& record);

/// As many records as are worth encoding together.
inline constexpr std::size_t kBatchRecords = 4096;

/// The next records, each read by `read`: at most `records_max`, and not so many that a long input would be held in
/// memory. Empty at the end.
template <class Record>
Result<std::vector<Record>> read_batch(RecordReader& reader, Result<Record> (*read)(const RecordReader&),
                                       std::size_t records_max = kBatchRecords) {
  constexpr std::uint64_t kBytesMax = 8 << 20;
  std::vector<Record> records;
  const std::uint64_t bytes_end = reader.bytes_read() + kBytesMax;
  while (records.size() < records_max && reader.bytes_read() < bytes_end) {
    ASSIGN_OR_RETURN(const bool more, reader.advance());
    if (!more) break;
    Result<Record> record = read(reader);
    if (!record) return reader.fail_here(record.error());
    records.push_back(std::move(*record));
  }
  return records;
}

/// The next documents of a corpus, at most `documents_max`; by default all.
Result<std::vector<Document>> read_documents(CorpusReader& reader,
                                             std::size_t documents_max = std::numeric_limits<std::size_t>::max());

/// An error where writing to `output`, the value of `option`, would replace one of the files that are read, or a file
/// in one of the folders that are. Inputs that are empty are none.
Status check_is_no_input(std::string_view option, const std::string& output, std::span<const std::string> inputs);

/// Every record of a file.
template <class Record>
Result<std::vector<Record>> read_all(const std::string& path, Result<Record> (*read)(const RecordReader&)) {
  ASSIGN_OR_RETURN(RecordReader reader, RecordReader::open(path));
  std::vector<Record> records;
  for (;;) {
    ASSIGN_OR_RETURN(std::vector<Record> batch, read_batch(reader, read));
    if (batch.empty()) return records;
    std::ranges::move(batch, std::back_inserter(records));
  }
}

}  // namespace tandem::cli
