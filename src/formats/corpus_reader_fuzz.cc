// Every corpus format on arbitrary bytes: reading ends, stays inside its limits and yields what it promises.
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "tandem/corpus.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t choice = data[0];
  const tandem::CorpusOptions options{.text = {.format = static_cast<tandem::TextFormat>(1 + choice % 4)},
                                      .skip_bad_lines = (choice & 0x80) != 0,
                                      .line_bytes_max = 64};
  ++data;
  --size;
  static const int file = ::memfd_create("corpus", MFD_CLOEXEC);
  CHECK(::ftruncate(file, 0) == 0 && ::pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
  auto reader = tandem::CorpusReader::open({fmt::format("/proc/self/fd/{}", file)}, options);
  if (!reader) {
    CHECK(!reader.error().message.empty());
    return 0;
  }
  CHECK(reader->bytes_total() == size);
  const bool is_compressed = size > 1 && data[0] == 0x1F && data[1] == 0x8B;
  std::size_t documents = 0;
  for (;;) {
    const auto document = reader->next();
    CHECK(reader->bytes_read() <= size);
    if (!document) {
      CHECK(!document.error().message.empty());
      CHECK(!options.skip_bad_lines || document.error().code != tandem::ErrorCode::kCorruptData);
      return 0;
    }
    if (!*document) break;
    CHECK((++documents <= size || is_compressed) && !(*document)->id.empty());
    CHECK((*document)->text.size() <= options.line_bytes_max);
    CHECK((*document)->metadata.empty() || tandem::JsonDocument::parse((*document)->metadata, "metadata").has_value());
    CHECK(options.text.format != tandem::TextFormat::kJsonl || tandem::is_utf8((*document)->text));
    (*document)->full_text();
  }
  CHECK(reader->bytes_read() == size);
  return 0;
}
