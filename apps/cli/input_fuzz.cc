// Any bytes as a file of texts, pairs or queries, in every format. The first byte chooses.

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/testing/temporary_folder.h"
#include "input.h"

namespace {

using namespace tandem;
using namespace tandem::cli;

template <class Record>
void check_records(const std::string& path, std::size_t size, const Records<Record>& records) {
  const auto all = read_all(path, records);
  if (all) {
    CHECK(all->size() <= size);  // A line has one byte at least.
  } else {
    CHECK(!all.error().message.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const auto* const folder = new TemporaryFolder;
  constexpr std::array kNames{"lines.txt", "lines.jsonl", "table.csv", "table.tsv", "unknown"};
  const std::string_view content(reinterpret_cast<const char*>(data + 1), size - 1);
  if (content.starts_with("\x1F\x8B")) return 0;  // A short file of gzip may hold very many lines.
  const std::string path = folder->write(kNames[data[0] % kNames.size()], content);
  switch (data[0] / kNames.size() % 3) {
    case 0:
      check_records(path, size, texts());
      break;
    case 1:
      check_records(path, size, pairs());
      break;
    default:
      check_records(path, size, queries());
      break;
  }
  return 0;
}
