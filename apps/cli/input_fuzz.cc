// Any bytes as a file of texts, pairs or queries, as lines or as JSON lines. The first byte chooses.

#include <cstdint>
#include <filesystem>

#include "base/testing/temporary_folder.h"
#include "input.h"

namespace {

using namespace tandem;
using namespace tandem::cli;

template <class Record>
void check_records(const std::string& path, std::size_t size, Result<Record> (*read)(const RecordReader&)) {
  const auto records = read_all(path, read);
  if (records) {
    CHECK(records->size() <= size);  // A line has one byte at least.
  } else {
    CHECK(!records.error().message.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const auto* const folder = new TemporaryFolder;
  const std::string path = folder->write(data[0] % 2 == 0 ? "lines.txt" : "lines.jsonl",
                                         {reinterpret_cast<const char*>(data + 1), size - 1});
  switch (data[0] / 2 % 3) {
    case 0:
      check_records(path, size, read_text);
      break;
    case 1:
      check_records(path, size, read_pair);
      break;
    default:
      check_records(path, size, read_query);
      break;
  }
  return 0;
}
