// The vector file's reader on arbitrary bytes, and on headers that lie but carry the right checksum.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "base/error.h"
#include "index/vector_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> bytes(data, data + size);
  if (bytes.size() >= 64 && bytes[40] != 0) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (std::size_t index = 0; index < 56; ++index) hash = (hash ^ bytes[index]) * 0x100000001b3;
    std::memcpy(bytes.data() + 56, &hash, sizeof(hash));
  }
  static const int file = ::memfd_create("vectors", MFD_CLOEXEC);
  CHECK(::ftruncate(file, 0) == 0 && ::pwrite(file, bytes.data(), size, 0) == static_cast<ssize_t>(size));
  const auto vectors = tandem::VectorFile::open(fmt::format("/proc/self/fd/{}", file));
  if (!vectors) {
    CHECK(!vectors.error().message.empty());
    return 0;
  }
  const tandem::MatrixView view = vectors->vectors();
  CHECK(view.columns > 0 && view.rows * view.columns * sizeof(float) + 64 == size);
  volatile float last = 0;  // Every element is really read.
  for (std::size_t row = 0; row < view.rows; ++row) {
    for (const float value : view.row(row)) last = value;
  }
  static_cast<void>(last);
  return 0;
}
