// For tests: what gzip makes of a text.
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

#include "base/error.h"

namespace tandem {

/// One member, as gzip writes it.
inline std::string gzip(std::string_view text) {
  z_stream stream{};
  constexpr int kGzipOnly = 16;
  constexpr int kMemoryLevel = 8;
  CHECK(::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzipOnly, kMemoryLevel,
                       Z_DEFAULT_STRATEGY) == Z_OK);
  std::string compressed(::deflateBound(&stream, text.size()), '\0');
  std::string input(text);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  CHECK(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  compressed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return compressed;
}

}  // namespace tandem
