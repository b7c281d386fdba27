// Any bytes as the record of a folder of the model store: what is read must be written again as it was read.
#include <cstdint>
#include <string_view>

#include "base/testing/temporary_folder.h"
#include "hub/store_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto* const folder = new tandem::TemporaryFolder;
  folder->write("tandem.json", {reinterpret_cast<const char*>(data), size});
  const auto record = tandem::read_store_record(folder->path());
  if (!record) return 0;
  CHECK(!record->description().empty());
  CHECK(tandem::write_store_record(folder->path(), *record, {}));
  const auto again = tandem::read_store_record(folder->path());
  CHECK(again && again->id == record->id && again->revision == record->revision && again->source == record->source &&
        again->version == record->version && again->size_bytes == 0);  // No file lies beside the record.
  return 0;
}
