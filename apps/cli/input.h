// Reading the texts, pairs, queries and documents that a command works on: from files, or from standard input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text_reader.h"
#include "tandem/corpus.h"
#include "tandem/result.h"
#include "tandem/sweep.h"

namespace tandem::cli {

struct Pair {
  std::string query;
  std::string document;
};

using Query = SweepQuery;

/// As many records as are worth encoding together.
inline constexpr std::size_t kBatchRecords = 4096;

/// A file of records, or standard input, and the notes on it that go to standard error.
class InputFile {
 public:
  static Result<InputFile> open(const std::string& path, const RecordKind& kind, const TextOptions& options);

  /// As TextReader's.
  Result<bool> advance();
  const TextReader& reader() const { return reader_; }
  /// As RecordReader's.
  std::optional<double> fraction() const;

 private:
  InputFile(TextReader reader, std::string name, std::uint64_t bytes_total)
      : reader_(std::move(reader)), name_(std::move(name)), bytes_total_(bytes_total) {}

  TextReader reader_;
  std::string name_;
  std::uint64_t bytes_total_;
  bool has_ended_ = false;
};

/// The records of a file as a command needs them: what they are, and how one is made of what was read.
template <class Record>
struct Records {
  RecordKind kind;
  Result<Record> (*read)(const TextReader&);
};

/// {"text": …} (BEIR's "title" goes before it), a row with those columns, or a plain line.
Records<std::string> texts();
/// {"query": …, "document": …}, a row with those columns, or query TAB document.
Records<Pair> pairs();
/// {"_id": …, "text": …}, a row with those columns, or a plain line. Without an id, the number of the record is it.
/// `options_prefix` begins the options that say how the file is read.
Records<Query> queries(std::string options_prefix = "--queries-");

/// Reads the records of a file or of standard input, and says on standard error what people should know of them: that
/// the first line has decided what they are, and how many are not UTF-8. Not thread-safe.
///
/// Every plain line counts, an empty one as an empty text, so that results line up with their input.
template <class Record>
class RecordReader {
 public:
  /// "-" is standard input.
  static Result<RecordReader> open(const std::string& path, const Records<Record>& records,
                                   const TextOptions& options = {}) {
    ASSIGN_OR_RETURN(InputFile file, InputFile::open(path, records.kind, options));
    return RecordReader(std::move(file), records.read);
  }

  /// The next record, or nullopt at the end. Errors name the file and the line.
  Result<std::optional<Record>> next() {
    ASSIGN_OR_RETURN(const bool more, file_.advance());
    if (!more) return std::optional<Record>();
    Result<Record> record = read_(file_.reader());
    if (!record) return file_.reader().fail_here(std::move(record).error());
    return std::optional<Record>(std::move(*record));
  }

  /// The next records: at most `records_max`, and not so many that a long input would be held in memory. Empty at the
  /// end.
  Result<std::vector<Record>> next_batch(std::size_t records_max = kBatchRecords) {
    constexpr std::uint64_t kBytesMax = 8 << 20;
    std::vector<Record> records;
    const std::uint64_t bytes_end = file_.reader().text_bytes_read() + kBytesMax;
    while (records.size() < records_max && file_.reader().text_bytes_read() < bytes_end) {
      ASSIGN_OR_RETURN(std::optional<Record> record, next());
      if (!record) break;
      records.push_back(std::move(*record));
    }
    return records;
  }

  /// How much of the input has been read, in [0, 1]; nullopt where its size is not known.
  std::optional<double> fraction() const { return file_.fraction(); }

 private:
  RecordReader(InputFile file, Result<Record> (*read)(const TextReader&)) : file_(std::move(file)), read_(read) {}

  InputFile file_;
  Result<Record> (*read_)(const TextReader&);
};

/// The next documents of a corpus, at most `documents_max`; by default all.
Result<std::vector<Document>> read_documents(CorpusReader& reader,
                                             std::size_t documents_max = std::numeric_limits<std::size_t>::max());

/// Says on standard error what was not read of a corpus, or not as it stands.
void note_report(const CorpusReport& report);

/// An error where writing to `output`, the value of `option`, would replace one of the files that are read, or a file
/// in one of the folders that are. Inputs that are empty are none.
Status check_is_no_input(std::string_view option, const std::string& output, std::span<const std::string> inputs);

/// Every record of a file.
template <class Record>
Result<std::vector<Record>> read_all(const std::string& path, const Records<Record>& records,
                                     const TextOptions& options = {}) {
  ASSIGN_OR_RETURN(RecordReader<Record> reader, RecordReader<Record>::open(path, records, options));
  std::vector<Record> all;
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<Record> record, reader.next());
    if (!record) return all;
    all.push_back(std::move(*record));
  }
}

}  // namespace tandem::cli
