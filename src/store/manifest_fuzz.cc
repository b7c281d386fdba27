// Any bytes as the manifest of a collection: what is read must be written again as it was read.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "store/collection_store.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto info = tandem::parse_manifest({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!info) {
    CHECK(!info.error().message.empty());
    return 0;
  }
  const std::string text = tandem::manifest_json(*info);
  const auto again = tandem::parse_manifest(text, "fuzz");
  CHECK(again && tandem::manifest_json(*again) == text);
  return 0;
}
