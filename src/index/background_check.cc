#include "index/background_check.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace tandem {
namespace {

// Between two looks at whether to go on: a millisecond's reading.
constexpr std::size_t kBytesAtOnce = std::size_t{4} << 20;

}  // namespace

BackgroundCheck::BackgroundCheck(std::vector<VectorRows> segments) : segments_(std::move(segments)) {
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  } catch (const std::system_error&) {
  }
}

Status BackgroundCheck::found() const {
  const std::lock_guard lock(mutex_);
  return found_;
}

void BackgroundCheck::run(const std::stop_token& stop) {
  for (const VectorRows& rows : segments_) {
    const std::size_t row_bytes = rows.dimensions() * bytes_of(rows.element());
    const std::size_t at_once = std::max<std::size_t>(kBytesAtOnce / row_bytes, 1);
    for (std::size_t first = 0; first < rows.count(); first += at_once) {
      if (stop.stop_requested()) return;
      Result<VectorBlock> block = rows.read(first, std::min(at_once, rows.count() - first));
      if (block) continue;
      const std::lock_guard lock(mutex_);
      found_ = tl::unexpected(std::move(block).error());
      return;
    }
  }
}

}  // namespace tandem
