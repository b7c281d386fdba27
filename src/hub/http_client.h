// HTTP GET with what downloads of large files over unreliable networks need: redirects, retries, resuming, time limits.
// Proxies come from the environment (https_proxy, no_proxy …), as libcurl reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tandem/call.h"
#include "tandem/result.h"

namespace tandem {

struct HttpOptions {
  long connect_timeout_ms = 5'000;
  /// Slower lines are of no use for models, which have tens of megabytes at least.
  std::uint64_t bytes_per_s_min = std::uint64_t{8} << 10;
  long stall_timeout_s = 30;  ///< A try that is slower than `bytes_per_s_min` for so long has failed.
  /// What a request may take, its tries and the waits between them included. A download may take, beside it, the time
  /// that its new bytes take at `bytes_per_s_min`: it ends, whatever the server does, and the sooner the less it
  /// brings.
  std::int64_t time_ms_max = 300'000;
  std::uint64_t answer_bytes_max = std::uint64_t{16} << 20;    ///< Of a short answer's body.
  std::uint64_t progress_bytes_min = std::uint64_t{16} << 10;  ///< A try that brings fewer has brought nothing.
  int attempts_max = 5;                                        ///< Tries in a row that bring nothing new.
  int retry_wait_ms = 1'000;       ///< Before the second try; doubled before each further one.
  int retry_wait_max_ms = 30'000;  ///< Also the longest Retry-After that is obeyed.
  CallOptions call = {};           ///< Ends requests and the waits between them; its progress is not reported.
  std::string bearer_token;        ///< Sent to the host that is asked, never to one that it redirects to. May be empty.
  /// Without TLS the token is sent to this machine alone (localhost, 127.0.0.0/8, ::1), unless this is set: everybody
  /// on the way can read it. A request that would need it is refused: kInvalidArgument.
  bool token_over_http = false;
};

struct HttpResponse {
  long status = 0;
  /// By lower-case name. A header of the first answer wins over one of the same name of an answer that it redirected
  /// to: the first comes from the server that was asked.
  std::map<std::string, std::string, std::less<>> headers;
  std::map<std::string, std::string, std::less<>> last_headers;  ///< Of the last answer alone.
  std::string body;                                              ///< Empty where it went into a file.
  /// How long the whole file is by the length of the answer that brought its end; nothing where that had none.
  std::optional<std::uint64_t> announced_bytes;

  bool is_success() const { return status >= 200 && status < 300; }
  /// Empty where there is no such header.
  std::string_view header(std::string_view name) const;

  /// Takes in a line as a server sends it: a header, or the status line with which an answer begins.
  void take_header(std::string_view line);
  /// From which byte on the answer holds the content; nullopt where it does not say so.
  std::optional<std::uint64_t> range_begin() const;
  /// How long to wait before another try; 0 where the answer does not say so.
  std::uint64_t retry_after_s() const;
};

/// Immutable: methods may be called from many threads at once.
///
/// Answers that are no success are returned, except those that mean "later" (408, 429, 5xx): they are retried, and an
/// error when they stay. Errors: kNetwork; kCorruptData for an answer that is longer than it may be.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);

  /// A short answer. A server that cannot be reached at all is not tried again.
  Result<HttpResponse> get(const std::string& url) const;

  struct Download {
    std::string url;
    std::filesystem::path file;               ///< What it holds already is taken as the beginning and not asked for.
    std::optional<std::uint64_t> size_bytes;  ///< Where it is known: more is an error, and less is not the end.
    std::uint64_t bytes_max = 0;              ///< More is an error, too.
    std::function<void(std::uint64_t done)> on_progress;  ///< Bytes in the file; called a few times a second.
  };
  /// Appends to `file` until it is whole and on the disk. The file stays when it fails, so that another try goes on
  /// from there. Errors also: kNoSpace, kPermission, kIo.
  Result<HttpResponse> download(const Download& download) const;

 private:
  struct Transfer;
  Status perform(Transfer& transfer) const;
  Result<bool> wait_before_retry(const Transfer& transfer, int failures) const;

  HttpOptions options_;
};

/// A URL for messages: without the name and the password that may stand before the host.
std::string without_userinfo(std::string_view url);
/// The same of every URL in a text, such as another program's output.
std::string without_userinfos(std::string_view text);

/// One segment of a URL's path, percent-encoded.
std::string url_segment(std::string_view text);

}  // namespace tandem
