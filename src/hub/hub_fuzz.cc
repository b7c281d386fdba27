// What a hub sends, without a network: the listing of a model, or, where the first byte is odd, the headers of an
// answer.
#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/relative_path.h"
#include "hub/hub_client.h"

namespace {

using tandem::HttpResponse;
using tandem::ModelFile;

bool is_hash(std::string_view text, std::size_t digits) {
  return text.empty() || (text.size() == digits && text.find_first_not_of("0123456789abcdef") == text.npos);
}

void check_file(const ModelFile& file) { CHECK(is_hash(file.sha256, 64) && is_hash(file.git_blob_sha1, 40)); }

void check_listing(std::string_view answer) {
  const auto snapshot = tandem::parse_hub_snapshot(answer, "fuzz");
  if (!snapshot) {
    CHECK(!snapshot.error().message.empty());
    return;
  }
  CHECK(snapshot->commit.size() == 40 && is_hash(snapshot->commit, 40) && !snapshot->files.empty());
  std::set<std::string_view> names;
  for (const ModelFile& file : snapshot->files) {
    CHECK(tandem::is_safe_relative_path(file.name) && names.insert(file.name).second);
    check_file(file);
  }
}

void check_headers(std::string_view head) {
  HttpResponse response;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find('\n'), head.size() - 1) + 1;
    response.take_header(head.substr(0, end));
    head.remove_prefix(end);
  }
  CHECK(response.status >= 0 && response.last_headers.size() <= response.headers.size());
  for (const auto& [name, value] : response.headers) {
    CHECK(std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; }));
    CHECK(response.header(name) == value && !value.ends_with('\n'));
  }
  static_cast<void>(response.retry_after_s());
  static_cast<void>(response.range_begin());
  const ModelFile file = tandem::with_what_was_answered({.name = "config.json"}, response);
  CHECK(file.sha256.empty() || file.git_blob_sha1.empty());
  check_file(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    check_listing(text);
  } else {
    check_headers(text);
  }
  return 0;
}
